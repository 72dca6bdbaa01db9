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
//! a regular expression), and characters beyond the Basic Multilingual Plane count as one character, not two.

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
pub use iso8601::to_iso8601;
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
