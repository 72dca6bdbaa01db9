//! What AWS says about text that is not JSON.
//!
//! AWS reads definitions with Jackson and passes its sentences on, the excerpt of the text and the place included. This
//! walks a text that is known to be broken, the way Jackson walks it, up to the first fault. It makes no values.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::Span;

/// Jackson shows so many characters of the text.
const EXCERPT_CHARS: usize = 500;
/// It shows so many characters of a token it does not know.
const TOKEN_CHARS: usize = 256;
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// The finding for `text`, in which a reader stumbled at byte `offset`.
pub(crate) fn diagnose(text: &str, offset: usize) -> Diagnostic {
    let mut walk = Walk { text, at: 0, open: Vec::new() };
    // Jackson stops behind the first value; what follows it is ours to refuse.
    let fault = match walk.document() {
        Err(fault) => fault,
        Ok(()) => Fault {
            message: "Unexpected content behind the definition".to_owned(),
            at: offset.min(text.len()),
            token: offset.min(text.len()),
        },
    };
    let location = walk.source(fault.at);
    let start = floor_boundary(text, fault.token);
    let end = ceil_boundary(text, fault.at.max(start + 1));
    Diagnostic::new(
        &codes::NOT_JSON,
        format!("{}\n at {location}", fault.message),
        location,
        Span::new(start, end),
    )
}

struct Fault {
    message: String,
    /// Where Jackson stands when it gives up: behind what it read last.
    at: usize,
    /// Where the offending token starts.
    token: usize,
}

struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// The objects and arrays that are open: the closing character, and where they start.
    open: Vec<(char, usize)>,
}

impl Walk<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        self.value()?;
        while let Some((close, _)) = self.open.last().copied() {
            match self.next()? {
                found if found == close => {
                    self.open.pop();
                }
                ',' => self.entry(close)?,
                found @ ('}' | ']') => return Err(self.mismatch(found)),
                found => {
                    let kind = container(close);
                    return Err(
                        self.unexpected(found, &format!("was expecting comma to separate {kind} entries"))
                    );
                }
            }
        }
        Ok(())
    }

    /// A member of an object, or an item of an array.
    fn entry(&mut self, close: char) -> Result<(), Fault> {
        if close == '}' {
            let quote = self.next()?;
            self.member(quote)
        } else {
            self.value()
        }
    }

    fn member(&mut self, quote: char) -> Result<(), Fault> {
        match quote {
            '"' => self.string("in field name")?,
            ']' => return Err(self.mismatch(']')),
            found => return Err(self.unexpected(found, "was expecting double-quote to start field name")),
        }
        match self.skip_space() {
            Some(':') => self.value(),
            Some(found) => {
                Err(self.unexpected(found, "was expecting a colon to separate field name and value"))
            }
            None => Err(self.end("within/between Object entries")),
        }
    }

    fn value(&mut self) -> Result<(), Fault> {
        let start = match self.skip_space() {
            Some(start) => start,
            None if self.open.is_empty() => return Err(self.end("")),
            None => return Err(self.unclosed()),
        };
        match start {
            '{' => self.container('}'),
            '[' => self.container(']'),
            '"' => self.string(": was expecting closing quote for a string value"),
            '-' | '0'..='9' => self.number(start),
            't' => self.word("true"),
            'f' => self.word("false"),
            'n' => self.word("null"),
            ']' if self.open.last().is_some_and(|(close, _)| *close == '}') => Err(self.mismatch(']')),
            '}' if self.open.last().is_some_and(|(close, _)| *close == ']') => Err(self.mismatch('}')),
            found if found.is_alphabetic() || found == '_' || found == '$' => {
                Err(self.unknown_token(self.at - found.len_utf8()))
            }
            found => Err(self.unexpected(found, &format!("expected a valid value {VALUES}"))),
        }
    }

    /// Behind `{` or `[`: reads up to the first entry, or closes at once.
    fn container(&mut self, close: char) -> Result<(), Fault> {
        self.open.push((close, self.at - 1));
        match self.peek_token() {
            Some(found) if found == close => Ok(()),
            Some(_) => self.entry(close),
            None => Err(self.unclosed()),
        }
    }

    fn string(&mut self, at_end: &str) -> Result<(), Fault> {
        while let Some(found) = self.bump() {
            match found {
                '"' => return Ok(()),
                '\\' => self.escape()?,
                '\0'..='\u{1f}' => {
                    let message = format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be \
                         included in string value",
                        found as u32
                    );
                    return Err(self.fault(message, self.at - 1));
                }
                _ => {}
            }
        }
        Err(self.end(at_end))
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.bump() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => Ok(()),
            Some('u') => {
                for _ in 0..4 {
                    match self.bump() {
                        Some(digit) if digit.is_ascii_hexdigit() => {}
                        Some(found) => {
                            return Err(
                                self.unexpected(found, "expected a hex-digit for character escape sequence")
                            );
                        }
                        None => return Err(self.end("in character escape sequence")),
                    }
                }
                Ok(())
            }
            Some(found) => {
                let message = format!("Unrecognized character escape {}", described(found));
                Err(self.fault(message, self.at - found.len_utf8()))
            }
            None => Err(self.end("in character escape sequence")),
        }
    }

    fn number(&mut self, first: char) -> Result<(), Fault> {
        let start = self.at - 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))).unwrap_or(rest.len());
        let token = rest.get(..length).unwrap_or_default();
        self.at = start + length;
        if stepwright_value::Number::parse(token).is_some() {
            return Ok(());
        }
        let digits = token.strip_prefix('-').unwrap_or(token);
        let message = if digits.len() > 1 && digits.starts_with('0') {
            "Invalid numeric value: Leading zeroes not allowed".to_owned()
        } else {
            let after = if first == '-' {
                "expected digit (0-9) to follow minus sign, for valid numeric value"
            } else {
                "Decimal point not followed by a digit"
            };
            format!("Unexpected character in numeric value: {after}")
        };
        Err(self.fault(message, start))
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        let start = self.at - 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let ends =
            rest.get(word.len()..).and_then(|after| after.chars().next()).is_none_or(|c| !is_identifier(c));
        if rest.starts_with(word) && ends {
            self.at = start + word.len();
            return Ok(());
        }
        Err(self.unknown_token(start))
    }

    fn unknown_token(&mut self, start: usize) -> Fault {
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| !is_identifier(c)).unwrap_or(rest.len());
        let token = rest.get(..length).unwrap_or_default();
        let mut shown: String = token.chars().take(TOKEN_CHARS).collect();
        self.at = start + shown.len();
        if shown.len() < token.len() {
            shown.push_str("...");
        }
        self.fault(format!("Unrecognized token '{shown}': was expecting {VALUES}"), start)
    }

    fn unexpected(&self, found: char, expected: &str) -> Fault {
        self.fault(
            format!("Unexpected character ({}): {expected}", described(found)),
            self.at.saturating_sub(found.len_utf8()),
        )
    }

    fn mismatch(&self, found: char) -> Fault {
        let (close, start) = self.open.last().copied().unwrap_or(('}', 0));
        let message = format!(
            "Unexpected close marker '{found}': expected '{close}' (for {} starting at {})",
            container(close),
            self.source(start)
        );
        self.fault(message, self.at.saturating_sub(1))
    }

    fn unclosed(&self) -> Fault {
        let (close, start) = self.open.last().copied().unwrap_or(('}', 0));
        let marker = self.source(start);
        self.end(&format!(": expected close marker for {} (start marker at {marker})", container(close)))
    }

    fn end(&self, how: &str) -> Fault {
        let space = if how.is_empty() || how.starts_with(':') { "" } else { " " };
        self.fault(format!("Unexpected end-of-input{space}{how}"), self.text.len())
    }

    fn fault(&self, message: String, token: usize) -> Fault {
        Fault { message, at: self.at, token }
    }

    /// The next character that is not white space.
    fn next(&mut self) -> Result<char, Fault> {
        self.skip_space().ok_or_else(|| self.unclosed())
    }

    fn skip_space(&mut self) -> Option<char> {
        loop {
            match self.bump()? {
                ' ' | '\t' | '\r' | '\n' => {}
                found => return Some(found),
            }
        }
    }

    fn peek_token(&mut self) -> Option<char> {
        let found = self.skip_space()?;
        self.at -= found.len_utf8();
        Some(found)
    }

    fn bump(&mut self) -> Option<char> {
        let found = self.text.get(self.at..)?.chars().next()?;
        self.at += found.len_utf8();
        Some(found)
    }

    /// `[Source: (String)"…"; line: 1, column: 4]`.
    fn source(&self, at: usize) -> String {
        let chars = self.text.chars().count();
        let excerpt: String = self.text.chars().take(EXCERPT_CHARS).collect();
        let truncated = match chars.saturating_sub(EXCERPT_CHARS) {
            0 => String::new(),
            left => format!("[truncated {left} chars]"),
        };
        let before = self.text.get(..floor_boundary(self.text, at)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        format!("[Source: (String)\"{excerpt}\"{truncated}; line: {line}, column: {column}]")
    }
}

