//! JSON for people: indented, numbers and the order of keys as they are.

use stepwright_value::{Value, write_string};

/// Indented by two spaces, without a line feed at the end. Depth is bounded by the reader's limit.
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                next_line(at > 0, depth + 1, out);
                write(item, depth + 1, out);
            }
            next_line(false, depth, out);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (at, (key, member)) in members.iter().enumerate() {
                next_line(at > 0, depth + 1, out);
                write_string(key, out);
                out.push_str(": ");
                write(member, depth + 1, out);
            }
            next_line(false, depth, out);
            out.push('}');
        }
        scalar_or_empty => scalar_or_empty.write(out),
    }
}

fn next_line(comma: bool, depth: usize, out: &mut String) {
    if comma {
        out.push(',');
    }
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented() {
        let value = stepwright_value::read(r#"{"b":[1.50,"x",[]],"a":{},"c":{"d":null}}"#).expect("valid");
        let expected = "{\n  \"b\": [\n    1.50,\n    \"x\",\n    []\n  ],\n  \"a\": {},\n  \"c\": {\n    \
                        \"d\": null\n  }\n}";
        assert_eq!(json(&value), expected);
    }
}
