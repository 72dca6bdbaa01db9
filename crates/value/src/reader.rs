//! JSON text to values.

use jiter::{Jiter, JiterError, Peek};
use thiserror::Error;

use crate::{Array, Number, Object, Value};

/// Deepest nesting that is read. Deeper text is refused rather than risking the stack; AWS's own limit for payloads is
/// not documented.
pub const DEPTH_MAX: usize = 512;

/// Deepest nesting of what is read back from the store.
const STORED_DEPTH_MAX: usize = 2 * DEPTH_MAX;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message} at line {line}, column {column}")]
pub struct ReadError {
    /// What is wrong, without the place.
    pub message: String,
    /// Counted from 1.
    pub line: usize,
    /// In bytes, counted from 1.
    pub column: usize,
    /// Byte offset in the text.
    pub offset: usize,
}

/// Reads one JSON value that fills the whole text.
pub fn read(text: &str) -> Result<Value, ReadError> {
    read_bytes(text.as_bytes())
}

/// As [`read`], for bytes that may not be UTF-8.
pub fn read_bytes(bytes: &[u8]) -> Result<Value, ReadError> {
    read_nested(bytes, DEPTH_MAX)
}

/// As [`read`], for text that this project wrote: a payload of the greatest depth may have been put into a template.
pub(crate) fn read_stored(text: &str) -> Result<Value, ReadError> {
    read_nested(text.as_bytes(), STORED_DEPTH_MAX)
}

fn read_nested(bytes: &[u8], depth_max: usize) -> Result<Value, ReadError> {
    let mut reader = Reader { jiter: Jiter::new(bytes), bytes, depth_max };
    let peek = reader.jiter.peek().map_err(|error| reader.error(error))?;
    let value = reader.value(peek, 0)?;
    reader.jiter.finish().map_err(|error| reader.error(error))?;
    Ok(value)
}

struct Reader<'j> {
    jiter: Jiter<'j>,
    bytes: &'j [u8],
    depth_max: usize,
}

impl<'j> Reader<'j> {
    fn value(&mut self, peek: Peek, depth: usize) -> Result<Value, ReadError> {
        if depth > self.depth_max {
            let message = format!("nested deeper than {} levels", self.depth_max);
            return Err(self.at(self.jiter.current_index(), message));
        }
        match peek {
            Peek::Null => {
                self.jiter.known_null().map_err(|error| self.error(error))?;
                Ok(Value::Null)
            }
            Peek::True | Peek::False => {
                Ok(Value::Bool(self.jiter.known_bool(peek).map_err(|error| self.error(error))?))
            }
            Peek::String => {
                let text = match self.jiter.known_str() {
                    Ok(text) => Value::String(text.into()),
                    Err(error) => return Err(self.error(error)),
                };
                Ok(text)
            }
            Peek::Array => self.array(depth),
            Peek::Object => self.object(depth),
            _ => self.number(peek),
        }
    }

    fn number(&mut self, peek: Peek) -> Result<Value, ReadError> {
        let start = self.jiter.current_index();
        let number = match self.jiter.known_number_bytes(peek) {
            // jiter knows NaN and Infinity, JSON does not.
            Ok(bytes) if bytes.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) => {
                std::str::from_utf8(bytes).ok().map(Number::from_json_text)
            }
            Ok(_) => None,
            Err(error) => return Err(self.error(error)),
        };
        match number {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.at(start, "expected value".to_owned())),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|error| self.error(error))?;
        while let Some(peek) = next {
            items.push(self.value(peek, depth + 1)?);
            next = self.jiter.array_step().map_err(|error| self.error(error))?;
        }
        Ok(Value::Array(Array::new(items)))
    }

    fn object(&mut self, depth: usize) -> Result<Value, ReadError> {
        let mut object = Object::new();
        let mut key: Option<std::sync::Arc<str>> = match self.jiter.known_object() {
            Ok(key) => key.map(Into::into),
            Err(error) => return Err(self.error(error)),
        };
        while let Some(name) = key {
            let peek = self.jiter.peek().map_err(|error| self.error(error))?;
            let value = self.value(peek, depth + 1)?;
            object.insert(name, value);
            key = match self.jiter.next_key() {
                Ok(key) => key.map(Into::into),
                Err(error) => return Err(self.error(error)),
            };
        }
        Ok(Value::Object(object))
    }

    fn error(&self, error: JiterError) -> ReadError {
        self.at(error.index, error.error_type.to_string())
    }

    fn at(&self, offset: usize, message: String) -> ReadError {
        let offset = offset.min(self.bytes.len());
        let before = &self.bytes[..offset];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column =
            1 + offset - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        ReadError { message, line, column, offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_back() {
        let text = r#" {"b": [1, 2.0, -3e4, "x\u00e9\ud83d\ude00"], "a": null, "b2": {"": true}} "#;
        assert_eq!(
            read(text).expect("valid").to_json(),
            r#"{"b":[1,2.0,-3e4,"xé😀"],"a":null,"b2":{"":true}}"#
        );
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":}",
            "nul",
            "1 2",
            "NaN",
            "[Infinity]",
            "-",
            "'a'",
            "\"\u{1}\"",
            "{a:1}",
        ] {
            assert!(read(text).is_err(), "{text:?} was read");
        }
        assert!(read_bytes(b"\"\xff\"").is_err());
        let error = read("{\n  \"a\": x}").expect_err("invalid");
        assert_eq!((error.line, error.column), (2, 8));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(100_000)).is_err());
        let value = read(&nested(7)).expect("valid");
        assert!(value.is_deeper_than(6) && !value.is_deeper_than(7));
    }
}
