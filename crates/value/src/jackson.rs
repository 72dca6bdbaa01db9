//! What AWS says about text that is not JSON.
//!
//! AWS reads JSON with Jackson and passes its sentences on, the place included. This walks a text the way Jackson walks
//! it, up to the first fault or the end of the first value. It makes no values.

/// Jackson shows so many characters of the text.
const EXCERPT_CHARS: usize = 500;
/// It shows so many characters of a token it does not know.
const TOKEN_CHARS: usize = 256;
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// How a place in the text is told; AWS runs two generations of Jackson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// With the beginning of the text, as for definitions.
    Excerpt,
    /// Without it, as in what `States.StringToJson` says. An unexpected character is where it is, not behind that.
    Redacted,
}

/// Why Jackson does not accept a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Jackson's sentence, without the place.
    pub message: String,
    /// Jackson's place: `[Source: …; line: 1, column: 4]`.
    pub place: String,
    /// Where the offending token starts, in bytes.
    pub token: usize,
    /// Where it ends, as far as it was read.
    pub end: usize,
}

/// Walks over the first value in `text`; what follows it is not looked at. Returns where that value ends.
pub fn first_value(text: &str, source: Source) -> Result<usize, Refusal> {
    let mut walk = Walk { text, at: 0, open: Vec::new(), source };
    match walk.document() {
        Ok(()) => Ok(walk.at),
        Err(fault) => Err(Refusal {
            place: walk.place(fault.shown),
            message: fault.message,
            token: floor_boundary(text, fault.token),
            end: ceil_boundary(text, fault.at.max(fault.token + 1)),
        }),
    }
}

/// The place at byte `at` of `text`, as Jackson writes one with an excerpt.
pub fn place(text: &str, at: usize) -> String {
    Walk { text, at, open: Vec::new(), source: Source::Excerpt }.place(at)
}

struct Fault {
    message: String,
    /// Where Jackson stands when it gives up: behind what it read last.
    at: usize,
    /// The place that it tells.
    shown: usize,
    /// Where the offending token starts.
    token: usize,
}

struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// The objects and arrays that are open: the closing character, and where they start.
    open: Vec<(char, usize)>,
    source: Source,
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
                    return Err(self.character_fault(message, found));
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
                Err(self.character_fault(message, found))
            }
            None => Err(self.end("in character escape sequence")),
        }
    }

    fn number(&mut self, first: char) -> Result<(), Fault> {
        let start = self.at - 1;
        self.at = start + usize::from(first == '-');
        let minus = "expected digit (0-9) to follow minus sign, for valid numeric value";
        let whole = self.at;
        self.digits(minus)?;
        if self.text.as_bytes().get(whole) == Some(&b'0') && self.at > whole + 1 {
            self.at = whole + 1;
            return Err(self.fault("Invalid numeric value: Leading zeroes not allowed".to_owned(), start));
        }
        if self.eat(".") {
            self.digits("Decimal point not followed by a digit")?;
        }
        if self.eat("e") || self.eat("E") {
            let _sign = self.eat("+") || self.eat("-");
            self.digits("Exponent indicator not followed by a digit")?;
        }
        // At the root a number must end where white space begins.
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(next) if self.open.is_empty() && !matches!(next, ' ' | '\t' | '\r' | '\n') => {
                self.at += next.len_utf8();
                Err(self.unexpected(next, "Expected space separating root-level values"))
            }
            _ => Ok(()),
        }
    }

    /// One digit or more; `without` is what is wrong without one.
    fn digits(&mut self, without: &str) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count > 0 {
            return Ok(());
        }
        match self.bump() {
            Some(found) => {
                let message =
                    format!("Unexpected character ({}) in numeric value: {without}", described(found));
                Err(self.character_fault(message, found))
            }
            None => Err(self.end("in a Number value")),
        }
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(expected));
        self.at += if found { expected.len() } else { 0 };
        found
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
        self.character_fault(format!("Unexpected character ({}): {expected}", described(found)), found)
    }

    fn mismatch(&self, found: char) -> Fault {
        let (close, start) = self.open.last().copied().unwrap_or(('}', 0));
        let message = format!(
            "Unexpected close marker '{found}': expected '{close}' (for {} starting at {})",
            container(close),
            self.place(start)
        );
        self.character_fault(message, found)
    }

    fn unclosed(&self) -> Fault {
        let (close, start) = self.open.last().copied().unwrap_or(('}', 0));
        let marker = self.place(start);
        self.end(&format!(": expected close marker for {} (start marker at {marker})", container(close)))
    }

    fn end(&self, how: &str) -> Fault {
        let space = if how.is_empty() || how.starts_with(':') { "" } else { " " };
        self.fault(format!("Unexpected end-of-input{space}{how}"), self.text.len())
    }

    fn fault(&self, message: String, token: usize) -> Fault {
        Fault { message, at: self.at, shown: self.at, token }
    }

    /// About the character that was read last.
    fn character_fault(&self, message: String, found: char) -> Fault {
        let token = self.at.saturating_sub(found.len_utf8());
        let shown = if self.source == Source::Redacted { token } else { self.at };
        Fault { message, at: self.at, shown, token }
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
    fn place(&self, at: usize) -> String {
        let source = match self.source {
            Source::Excerpt => {
                let excerpt: String = self.text.chars().take(EXCERPT_CHARS).collect();
                let truncated = match self.text.chars().count().saturating_sub(EXCERPT_CHARS) {
                    0 => String::new(),
                    left => format!("[truncated {left} chars]"),
                };
                format!("(String)\"{excerpt}\"{truncated}")
            }
            Source::Redacted => {
                "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)".to_owned()
            }
        };
        let before = self.text.get(..floor_boundary(self.text, at)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        format!("[Source: {source}; line: {line}, column: {column}]")
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
        let refusal = first_value(text, Source::Excerpt).expect_err(text);
        format!("{}\n at {}", refusal.message, refusal.place).replace(&format!("(String)\"{text}\""), "(..)")
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

    /// The newer generation points at an unexpected character, not behind it.
    #[test]
    fn redacted() {
        for (text, expected, column) in [
            (
                "{bad json}",
                "Unexpected character ('b' (code 98)): was expecting double-quote to start field name",
                2,
            ),
            (
                "undefined",
                "Unrecognized token 'undefined': was expecting (JSON String, Number, Array, Object or token \
              'null', 'true' or 'false')",
                10,
            ),
            ("12x", "Unexpected character ('x' (code 120)): Expected space separating root-level values", 3),
            (
                "[1.x]",
                "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit",
                4,
            ),
            (
                "[-]",
                "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to follow minus sign, \
              for valid numeric value",
                3,
            ),
        ] {
            let refusal = first_value(text, Source::Redacted).expect_err(text);
            assert_eq!(refusal.message, expected, "{text}");
            let source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
            assert_eq!(refusal.place, format!("[Source: {source}; line: 1, column: {column}]"), "{text}");
        }
    }

    #[test]
    fn accepts_what_the_reader_accepts() {
        for (text, end) in [("1 x", 1), (" {\"a\":[1,-2.5e+3,null]} tail", 23), ("\"x\"y", 3), ("true]", 4)] {
            assert_eq!(first_value(text, Source::Redacted), Ok(end), "{text}");
            assert!(crate::read(&text[..end]).is_ok(), "{text}");
        }
    }

    #[test]
    fn any_text_has_a_finding() {
        for text in ["", "é", "{\"\\u12", "[\"\u{1}\"]", "{]", "[}", "-", "01", "1.", "1e", "\u{feff}{}"] {
            let refusal = first_value(text, Source::Excerpt).expect_err(text);
            assert!(text.get(refusal.token..refusal.end).is_some() || refusal.end > text.len(), "{text:?}");
        }
    }
}
