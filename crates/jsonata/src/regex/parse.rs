//! Patterns to trees, by the grammar of `java.util.regex`.

use std::sync::Arc;

use super::class::Class;
use super::escape;

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) root: Node,
    /// Capturing groups, the whole match not counted.
    pub(super) groups: usize,
}

/// Flags are resolved while reading: what is left stands for itself.
#[derive(Debug)]
pub(super) enum Node {
    Empty,
    Char(char),
    Class(Arc<Class>),
    Assert(Assertion),
    /// A group; `Some` number when it captures.
    Group(Box<Node>, Option<usize>),
    /// What matched once is not tried otherwise.
    Atomic(Box<Node>),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        greedy: bool,
    },
    LookAhead {
        node: Box<Node>,
        negated: bool,
    },
    /// What ends here and is between `min` and `max` characters long.
    LookBehind {
        node: Box<Node>,
        negated: bool,
        min: u32,
        max: u32,
    },
    BackReference {
        group: usize,
        fold: Fold,
    },
}

/// What holds between two characters. `unix`: only `\n` ends a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Assertion {
    TextStart,
    LineStart {
        unix: bool,
    },
    TextEnd,
    /// The end, or before a last line terminator.
    FinalEnd {
        unix: bool,
    },
    LineEnd {
        unix: bool,
    },
    /// Where the search began.
    SearchStart,
    WordBoundary {
        negated: bool,
    },
}

/// Which characters count as the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fold {
    None,
    Ascii,
    Unicode,
}

impl Fold {
    /// The character that stands for all its cases.
    pub(super) fn canonical(self, char: char) -> char {
        let single = |mut cases: std::char::ToUppercase| match (cases.next(), cases.next()) {
            (Some(upper), None) => upper,
            _ => char,
        };
        match self {
            Fold::None => char,
            Fold::Ascii => char.to_ascii_uppercase(),
            Fold::Unicode => single(char.to_uppercase()),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
    pub(super) dot_all: bool,
    pub(super) unix_lines: bool,
    pub(super) unicode_case: bool,
    pub(super) unicode_classes: bool,
    pub(super) comments: bool,
}

impl Flags {
    pub(super) fn fold(self) -> Fold {
        match (self.ignore_case, self.unicode_case) {
            (false, _) => Fold::None,
            (true, false) => Fold::Ascii,
            (true, true) => Fold::Unicode,
        }
    }
}

/// How deep groups and classes may nest.
pub(super) const NESTING_MAX: usize = 100;

/// How many ranges the classes of a pattern may have together.
const RANGES_MAX: usize = 200_000;

pub(super) const TOO_LARGE: &str = "Regular expression too large";

pub(super) fn parse(pattern: &str, flags: Flags) -> Result<Pattern, String> {
    let chars = escape::unquote(pattern);
    let mut parser = Parser { chars, at: 0, groups: 0, names: Vec::new(), nesting: 0, ranges: 0, flags };
    let root = parser.alternatives()?;
    if parser.peek().is_some() {
        return Err("Unmatched closing ')'".to_owned());
    }
    Ok(Pattern { root, groups: parser.groups })
}

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    /// Groups that have been opened.
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
    pub(super) nesting: usize,
    ranges: usize,
    pub(super) flags: Flags,
}

impl Parser {
    /// The next character; with the flag `x`, white space and comments before it are skipped.
    pub(super) fn peek(&mut self) -> Option<char> {
        while self.flags.comments {
            match self.ahead(0)? {
                '\t'..='\r' | ' ' => self.at += 1,
                '#' => {
                    while self.ahead(0).is_some_and(|char| !is_line_end(char, self.flags.unix_lines)) {
                        self.at += 1;
                    }
                }
                _ => break,
            }
        }
        self.ahead(0)
    }

    /// The character so far ahead, whatever it is.
    pub(super) fn ahead(&self, distance: usize) -> Option<char> {
        self.chars.get(self.at + distance).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let char = self.ahead(0);
        self.at += usize::from(char.is_some());
        char
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let matches = self.peek() == Some(wanted);
        self.at += usize::from(matches);
        matches
    }

