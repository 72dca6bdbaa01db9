//! Sets of characters: ranges, in order. Classes with their unions, intersections and negations are resolved to one
//! when the pattern is read.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::escape::Escape;
use super::parse::{Flags, Fold, Parser, is_line_end};

#[derive(Debug, Clone, Default)]
pub(super) struct Class {
    /// In order, apart from each other.
    ranges: Vec<(char, char)>,
}

impl Class {
    pub(super) fn from_ranges(ranges: impl IntoIterator<Item = (char, char)>) -> Class {
        let ranges = ranges.into_iter().map(|(low, high)| ClassUnicodeRange::new(low, high));
        Class::from(ClassUnicode::new(ranges))
    }

    /// What `.` stands for.
    pub(super) fn any(flags: Flags) -> Class {
        let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'].into_iter();
        let ends = ends.filter(|char| !flags.dot_all && is_line_end(*char, flags.unix_lines));
        Class::from_ranges(ends.map(|char| (char, char))).negated()
    }

    pub(super) fn ranges(&self) -> &[(char, char)] {
        &self.ranges
    }

    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    pub(super) fn contains(&self, char: char) -> bool {
        let after = self.ranges.partition_point(|(low, _)| *low <= char);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|(_, high)| char <= *high)
    }

    pub(super) fn negated(&self) -> Class {
        let mut set = self.set();
        set.negate();
        Class::from(set)
    }

    pub(super) fn union(&self, other: &Class) -> Class {
        Class::from_ranges(self.ranges.iter().chain(&other.ranges).copied())
    }

    pub(super) fn intersection(&self, other: &Class) -> Class {
        let mut set = self.set();
        set.intersect(&other.set());
        Class::from(set)
    }

    /// With the other cases of its letters.
    pub(super) fn folded(self, fold: Fold) -> Class {
        match fold {
            Fold::None => self,
            Fold::Ascii => {
                let ascii = Class::from_ranges([('A', 'Z'), ('a', 'z')]).intersection(&self);
                let flip = |char: char| {
                    if char.is_ascii_lowercase() {
                        char.to_ascii_uppercase()
                    } else {
                        char.to_ascii_lowercase()
                    }
                };
                let cases = ascii.ranges.into_iter().map(|(low, high)| (flip(low), flip(high)));
                Class::from_ranges(self.ranges.into_iter().chain(cases))
            }
            Fold::Unicode => {
                let mut set = self.set();
                set.case_fold_simple();
                Class::from(set)
            }
        }
    }

    fn set(&self) -> ClassUnicode {
        ClassUnicode::new(self.ranges.iter().map(|(low, high)| ClassUnicodeRange::new(*low, *high)))
    }
}

impl From<ClassUnicode> for Class {
    fn from(set: ClassUnicode) -> Class {
        Class { ranges: set.iter().map(|range| (range.start(), range.end())).collect() }
    }
}

/// What a class holds so far: what was intersected, and what is added to it.
#[derive(Default)]
struct Members {
    set: Option<Class>,
    added: Vec<(char, char)>,
}

impl Members {
    fn add(&mut self, class: &Class) {
        self.added.extend_from_slice(&class.ranges);
        // An empty class is a member too.
        self.set.get_or_insert_default();
    }

    fn take(&mut self) -> Option<Class> {
        if !self.added.is_empty() {
            let added = Class::from_ranges(self.added.drain(..));
            self.set = Some(self.set.take().map_or(added.clone(), |set| set.union(&added)));
        }
        self.set.take()
    }

    fn is_empty(&self) -> bool {
        self.set.is_none() && self.added.is_empty()
    }
}

impl Parser {
    /// A class behind its `[`, to behind its `]`; or (`bracketed` is false) the right side of `&&`, to before the `]`.
    pub(super) fn class(&mut self, bracketed: bool) -> Result<Class, String> {
        self.nest()?;
        let negated =
            bracketed && self.peek() == Some('^') && self.chars.get(self.at.wrapping_sub(1)) == Some(&'[');
        self.at += usize::from(negated);
        let mut members = Members::default();
        loop {
            match self.peek() {
                None => return Err("Unclosed character class".to_owned()),
                Some(']') if !members.is_empty() => {
                    self.at += usize::from(bracketed);
                    break;
                }
                Some('[') => {
                    self.at += 1;
                    let class = self.class(true)?;
                    self.add(&mut members, &class)?;
                }
                Some('&') if self.ahead(1) == Some('&') => {
                    self.at += 2;
                    self.intersect(&mut members)?;
                }
                Some(_) => self.class_range(&mut members)?,
            }
        }
        self.nesting -= 1;
        let class = members.take().unwrap_or_default();
        Ok(if negated { class.negated() } else { class })
    }

    fn add(&mut self, members: &mut Members, class: &Class) -> Result<(), String> {
        self.count(class.len())?;
        members.add(class);
        Ok(())
    }

    /// What follows `&&`, intersected with what was before.
    fn intersect(&mut self, members: &mut Members) -> Result<(), String> {
        let mut right = Members::default();
        while let Some(char) = self.peek() {
            if char == ']' || char == '&' {
                break;
            }
            let is_class = char == '[';
            self.at += usize::from(is_class);
            let class = self.class(is_class)?;
            self.add(&mut right, &class)?;
        }
        members.set = match (members.take(), right.take()) {
            (None, None) => return Err("Bad class syntax".to_owned()),
            (Some(left), Some(right)) => Some(left.intersection(&right)),
            (left, right) => left.or(right),
        };
        Ok(())
    }

    /// One character, range or escape.
    fn class_range(&mut self, members: &mut Members) -> Result<(), String> {
        let fold = self.flags.fold();
        let low = match self.class_atom(false)? {
            Escape::Char(low) => low,
            Escape::Class(class) => return self.add(members, &class),
        };
        let mut high = low;
        if self.peek() == Some('-') && !matches!(self.ahead(1), Some('[' | ']')) {
            self.at += 1;
            high = match self.class_atom(true)? {
                Escape::Char(high) if high >= low => high,
                _ => return Err("Illegal character range".to_owned()),
            };
        }
        if fold == Fold::None {
            members.added.push((low, high));
            return self.count(1);
        }
        let class = Class::from_ranges([(low, high)]).folded(fold);
        self.add(members, &class)
    }

    fn class_atom(&mut self, ends_range: bool) -> Result<Escape, String> {
        let Some(char) = self.peek() else { return Err("Unclosed character class".to_owned()) };
        self.at += 1;
        if char != '\\' {
            return Ok(Escape::Char(char));
        }
        let before_hyphen = self.ahead(1) == Some('-');
        self.char_or_class(ends_range || before_hyphen)
    }
}
