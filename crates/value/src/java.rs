//! JSON values as the Java objects that AWS computes with: `null`, `Boolean`, `Integer`, `Long`, `BigInteger`,
//! `Double`, `String`, `ArrayList` and `LinkedHashMap`. How they look as text and where a hash set puts them can be
//! seen in what some functions answer.

use std::collections::HashSet;

use crate::writer::write_string;
use crate::{Number, Value};

/// A number as Java has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum JavaNumber {
    Integer(i32),
    Long(i64),
    /// An integer beyond `i64`.
    Big,
    Double(f64),
}

/// What Jackson makes of a number: an integer of the narrowest type, or a double when there is a fraction or exponent.
pub fn number(number: &Number) -> JavaNumber {
    match number.as_i64() {
        Some(whole) => i32::try_from(whole).map_or(JavaNumber::Long(whole), JavaNumber::Integer),
        // `-0` has no sign as an integer.
        None if number.is_integer_text() && number.as_whole_i64() == Some(0) => JavaNumber::Integer(0),
        None if number.is_integer_text() => JavaNumber::Big,
        None => JavaNumber::Double(number.as_f64()),
    }
}

/// Appends what `String.valueOf` gives: `{k=[1, a], m=null}`.
pub fn write_text(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Number(number) => write_number(number, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_text(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(key);
                out.push('=');
                write_text(member, out);
            }
            out.push('}');
        }
        plain => plain.write(out),
    }
}

/// Appends the JSON text that Jackson writes: doubles look as they do in Java.
pub fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => write_number(number, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_string(key, out);
                out.push(':');
                write_json(member, out);
            }
            out.push('}');
        }
        plain => plain.write(out),
    }
}

fn write_number(value: &Number, out: &mut String) {
    match number(value) {
        JavaNumber::Double(double) => write_double(double, out),
        JavaNumber::Integer(whole) => out.push_str(&whole.to_string()),
        JavaNumber::Long(_) | JavaNumber::Big => value.write(out),
    }
}

/// Appends what `Double.toString` gives: `1.5`, `100.0`, `1.0E7`, `1.2E-4`.
pub fn write_double(double: f64, out: &mut String) {
    let magnitude = double.abs();
    if double.is_infinite() || double.is_nan() {
        out.push_str(if double.is_nan() {
            "NaN"
        } else if double < 0.0 {
            "-Infinity"
        } else {
            "Infinity"
        });
    } else if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        out.push_str(&format!("{double:?}"));
    } else {
        let text = format!("{double:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        out.push_str(digits);
        out.push_str(if digits.contains('.') { "E" } else { ".0E" });
        out.push_str(exponent);
    }
}

/// The distinct values in the order in which a `HashSet` that was made of them has them.
pub fn in_hash_set_order<'v>(values: impl ExactSizeIterator<Item = &'v Value>) -> Vec<&'v Value> {
    let capacity = (values.len() * 4 / 3 + 1).max(16).next_power_of_two();
    let mut seen = HashSet::with_capacity(values.len());
    let mut distinct: Vec<(usize, &Value)> = values
        .filter(|value| {
            let mut identity = String::new();
            write_identity(value, &mut identity);
            seen.insert(identity)
        })
        .map(|value| {
            let hash = hash(value);
            (((hash ^ (hash >> 16)) as usize) & (capacity - 1), value)
        })
        .collect();
    // Within a bucket they are in the order in which they came.
    distinct.sort_by_key(|(bucket, _)| *bucket);
    distinct.into_iter().map(|(_, value)| value).collect()
}

/// `Object.hashCode`, as unsigned.
fn hash(value: &Value) -> u32 {
    let folded = |bits: u64| (bits ^ (bits >> 32)) as u32;
    match value {
        Value::Null => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Number(value) => match number(value) {
            JavaNumber::Integer(whole) => whole as u32,
            JavaNumber::Long(whole) => folded(whole as u64),
            JavaNumber::Big => folded(value.as_f64().to_bits()),
            JavaNumber::Double(double) => folded(double.to_bits()),
        },
        Value::String(text) => hash_text(text),
        Value::Array(items) => {
            items.iter().fold(1, |so_far: u32, item| so_far.wrapping_mul(31).wrapping_add(hash(item)))
        }
        Value::Object(members) => members
            .iter()
            .fold(0, |so_far: u32, (key, member)| so_far.wrapping_add(hash_text(key) ^ hash(member))),
    }
}

fn hash_text(text: &str) -> u32 {
    text.encode_utf16().fold(0, |so_far: u32, unit| so_far.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// Appends a text that is the same for values that `Object.equals` calls equal: 1 and 1.0 are not.
fn write_identity(value: &Value, out: &mut String) {
    match value {
        Value::Number(value) => match number(value) {
            JavaNumber::Double(double) => out.push_str(&format!("{double:?}d")),
            _ => write_number(value, out),
        },
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_identity(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|left, right| left.0.cmp(right.0));
            out.push('{');
            for (key, member) in members {
                write_string(key, out);
                out.push(':');
                write_identity(member, out);
                out.push(',');
            }
            out.push('}');
        }
        plain => plain.write(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    #[test]
    fn texts() {
        for (json, expected) in [
            (r#"{"k":[1,"a"],"m":null}"#, "{k=[1, a], m=null}"),
            (r#"[1,{"z":true}]"#, "[1, {z=true}]"),
            (r#"["",{},[]]"#, "[, {}, []]"),
            ("1.50", "1.5"),
            ("100.0", "100.0"),
            ("1e3", "1000.0"),
            ("12345678.9", "1.23456789E7"),
            ("10000000.0", "1.0E7"),
            ("9999999.5", "9999999.5"),
            ("0.001", "0.001"),
            ("0.00012", "1.2E-4"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1e400", "Infinity"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            let mut out = String::new();
            write_text(&read(json).expect(json), &mut out);
            assert_eq!(out, expected, "{json}");
        }
        let mut out = String::new();
        write_json(&read(r#"{"a\"b":[1.50,1e10,"x",null]}"#).expect("valid"), &mut out);
        assert_eq!(out, r#"{"a\"b":[1.5,1.0E10,"x",null]}"#);
    }

    #[test]
    fn hash_sets() {
        for (json, expected) in [
            ("[true,false,true,false]", "[false,true]"),
            ("[[1,2],[1,2],[2,1]]", "[[2,1],[1,2]]"),
            ("[null,null,1,null]", "[null,1]"),
            (r#"[1,"1",1,"01"]"#, r#"[1,"1","01"]"#),
            (r#"["a","b","a","c","b"]"#, r#"["a","b","c"]"#),
            (r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, r#"[{"a":1,"b":2}]"#),
            ("[20,3,17,1]", "[17,1,3,20]"),
            ("[1,1.0]", "[1.0,1]"),
            (r#"["banana","apple","cherry"]"#, r#"["banana","apple","cherry"]"#),
        ] {
            let value = read(json).expect(json);
            let items = value.as_array().expect("array");
            let ordered: Value = in_hash_set_order(items.iter()).into_iter().cloned().collect();
            assert_eq!(ordered.to_json(), expected, "{json}");
        }
        assert_eq!(hash_text("hello"), 99_162_322);
        assert_eq!(hash(&read("1.5").expect("valid")), 1_073_217_536);
    }
}
