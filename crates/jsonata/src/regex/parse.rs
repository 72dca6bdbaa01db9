//! Patterns to trees, by the grammar of ECMAScript with its annex B (what browsers accept).

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) root: Node,
    /// Capturing groups, the whole match not counted.
    pub(super) groups: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Empty,
    Char(char),
    Any,
    Class(Class),
    Start,
    End,
    WordBoundary {
        negated: bool,
    },
    /// A group; `Some` number when it captures.
    Group(Box<Node>, Option<usize>),
    Sequence(Vec<Node>),
    Alternatives(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        greedy: bool,
        groups: (usize, usize),
    },
    Look {
        node: Box<Node>,
        behind: bool,
        negated: bool,
    },
    BackReference(usize),
}

/// A set of characters.
#[derive(Debug, Clone, Default)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) ranges: Vec<(char, char)>,
}

const NESTING_MAX: usize = 100;

pub(super) fn parse(pattern: &str) -> Result<Pattern, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let (total, names) = count_groups(&chars)?;
    let mut parser = Parser { chars, at: 0, groups: 0, total, names, nesting: 0 };
    let root = parser.alternatives()?;
    if parser.at < parser.chars.len() {
        return Err("Unmatched ')'".to_owned());
    }
    Ok(Pattern { root, groups: parser.groups })
}

