//! A JSON number that remembers how it was written.

use std::fmt;
use std::sync::Arc;

/// A JSON number. Integers within `i64` are held as such; everything else read from text keeps that text
/// (`1.0`, `1e400`, integers of any length), so that it leaves the system as it came.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Int(i64),
    Float(f64),
    Text(Arc<NumberText>),
}

struct NumberText {
    value: f64,
    text: Box<str>,
}

impl Number {
    /// The bytes of memory that what it points to takes, about.
    pub(crate) fn memory_bytes(&self) -> usize {
        match &self.0 {
            Repr::Int(_) | Repr::Float(_) => 0,
            Repr::Text(number) => size_of::<NumberText>() + number.text.len(),
        }
    }

    /// The number for a JSON number text. `None` when the text is not a JSON number.
    pub fn parse(text: &str) -> Option<Number> {
        if !is_json_number(text.as_bytes()) {
            return None;
        }
        Some(Number::from_json_text(text))
    }

    /// As [`Number::parse`] for a text that a JSON tokeniser has accepted as a number.
    pub(crate) fn from_json_text(text: &str) -> Number {
        // `-0` is an integer to `i64::from_str` but would be written back as `0`.
        if text.len() <= 20
            && text != "-0"
            && let Ok(int) = text.parse::<i64>()
        {
            return Number(Repr::Int(int));
        }
        let value = text.parse::<f64>().unwrap_or(f64::NAN);
        Number(Repr::Text(Arc::new(NumberText { value, text: text.into() })))
    }

    /// The number for a double; `None` for NaN and the infinities, which JSON cannot hold. Whole numbers within
    /// `i64` become integers, as JavaScript writes them without a fraction.
    pub fn from_f64(value: f64) -> Option<Number> {
        if !value.is_finite() {
            return None;
        }
        // 2^63 is the first double outside `i64`; the cast below it is exact for whole numbers.
        if value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0 {
            return Some(Number(Repr::Int(value as i64)));
        }
        Some(Number(Repr::Float(value)))
    }

    /// The value as `i64` when the number is written as an integer within its range.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The value as `i64` when it is whole and within range, however it is written (`2.0`, `1e3`).
    pub fn as_whole_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(int) => Some(*int),
            _ => {
                let value = self.as_f64();
                (value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0).then_some(value as i64)
            }
        }
    }

    /// The nearest double; infinite for texts beyond its range.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(int) => *int as f64,
            Repr::Float(value) => *value,
            Repr::Text(text) => text.value,
        }
    }

    /// Whether the number is written without fraction and exponent.
    pub fn is_integer_text(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Float(_) => false,
            Repr::Text(text) => !text.text.contains(['.', 'e', 'E']),
        }
    }

    /// Appends the number as JSON text.
    pub fn write(&self, out: &mut String) {
        match &self.0 {
            Repr::Int(int) => out.push_str(itoa(*int, &mut [0; 20])),
            Repr::Float(value) => out.push_str(ryu_js::Buffer::new().format_finite(*value)),
            Repr::Text(text) => out.push_str(&text.text),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Number {
        Number(Repr::Int(int))
    }
}

impl PartialEq for Number {
    /// By value: `1`, `1.0` and `1e0` are equal. Integers compare exactly; long integers by their text.
    fn eq(&self, other: &Number) -> bool {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a == b,
            (Repr::Text(a), Repr::Text(b)) if a.text == b.text => true,
            _ => self.as_f64() == other.as_f64(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        formatter.write_str(&text)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn itoa(int: i64, buffer: &mut [u8; 20]) -> &str {
    let mut magnitude = int.unsigned_abs();
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (magnitude % 10) as u8;
        magnitude /= 10;
        if magnitude == 0 {
            break;
        }
    }
    if int < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    // Only ASCII digits and a sign were written.
    std::str::from_utf8(&buffer[start..]).unwrap_or_default()
}

fn is_json_number(bytes: &[u8]) -> bool {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return false;
    }
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        let exponent = digits(at);
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept() {
        for text in
            ["0", "-0", "1.0", "1e400", "9007199254740993", "123456789012345678901234567890", "-1.50E+2"]
        {
            assert_eq!(Number::parse(text).expect(text).to_string(), text);
        }
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "NaN", "0x1", "1 "] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn doubles_are_written_as_javascript_does() {
        let cases = [(1.0, "1"), (0.1 + 0.2, "0.30000000000000004"), (1e21, "1e+21"), (-2.5e-7, "-2.5e-7")];
        for (value, text) in cases {
            assert_eq!(Number::from_f64(value).expect("finite").to_string(), text);
        }
        assert!(Number::from_f64(f64::NAN).is_none());
        assert_eq!(Number::from(i64::MIN).to_string(), "-9223372036854775808");
    }

    #[test]
    fn equality_is_by_value() {
        let number = |text| Number::parse(text).expect(text);
        assert_eq!(number("1"), number("1.0"));
        assert_eq!(number("100"), number("1e2"));
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
    }
}
