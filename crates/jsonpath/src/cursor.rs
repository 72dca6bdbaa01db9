//! A place in a text that is being parsed.

use thiserror::Error;

/// Why a path, an intrinsic call or a filter is not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at position {position}")]
pub struct SyntaxError {
    /// Byte offset in the text, from 0.
    pub position: usize,
    /// What is wrong, without the place.
    pub message: String,
}

/// Reads a text character by character.
pub(crate) struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) fn new(text: &'t str) -> Cursor<'t> {
        Cursor { text, at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text read since `from`, which must be an earlier [`Cursor::position`].
    pub(crate) fn since(&self, from: usize) -> &'t str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The text from one position to another.
    pub(crate) fn between(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Steps over `expected` when it comes next.
    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.take_while(|next| next.is_ascii_whitespace());
    }

    pub(crate) fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|next| !accept(next)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Steps over `expected`, or says that it is missing.
    pub(crate) fn expect(&mut self, expected: &str) -> Result<(), SyntaxError> {
        if self.eat(expected) { Ok(()) } else { Err(self.error(format!("'{expected}' expected"))) }
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError { position: self.at, message: message.into() }
    }

    /// A string in the quotes that come next. A backslash escapes these quotes; before all else it stands for itself, as
    /// AWS has it.
    pub(crate) fn quoted(&mut self) -> Result<String, SyntaxError> {
        let from = self.at;
        let Some(quote @ ('\'' | '"')) = self.next() else {
            return Err(self.error("a quoted string expected"));
        };
        let mut out = String::new();
        loop {
            match self.next() {
                Some('\\') if self.peek() == Some(quote) => out.extend(self.next()),
                Some(next) if next == quote => return Ok(out),
                Some(next) => out.push(next),
                None => return Err(SyntaxError { position: from, message: "quote is not closed".into() }),
            }
        }
    }

    /// The text of a JSON number that comes next; empty when none does.
    pub(crate) fn number_text(&mut self) -> &'t str {
        self.take_while(|next| next.is_ascii_digit() || matches!(next, '-' | '+' | '.' | 'e' | 'E'))
    }
}
