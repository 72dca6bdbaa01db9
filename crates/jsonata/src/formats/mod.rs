//! The picture-string functions of JSONata: `$formatNumber`, `$formatBase`, `$formatInteger`, `$parseInteger`,
//! `$fromMillis`, `$toMillis` (and so `$now(picture, timezone)`).
//!
//! Pictures are those of XPath Functions and Operators 3.1 (`fn:format-number`, `fn:format-integer`,
//! `fn:format-dateTime`). Where the behaviour of jsonata-js 2.2 departs from that text, jsonata-js is followed, its
//! surprising answers included: expressions in the field were written against it.
//!
//! All functions are pure: the clock and the timezone come in as arguments. None panics, and none allocates more than
//! a small multiple of its arguments plus the limits below. Signature checks, undefined arguments and defaults are the
//! caller's business.
//!
//! Numbers are JavaScript numbers: a text that does not hold a number in the picture's form gives NaN, as it does in
//! jsonata-js, and the caller decides what NaN means.
//!
//! Left out, against jsonata-js: a grouping separator in a timezone picture is matched literally (there it leaks into
//! a regular expression); characters beyond the Basic Multilingual Plane count as one character, not two; ISO 8601
//! texts with an offset or a fraction but no time are NaN (there some make a date by chance); and powers of 26 and 10
//! beyond 2^53 are rounded correctly (there the last digit may be off).

mod base;
mod calendar;
mod date_format;
mod date_matcher;
mod date_parse;
mod date_picture;
mod error;
mod integer_format;
mod integer_parse;
mod integer_picture;
mod iso8601;
mod js_number;
mod letters;
mod number_format;
mod number_picture;
mod roman;
mod words;

pub use base::format_base;
pub use date_format::from_millis;
pub use date_parse::to_millis;
pub use error::FormatError;
pub use integer_format::format_integer;
pub use integer_parse::parse_integer;
#[cfg(test)]
pub(crate) use iso8601::to_iso8601;
pub use number_format::format_number;

/// Longest picture accepted, in characters. Real pictures have tens; the bound keeps every analysis small.
const PICTURE_CHARS_MAX: usize = 4_096;

/// Widest field accepted (padding of an integer), in characters. Wider ones come from nonsense width modifiers.
const FIELD_CHARS_MAX: usize = 10_000;

/// Refuses a picture longer than [`PICTURE_CHARS_MAX`].
fn check_picture(picture: &str) -> Result<(), FormatError> {
    // The byte length bounds the character count, so ordinary pictures are never counted.
    if picture.len() > PICTURE_CHARS_MAX && picture.chars().count() > PICTURE_CHARS_MAX {
        return Err(FormatError::host("Invalid string length"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of pseudo-random numbers: the same inputs in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) as usize) % bound
        }

        fn text(&mut self, alphabet: &[char], length_max: usize) -> String {
            (0..self.below(length_max + 1)).map(|_| alphabet[self.below(alphabet.len())]).collect()
        }

        fn number(&mut self) -> f64 {
            match self.below(8) {
                0 => f64::from_bits(((self.below(1 << 31) as u64) << 33) | self.below(1 << 31) as u64),
                1 => [
                    0.0,
                    -0.0,
                    f64::NAN,
                    f64::INFINITY,
                    f64::NEG_INFINITY,
                    f64::MAX,
                    f64::MIN_POSITIVE,
                    8.64e15,
                ][self.below(8)],
                2 => -(self.below(1 << 30) as f64) / 64.0,
                _ => self.below(1 << 30) as f64 * 10f64.powi(self.below(16) as i32 - 6),
            }
        }
    }

    #[test]
    fn no_input_panics() {
        let alphabet: Vec<char> =
            "[]YMDdFWwXxHhmsfZzPCE0019#,.-:;%e+oantcNniIaA \u{2030}\u{661}\u{1f600}*T".chars().collect();
        let mut random = Random(1);
        for _ in 0..20_000 {
            let (picture, text) = (random.text(&alphabet, 24), random.text(&alphabet, 24));
            let marker = format!("[{}]{}[{}]", random.text(&alphabet, 8), random.text(&alphabet, 2), text);
            let (value, other) = (random.number(), random.number());
            let names =
                ["zero-digit", "decimal-separator", "grouping-separator", "digit", "percent", "minus-sign"];
            let options = [(names[random.below(6)].to_owned(), random.text(&alphabet, 2))];
            let _ = format_number(value, &picture, Some(&options));
            let _ = format_base(value, other);
            let _ = format_integer(value, &picture);
            let _ = parse_integer(&text, &picture);
            let _ = to_iso8601(value as i64);
            let _ = to_millis(&text, None, value as i64);
            for picture in [&picture, &marker] {
                if let Ok(formatted) = from_millis(value, Some(picture), Some(&text)) {
                    let _ = to_millis(&formatted, Some(picture), other as i64);
                }
            }
        }
    }

    #[test]
    fn long_inputs_are_refused_or_take_linear_time() {
        let long = "0,".repeat(1_000_000);
        for picture in
            [long.as_str(), &long[..4095], &"[Y]".repeat(1365), &"[Wwo]x".repeat(680), &"#,".repeat(2047)]
        {
            for text in [long.as_str(), "1", &"one and ".repeat(100_000)] {
                let _ = to_millis(text, Some(picture), 0);
                let _ = parse_integer(text, picture);
            }
            let _ = from_millis(1e12, Some(picture), None);
            let _ = format_integer(1e300, picture);
            let _ = format_number(1e300, picture, None);
        }
        assert!(format_integer(1.0, &long).is_err());
        assert!(from_millis(0.0, Some("[Y,99999999]"), None).is_err());
        assert!(to_millis(&long, None, 0).is_err());
    }
}
