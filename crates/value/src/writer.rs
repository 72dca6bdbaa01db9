//! Values to compact JSON text, escaped as AWS escapes (Jackson's way: only what JSON requires, upper-case hex).

use crate::Value;

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

impl Value {
    /// Appends the compact JSON text. Recursion is bounded by the reader's depth limit for what was read; whoever
    /// builds values deeper than that bounds them itself.
    pub fn write(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(number) => number.write(out),
            Value::String(text) => write_string(text, out),
            Value::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                for (at, (key, value)) in object.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Appends `text` as a JSON string, quotes included.
pub fn write_string(text: &str, out: &mut String) {
    write_string_in(text, HEX_UPPER, out);
}

/// As [`write_string`], with control characters as JavaScript's `JSON.stringify` writes them: in lower-case hex.
pub fn write_string_as_javascript(text: &str, out: &mut String) {
    write_string_in(text, HEX_LOWER, out);
}

fn write_string_in(text: &str, hex: &[u8; 16], out: &mut String) {
    out.push('"');
    // Without a branch for each byte, many are looked at at a time; and most texts need no escape.
    let plain = |byte: u8| (byte >= 0x20) & (byte != b'"') & (byte != b'\\');
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0x00..=0x1F => "",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        if escape.is_empty() {
            out.push_str("\\u00");
            out.push(hex[usize::from(byte >> 4)] as char);
            out.push(hex[usize::from(byte & 15)] as char);
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// The length in bytes of the compact JSON text of `value`.
pub fn written_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => {
            let mut text = String::new();
            number.write(&mut text);
            text.len()
        }
        Value::String(text) => string_len(text),
        Value::Array(items) => {
            items.iter().map(written_len).sum::<usize>() + items.len().saturating_sub(1) + 2
        }
        Value::Object(object) => {
            object.iter().map(|(key, value)| string_len(key) + 1 + written_len(value)).sum::<usize>()
                + object.len().saturating_sub(1)
                + 2
        }
    }
}

fn string_len(text: &str) -> usize {
    2 + text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
            0x00..=0x1F => 6,
            _ => 1,
        })
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use crate::{Value, read, written_len};

    #[test]
    fn escapes() {
        let value = Value::from("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{1f}é/\u{7f}");
        assert_eq!(value.to_json(), "\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001Fé/\u{7f}\"");
        assert_eq!(written_len(&value), value.to_json().len());
    }

    #[test]
    fn length_is_that_of_the_text() {
        for text in ["null", "[]", "{}", "[1,2.50,true,false,null]", r#"{"a":{"b":["c\n"]},"d":-1}"#] {
            let value = read(text).expect(text);
            assert_eq!(value.to_json(), text);
            assert_eq!(written_len(&value), text.len());
        }
    }
}
