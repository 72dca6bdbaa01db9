//! Numbers in English words, cardinal ("twenty-one") and ordinal ("twenty-first").

use super::FormatError;
use super::js_number::is_white_space;

const CARDINALS: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];

const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];

/// Twenty to ninety: the cardinal and the ordinal.
const TENS: [(&str, &str); 8] = [
    ("Twenty", "Twentieth"),
    ("Thirty", "Thirtieth"),
    ("Forty", "Fortieth"),
    ("Fifty", "Fiftieth"),
    ("Sixty", "Sixtieth"),
    ("Seventy", "Seventieth"),
    ("Eighty", "Eightieth"),
    ("Ninety", "Ninetieth"),
];

/// Powers of a thousand. There is no word above the last: a thousand trillion is "One Thousand Trillion".
const MAGNITUDES: [(f64, &str, &str); 4] = [
    (1e3, "Thousand", "Thousandth"),
    (1e6, "Million", "Millionth"),
    (1e9, "Billion", "Billionth"),
    (1e12, "Trillion", "Trillionth"),
];

/// The words of an integer that is not negative, each with a capital except "and".
pub(super) fn to_words(value: f64, ordinal: bool) -> Result<String, FormatError> {
    if !value.is_finite() {
        return Err(FormatError::host("Maximum call stack size exceeded"));
    }
    let mut words = String::new();
    write_number(value, Joint::Start, ordinal, &mut words);
    Ok(words)
}

/// How a part of a number follows the words before it.
#[derive(Clone, Copy, PartialEq)]
enum Joint {
    /// Nothing comes before.
    Start,
    /// It continues a number: by " and " below one hundred, else by ", ".
    Continuation,
}

fn write_number(value: f64, joint: Joint, ordinal: bool, words: &mut String) {
    if joint == Joint::Continuation {
        words.push_str(if value < 100.0 { " and " } else { ", " });
    }
    if value < 100.0 {
        return write_below_hundred(value as usize, ordinal, words);
    }
    let (unit, cardinal, ordinal_word) = if value < 1000.0 {
        (100.0, "Hundred", "Hundredth")
    } else {
        let largest = MAGNITUDES.iter().rev().find(|(unit, ..)| value >= *unit);
        largest.copied().unwrap_or(MAGNITUDES[0])
    };
    let count = (value / unit).floor();
    let rest = value - count * unit;
    write_number(count, Joint::Start, false, words);
    words.push(' ');
    if rest > 0.0 {
        words.push_str(cardinal);
        write_number(rest, Joint::Continuation, ordinal, words);
    } else {
        words.push_str(if ordinal { ordinal_word } else { cardinal });
    }
}

fn write_below_hundred(value: usize, ordinal: bool, words: &mut String) {
    let small = if ordinal { &ORDINALS } else { &CARDINALS };
    if let Some(word) = small.get(value) {
        words.push_str(word);
        return;
    }
    let Some((cardinal_tens, ordinal_tens)) = TENS.get((value / 10).saturating_sub(2)) else { return };
    match small.get(value % 10) {
        Some(ones) if !value.is_multiple_of(10) => {
            words.push_str(cardinal_tens);
            words.push('-');
            words.push_str(ones);
        }
        _ => words.push_str(if ordinal { ordinal_tens } else { cardinal_tens }),
    }
}

/// The number named by lower-case words, cardinal or ordinal; NaN if a word is not a number's.
pub(super) fn from_words(text: &str) -> f64 {
    // Sums of the finished magnitudes, and last the one being built.
    let mut segments = vec![0.0];
    for word in split(text) {
        let value = word_value(word);
        let current = segments.pop().unwrap_or(0.0);
        if value < 100.0 {
            if current >= 1000.0 {
                segments.push(current);
                segments.push(value);
            } else {
                segments.push(current + value);
            }
        } else {
            segments.push(current * value);
        }
    }
    segments.into_iter().sum()
}

