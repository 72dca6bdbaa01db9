//! `$string`: JSON text as AWS prints it, and values as error messages show them.

use stepwright_value::write_string_as_javascript;

use super::{Val, decimal_text, number_text};
use crate::fault::Result;

/// Longest value that a message shows, in bytes.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// Appends `value` as JSON text: fractions to 15 digits, functions as empty texts. Only the characters with a short
/// escape are escaped, other control characters stand as they are.
pub(crate) fn stringify(value: &Val<'_>, pretty: bool, out: &mut String) -> Result<()> {
    Writer { pretty, precise: false, bytes_max: usize::MAX }.value(value, 0, out)
}

/// The value as `JSON.stringify` would put it into a message.
pub(crate) fn to_message(value: &Val<'_>) -> String {
    match value {
        Val::Undefined | Val::Function(_) => "undefined".to_owned(),
        _ => {
            let mut out = String::new();
            let writer = Writer { pretty: false, precise: true, bytes_max: MESSAGE_BYTES_MAX };
            // Precise writing refuses nothing.
            let _ = writer.value(value, 0, &mut out);
            out
        }
    }
}

struct Writer {
    pretty: bool,
    /// Numbers in full and nothing refused: the way of messages.
    precise: bool,
    bytes_max: usize,
}

impl Writer {
    fn value(&self, value: &Val<'_>, indent: usize, out: &mut String) -> Result<()> {
        if out.len() > self.bytes_max {
            return Ok(());
        }
        match value {
            Val::Undefined | Val::Null => out.push_str("null"),
            Val::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Val::Int(int) => out.push_str(&int.to_string()),
            Val::Float(number) => self.number(value, *number, out)?,
            Val::Text(text) => self.text(text.as_str(), out),
            Val::Function(_) => out.push_str(if self.precise { "null" } else { "\"\"" }),
            Val::Tuple(tuple) => self.value(&tuple.context, indent, out)?,
            Val::Array(_) | Val::List(_) => self.array(value, indent, out)?,
            Val::Object(_) | Val::Map(_) => self.object(value, indent, out)?,
        }
        Ok(())
    }

    fn number(&self, value: &Val<'_>, number: f64, out: &mut String) -> Result<()> {
        if self.precise {
            out.push_str(&if number.is_finite() { number_text(number) } else { "null".to_owned() });
        } else if value.is_numeric()? {
            out.push_str(&decimal_text(number));
        } else {
            out.push_str("null");
        }
        Ok(())
    }

    fn text(&self, text: &str, out: &mut String) {
        if self.precise {
            return write_string_as_javascript(text, out);
        }
        out.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(['"', '\\', '\u{8}', '\u{c}', '\n', '\r', '\t']) {
            out.push_str(&rest[..at]);
            out.push_str(match rest.as_bytes()[at] {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                8 => "\\b",
                12 => "\\f",
                b'\n' => "\\n",
                b'\r' => "\\r",
                _ => "\\t",
            });
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out.push('"');
    }

    fn line(&self, indent: usize, out: &mut String) {
        if self.pretty {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * 2));
        }
    }

    fn array(&self, value: &Val<'_>, indent: usize, out: &mut String) -> Result<()> {
        let Some(items) = value.items() else { return Ok(()) };
        out.push('[');
        for at in 0..items.len() {
            if at > 0 {
                out.push(',');
            }
            self.line(indent + 1, out);
            self.value(&items.get(at), indent + 1, out)?;
        }
        if !items.is_empty() {
            self.line(indent, out);
        }
        out.push(']');
        Ok(())
    }

    fn object(&self, value: &Val<'_>, indent: usize, out: &mut String) -> Result<()> {
        let Some(members) = value.members() else { return Ok(()) };
        let mut empty = true;
        out.push('{');
        for (key, value) in members.to_vec() {
            if value.is_undefined() || (self.precise && matches!(value, Val::Function(_))) {
                continue;
            }
            if !empty {
                out.push(',');
            }
            empty = false;
            self.line(indent + 1, out);
            self.text(key.as_str(), out);
            out.push_str(if self.pretty { ": " } else { ":" });
            self.value(&value, indent + 1, out)?;
        }
        if !empty {
            self.line(indent, out);
        } else if self.pretty {
            out.push('\n');
        }
        out.push('}');
        Ok(())
    }
}