/// Capturing groups and their names, seen before the parse because references may come first.
fn count_groups(chars: &[char]) -> Result<(usize, Vec<(String, usize)>), String> {
    let (mut total, mut names, mut in_class, mut at) = (0, Vec::new(), false, 0);
    while let Some(char) = chars.get(at) {
        match char {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let named = chars.get(at + 1) == Some(&'?')
                    && chars.get(at + 2) == Some(&'<')
                    && !matches!(chars.get(at + 3), Some('=' | '!'));
                if named {
                    let name: String =
                        chars.get(at + 3..).unwrap_or_default().iter().take_while(|c| **c != '>').collect();
                    if names.iter().any(|(existing, _)| *existing == name) {
                        return Err("Duplicate capture group name".to_owned());
                    }
                    names.push((name, total + 1));
                }
                if named || chars.get(at + 1) != Some(&'?') {
                    total += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    Ok((total, names))
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    groups: usize,
    total: usize,
    names: Vec<(String, usize)>,
    nesting: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let matches =
            text.chars().enumerate().all(|(ahead, char)| self.chars.get(self.at + ahead) == Some(&char));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            return Err("Regular expression too large".to_owned());
        }
        let mut branches = vec![self.sequence()?];
        while self.eat("|") {
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
            let first_group = self.groups;
            let (node, repeatable) = self.term()?;
            items.push(self.quantified(node, repeatable, first_group)?);
        }
        Ok(match items.len() {
            0 => Node::Empty,
            1 => items.remove(0),
            _ => Node::Sequence(items),
        })
    }

    fn quantified(&mut self, node: Node, repeatable: bool, first_group: usize) -> Result<Node, String> {
        let Some((min, max)) = self.quantifier()? else { return Ok(node) };
        if !repeatable {
            return Err("Nothing to repeat".to_owned());
        }
        let greedy = !self.eat("?");
        Ok(Node::Repeat { node: Box::new(node), min, max, greedy, groups: (first_group, self.groups) })
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let bounds = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.braces(),
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(bounds))
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else is no quantifier but text.
    fn braces(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let start = self.at;
        self.at += 1;
        let bounds = self.number().and_then(|min| {
            if self.eat("}") {
                return Some((min, Some(min)));
            }
            if !self.eat(",") {
                return None;
            }
            let max = self.number();
            self.eat("}").then_some((min, max))
        });
        match bounds {
            Some((min, Some(max))) if max < min => Err("numbers out of order in {} quantifier".to_owned()),
            Some(bounds) => Ok(Some(bounds)),
            None => {
                self.at = start;
                Ok(None)
            }
        }
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.at;
        let mut number = 0u32;
        while let Some(digit) = self.peek().and_then(|char| char.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit);
            self.at += 1;
        }
        (self.at > start).then_some(number)
    }

    /// One term, and whether it may be repeated.
    fn term(&mut self) -> Result<(Node, bool), String> {
        let Some(char) = self.peek() else { return Ok((Node::Empty, false)) };
        self.at += 1;
        Ok(match char {
            '^' => (Node::Start, false),
            '$' => (Node::End, false),
            '.' => (Node::Any, true),
            '(' => return self.group(),
            '[' => (Node::Class(self.class()?), true),
            '\\' => return self.escape(),
            '*' | '+' | '?' => return Err("Nothing to repeat".to_owned()),
            '{' => {
                self.at -= 1;
                if self.braces()?.is_some() {
                    return Err("Nothing to repeat".to_owned());
                }
                self.at += 1;
                (Node::Char('{'), true)
            }
            _ => (Node::Char(char), true),
        })
    }

    fn group(&mut self) -> Result<(Node, bool), String> {
        let looks = [("?=", false, false), ("?!", false, true), ("?<=", true, false), ("?<!", true, true)];
        for (opening, behind, negated) in looks {
            if self.eat(opening) {
                let node = Box::new(self.alternatives()?);
                self.close()?;
                return Ok((Node::Look { node, behind, negated }, !behind));
            }
        }
        let number = if self.eat("?:") {
            None
        } else if self.eat("?<") {
            self.group_name()?;
            self.groups += 1;
            Some(self.groups)
        } else if self.peek() == Some('?') {
            return Err("Invalid group".to_owned());
        } else {
            self.groups += 1;
            Some(self.groups)
        };
        let node = Box::new(self.alternatives()?);
        self.close()?;
        Ok((Node::Group(node, number), true))
    }

    fn close(&mut self) -> Result<(), String> {
        if self.eat(")") { Ok(()) } else { Err("Unterminated group".to_owned()) }
    }

    fn group_name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        while let Some(char) = self.peek() {
            self.at += 1;
            match char {
                '>' if !name.is_empty() => return Ok(name),
                '_' | '$' => name.push(char),
                _ if char.is_alphabetic() || (char.is_numeric() && !name.is_empty()) => name.push(char),
                _ => break,
            }
        }
        Err("Invalid capture group name".to_owned())
    }

    fn escape(&mut self) -> Result<(Node, bool), String> {
        let Some(char) = self.peek() else { return Err("\\ at end of pattern".to_owned()) };
        match char {
            'b' | 'B' => {
                self.at += 1;
                return Ok((Node::WordBoundary { negated: char == 'B' }, false));
            }
            '1'..='9' => {
                let start = self.at;
                match self.number() {
                    Some(number) if number as usize <= self.total => {
                        return Ok((Node::BackReference(number as usize), true));
                    }
                    _ => self.at = start,
                }
            }
            'k' if !self.names.is_empty() => {
                self.at += 1;
                if !self.eat("<") {
                    return Err("Invalid named reference".to_owned());
                }
                let name = self.group_name().map_err(|_| "Invalid named reference".to_owned())?;
                let group = self.names.iter().find(|(candidate, _)| *candidate == name);
                return match group {
                    Some((_, number)) => Ok((Node::BackReference(*number), true)),
                    None => Err("Invalid named capture referenced".to_owned()),
                };
            }
            _ => {}
        }
        let mut class = Class::default();
        if self.class_escape(&mut class) {
            return Ok((Node::Class(class), true));
        }
        Ok((Node::Char(self.char_escape(false)), true))
    }

    /// `\d` and its kin, added to `class`.
    fn class_escape(&mut self, class: &mut Class) -> bool {
        let Some(char) = self.peek() else { return false };
        let ranges: &[(char, char)] = match char.to_ascii_lowercase() {
            'd' => &[('0', '9')],
            'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            's' => &SPACES,
            _ => return false,
        };
        self.at += 1;
        if char.is_ascii_lowercase() {
            class.ranges.extend_from_slice(ranges);
        } else {
            class.ranges.extend(complement(ranges));
        }
        true
    }

    /// An escape that stands for one character; the parser stands behind the backslash.
    fn char_escape(&mut self, in_class: bool) -> char {
        let Some(char) = self.peek() else { return '\\' };
        self.at += 1;
        match char {
            'b' if in_class => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0'..='7' => self.octal(char),
            'x' => self.hex(2).unwrap_or('x'),
            'u' => self.hex(4).unwrap_or('u'),
            'c' => match self.peek() {
                Some(letter)
                    if letter.is_ascii_alphabetic()
                        || (in_class && (letter.is_ascii_digit() || letter == '_')) =>
                {
                    self.at += 1;
                    char::from(letter as u8 % 32)
                }
                _ => {
                    // Not a control character: the backslash stands for itself.
                    self.at -= 1;
                    '\\'
                }
            },
            _ => char,
        }
    }

    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            match self.peek().and_then(|char| char.to_digit(8)) {
                Some(digit) if code * 8 + digit <= 0o377 => {
                    code = code * 8 + digit;
                    self.at += 1;
                }
                _ => break,
            }
        }
        char::from_u32(code).unwrap_or_default()
    }

    fn hex(&mut self, length: usize) -> Option<char> {
        let unit = self.hex_at(self.at, length)?;
        self.at += length;
        let is_high = (0xD800..0xDC00).contains(&unit);
        if is_high
            && self.chars.get(self.at..self.at + 2) == Some(&['\\', 'u'])
            && let Some(low) = self.hex_at(self.at + 2, 4).filter(|low| (0xDC00..0xE000).contains(low))
        {
            self.at += 6;
            return char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
        }
        // Half of a surrogate pair never occurs in a text; the replacement character all but never.
        Some(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex_at(&self, at: usize, length: usize) -> Option<u32> {
        let digits = self.chars.get(at..at + length)?;
        digits.iter().try_fold(0, |code, char| Some(code * 16 + char.to_digit(16)?))
    }

    fn class(&mut self) -> Result<Class, String> {
        let mut class = Class { negated: self.eat("^"), ..Class::default() };
        loop {
            match self.peek() {
                None => return Err("Unterminated character class".to_owned()),
                Some(']') => {
                    self.at += 1;
                    return Ok(class);
                }
                Some(_) => self.class_range(&mut class)?,
            }
        }
    }

    fn class_range(&mut self, class: &mut Class) -> Result<(), String> {
        let Some(low) = self.class_atom(class)? else {
            // After `\d` a hyphen is a hyphen.
            return Ok(());
        };
        let is_range = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some(']'));
        if !is_range {
            class.add(low, low);
            return Ok(());
        }
        self.at += 1;
        match self.class_atom(class)? {
            Some(high) if high < low => Err("Range out of order in character class".to_owned()),
            Some(high) => {
                class.add(low, high);
                Ok(())
            }
            None => {
                class.add(low, low);
                class.add('-', '-');
                Ok(())
            }
        }
    }

    /// One character of a class; `None` when it was a set, which has been added.
    fn class_atom(&mut self, class: &mut Class) -> Result<Option<char>, String> {
        let Some(char) = self.peek() else { return Err("Unterminated character class".to_owned()) };
        self.at += 1;
        if char != '\\' {
            return Ok(Some(char));
        }
        if self.peek().is_none() {
            return Err("\\ at end of pattern".to_owned());
        }
        if self.class_escape(class) {
            return Ok(None);
        }
        Ok(Some(self.char_escape(true)))
    }
}