/// Splits at ", ", " and " and single white space, hyphens or backslashes. Empty pieces remain.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match separator_length(rest) {
            Some(length) => {
                pieces.push(text.get(start..at).unwrap_or_default());
                at += length;
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

/// Length in bytes of the separator with which `text` starts.
fn separator_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let after = text.get(first.len_utf8()..)?;
    let white_space = |text: &str| text.chars().next().filter(|c| is_white_space(*c)).map(char::len_utf8);
    if first == ',' {
        return white_space(after).map(|length| 1 + length);
    }
    if is_white_space(first)
        && let Some(length) = after.strip_prefix("and").and_then(white_space)
    {
        return Some(first.len_utf8() + 3 + length);
    }
    (is_white_space(first) || first == '\\' || first == '-').then(|| first.len_utf8())
}

/// The value of a lower-case word; NaN if it is not a number's.
fn word_value(word: &str) -> f64 {
    let position = |list: &[&str]| list.iter().position(|entry| entry.eq_ignore_ascii_case(word));
    if word.is_empty() || word.contains(|c: char| c.is_ascii_uppercase()) {
        return f64::NAN;
    }
    if let Some(value) = position(&CARDINALS).or_else(|| position(&ORDINALS)) {
        return value as f64;
    }
    let either = |cardinal: &str, ordinal: &str| {
        cardinal.eq_ignore_ascii_case(word) || ordinal.eq_ignore_ascii_case(word)
    };
    if let Some(tens) = TENS.iter().position(|(cardinal, ordinal)| either(cardinal, ordinal)) {
        return (tens * 10 + 20) as f64;
    }
    if either("hundred", "hundredth") {
        return 100.0;
    }
    let magnitude = MAGNITUDES.iter().find(|(_, cardinal, ordinal)| either(cardinal, ordinal));
    magnitude.map_or(f64::NAN, |(value, ..)| *value)
}

/// Every word a number in words can contain, in the order in which a matcher must try them (it decides where a
/// number ends when letters follow directly).
pub(super) fn vocabulary() -> impl Iterator<Item = &'static str> {
    let tens = TENS.iter().flat_map(|(cardinal, ordinal)| [*cardinal, *ordinal]);
    let magnitudes = MAGNITUDES.iter().flat_map(|(_, cardinal, ordinal)| [*cardinal, *ordinal]);
    let small = CARDINALS.iter().chain(&ORDINALS).copied();
    small.chain(tens).chain(["Hundred", "Hundredth"]).chain(magnitudes).chain(["and", "-", ",", " "])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_words() {
        let check = |value: f64, ordinal: bool, expect: &str| {
            assert_eq!(to_words(value, ordinal).as_deref(), Ok(expect));
            assert_eq!(from_words(&expect.to_lowercase()), value, "{expect}");
        };
        check(0.0, false, "Zero");
        check(0.0, true, "Zeroth");
        check(19.0, true, "Nineteenth");
        check(20.0, true, "Twentieth");
        check(42.0, false, "Forty-Two");
        check(99.0, true, "Ninety-Ninth");
        check(100.0, true, "One Hundredth");
        check(555.0, false, "Five Hundred and Fifty-Five");
        check(919.0, true, "Nine Hundred and Nineteenth");
        check(2001.0, false, "Two Thousand and One");
        check(1e6, true, "One Millionth");
        check(
            3_424_555_666.0,
            true,
            "Three Billion, Four Hundred and Twenty-Four Million, Five Hundred and Fifty-Five Thousand, Six Hundred \
             and Sixty-Sixth",
        );
        check(1e15, false, "One Thousand Trillion");
        check(1e24, true, "One Trillion Trillionth");
    }

    #[test]
    fn unknown_words_are_not_a_number() {
        for text in ["", "onety", "one  two", "One", "one, ", "and"] {
            assert!(from_words(text).is_nan(), "{text:?}");
        }
        assert_eq!(from_words("one\\two-three"), 6.0);
        assert!(to_words(f64::INFINITY, false).is_err());
    }
}