    pub(super) fn nest(&mut self) -> Result<(), String> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX { Err(TOO_LARGE.to_owned()) } else { Ok(()) }
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        self.nest()?;
        let mut branches = vec![self.sequence()?];
        while self.eat('|') {
            branches.push(self.sequence()?);
        }
        self.nesting -= 1;
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alternatives(branches) })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        while let Some(char) = self.peek() {
            if char == '|' || char == ')' {
                break;
            }
            if let Some(node) = self.term()? {
                items.push(self.quantified(node)?);
            }
        }
        Ok(match items.len() {
            0 => Node::Empty,
            1 => items.remove(0),
            _ => Node::Sequence(items),
        })
    }

    fn quantified(&mut self, node: Node) -> Result<Node, String> {
        let Some((min, max)) = self.quantifier()? else { return Ok(node) };
        let lazy = self.eat('?');
        let possessive = !lazy && self.eat('+');
        // Possessive rounds, and what is no group, keep what they matched once.
        let is_plain = matches!(node, Node::Char(_) | Node::Class(_) | Node::Group(..));
        let node = if possessive || !is_plain { Node::Atomic(Box::new(node)) } else { node };
        let node = Node::Repeat { node: Box::new(node), min, max, greedy: !lazy };
        Ok(if possessive { Node::Atomic(Box::new(node)) } else { node })
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let bounds = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.braces().map(Some),
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(bounds))
    }

    /// `{n}`, `{n,}` or `{n,m}`.
    fn braces(&mut self) -> Result<(u32, Option<u32>), String> {
        self.at += 1;
        let Some(min) = self.number()? else { return Err("Illegal repetition".to_owned()) };
        let max = if self.eat(',') { self.number()? } else { Some(min) };
        if !self.eat('}') {
            return Err("Unclosed counted closure".to_owned());
        }
        if max.is_some_and(|max| max < min) {
            Err("Illegal repetition range".to_owned())
        } else {
            Ok((min, max))
        }
    }

    fn number(&mut self) -> Result<Option<u32>, String> {
        let start = self.at;
        let mut number = 0u32;
        while let Some(digit) = self.ahead(0).and_then(|char| char.to_digit(10)) {
            let next = number.checked_mul(10).and_then(|number| number.checked_add(digit));
            number = next.filter(|next| *next <= i32::MAX as u32).ok_or("Illegal repetition range")?;
            self.at += 1;
        }
        Ok((self.at > start).then_some(number))
    }

    /// One term; `None` where flags were set.
    fn term(&mut self) -> Result<Option<Node>, String> {
        let Some(char) = self.peek() else { return Ok(None) };
        self.at += 1;
        let Flags { multiline, unix_lines: unix, .. } = self.flags;
        Ok(Some(match char {
            '^' if multiline => Node::Assert(Assertion::LineStart { unix }),
            '^' => Node::Assert(Assertion::TextStart),
            '$' if multiline => Node::Assert(Assertion::LineEnd { unix }),
            '$' => Node::Assert(Assertion::FinalEnd { unix }),
            '.' => self.class_node(Class::any(self.flags))?,
            '(' => return self.group(),
            '[' => {
                let class = self.class(true)?;
                self.class_node(class)?
            }
            '\\' => self.escape()?,
            '*' | '+' | '?' => return Err(format!("Dangling meta character '{char}'")),
            '{' => {
                // Braces without anything before them repeat nothing.
                self.at -= 1;
                Node::Empty
            }
            _ => self.literal(char)?,
        }))
    }

    pub(super) fn literal(&mut self, char: char) -> Result<Node, String> {
        match self.flags.fold() {
            Fold::None => Ok(Node::Char(char)),
            fold => self.class_node(Class::from_ranges([(char, char)]).folded(fold)),
        }
    }

    pub(super) fn class_node(&mut self, class: Class) -> Result<Node, String> {
        self.count(class.len())?;
        Ok(Node::Class(Arc::new(class)))
    }

    pub(super) fn count(&mut self, ranges: usize) -> Result<(), String> {
        self.ranges += ranges;
        if self.ranges > RANGES_MAX { Err(TOO_LARGE.to_owned()) } else { Ok(()) }
    }

    /// What follows `(`.
    fn group(&mut self) -> Result<Option<Node>, String> {
        let before = self.flags;
        if self.ahead(0) != Some('?') {
            self.groups += 1;
            let number = self.groups;
            return Ok(Some(Node::Group(self.inner(before)?, Some(number))));
        }
        self.at += 1;
        let at = self.at;
        Ok(Some(match self.next() {
            Some(':') => Node::Group(self.inner(before)?, None),
            Some('>') => Node::Atomic(self.inner(before)?),
            Some(sign @ ('=' | '!')) => Node::LookAhead { node: self.inner(before)?, negated: sign == '!' },
            Some('<') => match self.ahead(0) {
                Some(sign @ ('=' | '!')) => {
                    self.at += 1;
                    let node = self.inner(before)?;
                    let (min, max) = width(&node);
                    let max = max.ok_or("Look-behind group does not have an obvious maximum length")?;
                    Node::LookBehind { node, negated: sign == '!', min, max }
                }
                _ => {
                    let name = self.group_name()?;
                    if self.names.iter().any(|(existing, _)| *existing == name) {
                        return Err(format!("Named capturing group <{name}> is already defined"));
                    }
                    self.groups += 1;
                    let number = self.groups;
                    self.names.push((name, number));
                    Node::Group(self.inner(before)?, Some(number))
                }
            },
            _ => {
                self.at = at;
                self.set_flags();
                match self.next() {
                    Some(')') => return Ok(None),
                    Some(':') => Node::Group(self.inner(before)?, None),
                    _ => return Err("Unknown inline modifier".to_owned()),
                }
            }
        }))
    }

    /// What a group holds, to its `)`; then the flags are again those `before` it.
    fn inner(&mut self, before: Flags) -> Result<Box<Node>, String> {
        let node = self.alternatives()?;
        let closed = self.eat(')');
        self.flags = before;
        if closed { Ok(Box::new(node)) } else { Err("Unclosed group".to_owned()) }
    }

    /// The letters of `(?im-sx`.
    fn set_flags(&mut self) {
        let mut on = true;
        while let Some(char) = self.ahead(0) {
            match char {
                'i' => self.flags.ignore_case = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                'd' => self.flags.unix_lines = on,
                'u' => self.flags.unicode_case = on,
                'x' => self.flags.comments = on,
                'U' => {
                    self.flags.unicode_classes = on;
                    self.flags.unicode_case = on;
                }
                'c' => {}
                '-' if on => on = false,
                _ => break,
            }
            self.at += 1;
        }
    }

    /// The name of a group, to its `>`.
    pub(super) fn group_name(&mut self) -> Result<String, String> {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let name: String = rest.iter().take_while(|char| char.is_ascii_alphanumeric()).collect();
        if !name.starts_with(|char: char| char.is_ascii_alphabetic()) {
            return Err("capturing group name does not start with a Latin letter".to_owned());
        }
        self.at += name.len();
        if self.next() == Some('>') {
            Ok(name)
        } else {
            Err("named capturing group is missing trailing '>'".to_owned())
        }
    }
}