impl Class {
    fn add(&mut self, low: char, high: char) {
        self.ranges.push((low, high));
    }

    /// Whether `char` is in the set, the negation not applied.
    pub(super) fn contains(&self, char: char) -> bool {
        self.ranges.iter().any(|(low, high)| *low <= char && char <= *high)
    }
}

/// What Java calls white space: ASCII only.
const SPACES: [(char, char); 2] = [('\t', '\r'), (' ', ' ')];

/// Whether `$` occurs.
pub(super) fn has_end(node: &Node) -> bool {
    match node {
        Node::End => true,
        Node::Group(inner, _) | Node::Repeat { node: inner, .. } | Node::Look { node: inner, .. } => {
            has_end(inner)
        }
        Node::Sequence(items) | Node::Alternatives(items) => items.iter().any(has_end),
        _ => false,
    }
}

fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut out = Vec::with_capacity(ranges.len() + 1);
    let mut from = Some('\0');
    for (low, high) in ranges {
        if let (Some(start), Some(end)) = (from, before(*low))
            && start <= end
        {
            out.push((start, end));
        }
        from = after(*high);
    }
    if let Some(start) = from {
        out.push((start, char::MAX));
    }
    out
}

fn before(char: char) -> Option<char> {
    let code = (char as u32).checked_sub(1)?;
    char::from_u32(if code == 0xDFFF { 0xD7FF } else { code })
}

fn after(char: char) -> Option<char> {
    let code = char as u32 + 1;
    char::from_u32(if code == 0xD800 { 0xE000 } else { code })
}
