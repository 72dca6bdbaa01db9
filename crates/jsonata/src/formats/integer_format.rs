//! `$formatInteger`: an integer by a picture (XPath F&O 3.1 §4.6.1).

use super::integer_picture::{self, DecimalPattern, Grouping, IntegerPicture, LetterCase, Style};
use super::{FIELD_CHARS_MAX, FormatError, js_number, letters, roman, words};

/// Formats the floor of `value` by an integer picture: a digit pattern (`#,##0`, in any digit family), `A`/`a`
/// (letters), `I`/`i` (roman numerals) or `W`/`w`/`Ww` (English words), with `;o` for ordinals.
///
/// Errors: D3130 for a numbering sequence, D3131 for mixed digit families; D3137 for numbers whose letters, numerals
/// or words would have no end.
pub fn format_integer(value: f64, picture: &str) -> Result<String, FormatError> {
    format(value.floor(), &integer_picture::analyse(picture)?)
}

/// Formats an integer by an analysed picture.
pub(super) fn format(value: f64, picture: &IntegerPicture) -> Result<String, FormatError> {
    let magnitude = value.abs();
    let text = match &picture.style {
        Style::Letters { upper } => letters::to_letters(magnitude, if *upper { 'A' } else { 'a' })?,
        Style::Roman { upper: true } => roman::to_roman(magnitude)?.to_uppercase(),
        Style::Roman { upper: false } => roman::to_roman(magnitude)?,
        Style::Words(case) => {
            let words = words::to_words(magnitude, picture.ordinal)?;
            match case {
                LetterCase::Upper => words.to_uppercase(),
                LetterCase::Lower => words.to_lowercase(),
                LetterCase::Title => words,
            }
        }
        Style::Decimal(pattern) => format_decimal(magnitude, pattern, picture.ordinal)?,
        Style::Sequence(token) => return Err(FormatError::about_text("D3130", token)),
    };
    Ok(if value < 0.0 { format!("-{text}") } else { text })
}

fn format_decimal(magnitude: f64, pattern: &DecimalPattern, ordinal: bool) -> Result<String, FormatError> {
    if pattern.mandatory_digits > FIELD_CHARS_MAX as f64 {
        return Err(FormatError::host("Invalid array length"));
    }
    let plain = js_number::to_text(magnitude);
    // The conversion takes NaN and negative numbers to zero: no padding.
    let padded = format!("{plain:0>width$}", width = pattern.mandatory_digits as usize);
    let digits = in_family(&padded, pattern.zero);
    let mut text = match &pattern.grouping {
        Grouping::Regular { interval, separator } => group_regularly(&digits, *interval, *separator),
        Grouping::Irregular(separators) => group_irregularly(digits, separators),
    };
    if ordinal {
        let suffix = ordinal_suffix(&text);
        text.extend(suffix.chars());
    }
    Ok(text.into_iter().collect())
}

/// Moves every character by the distance from `0` to the family's zero. (The text of a number can hold `e`, `+` and
/// the letters of `Infinity`; jsonata-js moves them too.)
fn in_family(text: &str, zero: char) -> Vec<char> {
    let moved =
        |c: char| (u32::from(c) + u32::from(zero)).checked_sub(u32::from('0')).and_then(char::from_u32);
    text.chars().map(|c| moved(c).unwrap_or(c)).collect()
}

fn group_regularly(digits: &[char], interval: usize, separator: char) -> Vec<char> {
    let mut text = Vec::with_capacity(digits.len() * 2);
    for (at, digit) in digits.iter().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(interval) {
            text.push(separator);
        }
        text.push(*digit);
    }
    text
}

/// Inserts each separator, the leftmost first. One that belongs beyond the left end goes to the front and takes the
/// place of all but the last characters, as many as it is away: jsonata-js's answer to fewer digits than the picture
/// groups.
fn group_irregularly(digits: Vec<char>, separators: &[(usize, char)]) -> Vec<char> {
    let mut text = digits;
    for (position, separator) in separators.iter().rev() {
        match text.len().checked_sub(*position) {
            Some(at) => text.insert(at, *separator),
            None => {
                let beyond = position - text.len();
                text.drain(..text.len().saturating_sub(beyond));
                text.insert(0, *separator);
            }
        }
    }
    text
}

/// `st`, `nd`, `rd` or `th`. Only ASCII digits are told apart.
fn ordinal_suffix(text: &[char]) -> &'static str {
    match text {
        [.., '1', _] => "th",
        [.., '1'] => "st",
        [.., '2'] => "nd",
        [.., '3'] => "rd",
        _ => "th",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, picture: &str, expect: &str) {
        assert_eq!(
            format_integer(value, picture).unwrap_or_else(|e| e.to_string()),
            expect,
            "{value} {picture:?}"
        );
    }

    #[test]
    fn formats_digits() {
        check(123.0, "0000", "0123");
        check(123.9, "1", "123");
        check(-123.2, "1", "-124");
        check(12345678.0, "#,##0", "12,345,678");
        check(1234567890.0, "#:###,##0", "1234:567,890");
        check(1222222.0, "##,##,#0", "1,22,22,22");
        check(123.0, "\u{0660}", "\u{0661}\u{0662}\u{0663}");
        check(1e21, "0", "1e+21");
        check(5.0, "#-##,#00", ",-05");
        check(7.0, "0;", "7");
        check(7.0, "0;;", "7;");
    }

    #[test]
    fn formats_ordinals() {
        for (value, expect) in
            [(1.0, "1st"), (2.0, "2nd"), (3.0, "3rd"), (4.0, "4th"), (11.0, "11th"), (112.0, "112th")]
        {
            check(value, "0;o", expect);
        }
        check(21.0, "w;o", "twenty-first");
        check(1001.0, "#,##0;o", "1,001st");
    }

    #[test]
    fn formats_letters_numerals_and_words() {
        check(28.0, "A", "AB");
        check(1999.0, "I", "MCMXCIX");
        check(99.0, "i", "xcix");
        check(-4.0, "I", "-IV");
        check(555.0, "w", "five hundred and fifty-five");
        check(999.0, "W", "NINE HUNDRED AND NINETY-NINE");
        check(2019.0, "Ww", "Two Thousand and Nineteen");
    }

    #[test]
    fn refuses() {
        check(
            1.0,
            "\u{03B1}",
            "D3130: Formatting or parsing an integer as a sequence starting with \"\u{03B1}\" is not supported by \
             this implementation",
        );
        check(
            1.0,
            "",
            "D3130: Formatting or parsing an integer as a sequence starting with \"\" is not supported by \
             this implementation",
        );
        check(
            1.0,
            "0\u{0661}",
            "D3131: In a decimal digit pattern, all digits must be from the same decimal group",
        );
        check(1e300, "I", "D3137: Maximum call stack size exceeded");
    }
}
