//! What follows a backslash.

use super::class::Class;
use super::parse::{Assertion, Node, Parser};
use super::property;

/// The characters of the pattern with `\Q...\E` written as single escapes.
pub(super) fn unquote(pattern: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut quoted = false;
    // A digit that begins a quotation must not belong to the escape before it.
    let mut begins = false;
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('\\', Some('Q')) if !quoted => {
                chars.next();
                (quoted, begins) = (true, true);
                continue;
            }
            ('\\', Some('E')) if quoted => {
                chars.next();
                quoted = false;
            }
            ('\\', Some(next)) if !quoted => {
                out.extend(['\\', *next]);
                chars.next();
            }
            ('0'..='9', _) if quoted && begins => out.extend(['\\', 'x', '3', char]),
            _ if quoted && !char.is_ascii_alphanumeric() => out.extend(['\\', char]),
            _ => out.push(char),
        }
        begins = false;
    }
    out
}

/// What an escape stands for.
pub(super) enum Escape {
    Char(char),
    Class(Class),
}

/// Which class a letter stands for after a backslash; a capital is the complement.
fn class_of(letter: char, unicode: bool) -> Option<Class> {
    let class = match letter.to_ascii_lowercase() {
        'd' if unicode => property::named("Nd"),
        'd' => Class::from_ranges([('0', '9')]),
        'w' if unicode => property::unicode_word(),
        'w' => Class::from_ranges([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        's' if unicode => property::named("White_Space"),
        's' => Class::from_ranges([('\t', '\r'), (' ', ' ')]),
        'h' => Class::from_ranges([
            ('\t', '\t'),
            (' ', ' '),
            ('\u{a0}', '\u{a0}'),
            ('\u{1680}', '\u{1680}'),
            ('\u{180e}', '\u{180e}'),
            ('\u{2000}', '\u{200a}'),
            ('\u{202f}', '\u{202f}'),
            ('\u{205f}', '\u{205f}'),
            ('\u{3000}', '\u{3000}'),
        ]),
        'v' => Class::from_ranges([('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')]),
        _ => return None,
    };
    Some(if letter.is_ascii_lowercase() { class } else { class.negated() })
}

impl Parser {
    /// An escape outside of classes.
    pub(super) fn escape(&mut self) -> Result<Node, String> {
        let Some(char) = self.ahead(0) else { return Err("Unescaped trailing backslash".to_owned()) };
        let unix = self.flags.unix_lines;
        let assertion = match char {
            'A' => Assertion::TextStart,
            'z' => Assertion::TextEnd,
            'Z' => Assertion::FinalEnd { unix },
            'G' => Assertion::SearchStart,
            'b' | 'B' => Assertion::WordBoundary { negated: char == 'B' },
            'R' => {
                self.at += 1;
                let one = self.class_node(class_of('v', false).unwrap_or_default())?;
                let pair = Node::Sequence(vec![Node::Char('\r'), Node::Char('\n')]);
                return Ok(Node::Alternatives(vec![pair, one]));
            }
            '1'..='9' => return Ok(self.numbered_reference()),
            'k' => {
                self.at += 1;
                return self.named_reference();
            }
            _ => {
                return match self.char_or_class(false)? {
                    Escape::Char(char) => self.literal(char),
                    Escape::Class(class) => self.class_node(class),
                };
            }
        };
        self.at += 1;
        if char == 'b' && self.ahead(0) == Some('{') && self.ahead(1) == Some('g') {
            return Err("\\b{g} is not supported here".to_owned());
        }
        Ok(Node::Assert(assertion))
    }

    /// As many digits as name a group that has been opened, but at least one.
    fn numbered_reference(&mut self) -> Node {
        let mut group = 0;
        while let Some(digit) = self.ahead(0).and_then(|char| char.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if group > 0 && longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        Node::BackReference { group, fold: self.flags.fold() }
    }

    fn named_reference(&mut self) -> Result<Node, String> {
        if self.next() != Some('<') {
            return Err("\\k is not followed by '<' for named capturing group".to_owned());
        }
        let name = self.group_name()?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, group)) => Ok(Node::BackReference { group: *group, fold: self.flags.fold() }),
            None => Err(format!("named capturing group <{name}> does not exist")),
        }
    }

    /// An escape for characters; the parser stands behind the backslash. `range`: it is an end of a range.
    pub(super) fn char_or_class(&mut self, range: bool) -> Result<Escape, String> {
        let Some(char) = self.next() else { return Err("Unescaped trailing backslash".to_owned()) };
        if char == 'v' && range {
            return Ok(Escape::Char('\u{b}'));
        }
        if let Some(class) = class_of(char, self.flags.unicode_classes) {
            return Ok(Escape::Class(class));
        }
        Ok(Escape::Char(match char {
            'p' | 'P' => {
                let class = self.property()?;
                return Ok(Escape::Class(if char == 'P' { class.negated() } else { class }));
            }
            'a' => '\u{7}',
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => self.octal()?,
            'x' => self.hexadecimal()?,
            'u' => self.unicode()?,
            'c' => {
                let char = self.next().ok_or("Illegal control escape sequence")?;
                char::from_u32(char as u32 ^ 64).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            'X' | 'N' => return Err(format!("\\{char} is not supported here")),
            _ if char.is_ascii_alphanumeric() => {
                return Err("Illegal/unsupported escape sequence".to_owned());
            }
            _ => char,
        }))
    }

    /// `\p{Name}` or `\pL`; the parser stands behind the letter.
    fn property(&mut self) -> Result<Class, String> {
        let mut name = String::new();
        match self.next() {
            Some('{') => loop {
                match self.next() {
                    None => return Err("Unclosed character family".to_owned()),
                    Some('}') => break,
                    Some(char) => name.push(char),
                }
            },
            Some(char) => name.push(char),
            None => return Err("Unknown character property name".to_owned()),
        }
        if name.is_empty() {
            return Err("Empty character family".to_owned());
        }
        let class = property::class(&name, self.flags)?;
        self.count(class.len())?;
        Ok(class)
    }

    fn octal(&mut self) -> Result<char, String> {
        let digit = |parser: &mut Parser| {
            let digit = parser.ahead(0).and_then(|char| char.to_digit(8))?;
            parser.at += 1;
            Some(digit)
        };
        let mut code = digit(self).ok_or("Illegal octal escape sequence")?;
        if let Some(second) = digit(self) {
            code = code * 8 + second;
            if code < 32
                && let Some(third) = digit(self)
            {
                code = code * 8 + third;
            }
        }
        Ok(char::from_u32(code).unwrap_or_default())
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        const ILLEGAL: &str = "Illegal hexadecimal escape sequence";
        if self.ahead(0) != Some('{') {
            let code = self.hex_at(self.at, 2).ok_or(ILLEGAL)?;
            self.at += 2;
            return Ok(char::from_u32(code).unwrap_or_default());
        }
        self.at += 1;
        let (start, mut code) = (self.at, 0u32);
        while let Some(digit) = self.ahead(0).and_then(|char| char.to_digit(16)) {
            code = code * 16 + digit;
            if code > char::MAX as u32 {
                return Err("Hexadecimal codepoint is too big".to_owned());
            }
            self.at += 1;
        }
        if self.at == start || self.next() != Some('}') {
            return Err("Unclosed hexadecimal escape sequence".to_owned());
        }
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unicode(&mut self) -> Result<char, String> {
        let unit = self.hex_at(self.at, 4).ok_or("Illegal Unicode escape sequence")?;
        self.at += 4;
        let is_high = (0xD800..0xDC00).contains(&unit);
        if is_high
            && self.chars.get(self.at..self.at + 2) == Some(&['\\', 'u'])
            && let Some(low) = self.hex_at(self.at + 2, 4).filter(|low| (0xDC00..0xE000).contains(low))
        {
            self.at += 6;
            return Ok(char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)).unwrap_or_default());
        }
        // Half of a surrogate pair never occurs in a text; the replacement character all but never.
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex_at(&self, at: usize, length: usize) -> Option<u32> {
        let digits = self.chars.get(at..at + length)?;
        digits.iter().try_fold(0, |code, char| Some(code * 16 + char.to_digit(16)?))
    }
}