pub(super) fn is_line_end(char: char, unix: bool) -> bool {
    char == '\n' || (!unix && matches!(char, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'))
}

/// How many characters `node` takes: at least, and at most if that is bounded.
fn width(node: &Node) -> (u32, Option<u32>) {
    match node {
        Node::Char(_) | Node::Class(_) => (1, Some(1)),
        Node::Empty | Node::Assert(_) | Node::LookAhead { .. } | Node::LookBehind { .. } => (0, Some(0)),
        Node::BackReference { .. } => (0, None),
        Node::Group(inner, _) | Node::Atomic(inner) => width(inner),
        Node::Sequence(items) => items.iter().map(width).fold((0, Some(0)), |(min, max), item| {
            (item.0.saturating_add(min), max.zip(item.1).map(|(max, more)| max.saturating_add(more)))
        }),
        Node::Alternatives(items) => {
            let widths = || items.iter().map(width);
            let max = widths().try_fold(0, |max, item| item.1.map(|more| more.max(max)));
            (widths().map(|item| item.0).min().unwrap_or(0), max)
        }
        Node::Repeat { node, min, max, .. } => {
            let inner = width(node);
            let least = inner.0.saturating_mul(*min);
            let is_loop = *max != Some(1) && matches!(**node, Node::Group(..)) && !is_deterministic(node);
            let most = match (inner.1, max) {
                _ if is_loop => None,
                (Some(most), Some(max)) => Some(most.saturating_mul(*max)),
                // Java counts what is not bounded as 2^31 - 1 rounds, which overflow when they take more than one.
                (Some(most), None) if most <= 1 => Some(most * i32::MAX as u32),
                _ => None,
            };
            (least, most)
        }
    }
}

/// Whether Java sees that `node` can match in one way only.
fn is_deterministic(node: &Node) -> bool {
    match node {
        Node::Alternatives(_) => false,
        Node::Group(inner, _) | Node::Atomic(inner) => is_deterministic(inner),
        Node::Sequence(items) => items.iter().all(is_deterministic),
        Node::Repeat { node, min, max, .. } => *max == Some(*min) && is_deterministic(node),
        _ => true,
    }
}

/// Whether an assertion of the pattern says so.
pub(super) fn has_assertion(node: &Node, wanted: &dyn Fn(Assertion) -> bool) -> bool {
    match node {
        Node::Assert(assertion) => wanted(*assertion),
        Node::Group(node, _) | Node::Atomic(node) => has_assertion(node, wanted),
        Node::Repeat { node, .. } | Node::LookAhead { node, .. } | Node::LookBehind { node, .. } => {
            has_assertion(node, wanted)
        }
        Node::Sequence(items) | Node::Alternatives(items) => {
            items.iter().any(|item| has_assertion(item, wanted))
        }
        _ => false,
    }
}