fn container(close: char) -> &'static str {
    if close == '}' { "Object" } else { "Array" }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// `'}' (code 125)`, as Jackson names a character.
fn described(c: char) -> String {
    match c as u32 {
        code @ 0..=0x1f => format!("(CTRL-CHAR, code {code})"),
        code @ 0x100.. => format!("'{c}' (code {code} / 0x{code:x})"),
        code => format!("'{c}' (code {code})"),
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil_boundary(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        diagnose(text, 0).message.replace(&format!("(String)\"{text}\""), "(..)")
    }

    #[test]
    fn as_jackson_says_it() {
        let cases = [
            (
                "not a definition",
                "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', \
                 'true' or 'false')\n at [Source: (..); line: 1, column: 4]",
            ),
            (
                r#"{"a":1,}"#,
                "Unexpected character ('}' (code 125)): was expecting double-quote to start field name\n at \
                 [Source: (..); line: 1, column: 9]",
            ),
            (
                r#"{"a" 1}"#,
                "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value\n at \
                 [Source: (..); line: 1, column: 7]",
            ),
            (
                r#"{"a":[1 2]}"#,
                "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries\n at [Source: \
                 (..); line: 1, column: 10]",
            ),
            (
                r#"{"a":1"#,
                "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (..); line: 1, \
                 column: 1])\n at [Source: (..); line: 1, column: 7]",
            ),
            (
                "{\"a\":\n \"b}",
                "Unexpected end-of-input: was expecting closing quote for a string value\n at [Source: (..); line: \
                 2, column: 5]",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(message(text), expected, "{text}");
        }
    }

    #[test]
    fn any_text_has_a_finding() {
        for text in
            ["", "é", "{\"\\u12", "[\"\u{1}\"]", "{]", "[}", "-", "01", "1.", "{\"a\":1}}", "\u{feff}{}"]
        {
            let diagnostic = diagnose(text, text.len());
            assert!(
                text.get(diagnostic.span.clone()).is_some() || diagnostic.span.end > text.len(),
                "{text:?}"
            );
        }
    }
}
