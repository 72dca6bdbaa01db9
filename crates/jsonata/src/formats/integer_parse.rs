//! `$parseInteger`: an integer out of a text by a picture.

use super::FormatError;
use super::integer_picture::{self, DecimalPattern, Grouping, IntegerPicture, Style};
use super::{js_number, letters, roman, words};

/// Reads `text` as an integer in the form of `picture` (see [`format_integer`](super::format_integer)).
///
/// As in jsonata-js the text is not checked against the picture: a text that does not fit gives NaN or whatever
/// number its characters make. `None` is never returned for a given text; it leaves room for an undefined result.
///
/// Errors: D3130 for a numbering sequence, D3131 for mixed digit families; D3137 if the picture asks for digits of a
/// family beyond the text's.
pub fn parse_integer(text: &str, picture: &str) -> Result<Option<f64>, FormatError> {
    parse(text, &integer_picture::analyse(picture)?).map(Some)
}

/// Reads `text` by an analysed picture.
pub(super) fn parse(text: &str, picture: &IntegerPicture) -> Result<f64, FormatError> {
    match &picture.style {
        Style::Letters { upper } => Ok(letters::from_letters(text, if *upper { 'A' } else { 'a' })),
        Style::Roman { upper: true } => Ok(roman::from_roman(text)),
        Style::Roman { upper: false } => Ok(roman::from_roman(&text.to_uppercase())),
        Style::Words(_) => Ok(words::from_words(&text.to_lowercase())),
        Style::Decimal(pattern) => parse_decimal(text, pattern, picture.ordinal),
        Style::Sequence(token) => Err(FormatError::about_text("D3130", token)),
    }
}

fn parse_decimal(text: &str, pattern: &DecimalPattern, ordinal: bool) -> Result<f64, FormatError> {
    let mut digits: Vec<char> = text.chars().collect();
    if ordinal {
        digits.truncate(digits.len().saturating_sub(2));
    }
    match &pattern.grouping {
        // Whatever the picture's separator, only commas are dropped: jsonata-js's behaviour.
        Grouping::Regular { .. } => digits.retain(|c| *c != ','),
        Grouping::Irregular(separators) => {
            digits.retain(|c| separators.iter().all(|(_, separator)| separator != c))
        }
    }
    if pattern.zero != '0' {
        for digit in &mut digits {
            *digit = to_ascii(*digit, pattern.zero)?;
        }
    }
    Ok(js_number::parse_int(&digits.into_iter().collect::<String>()))
}

/// Moves a digit from the family of `zero` to ASCII.
fn to_ascii(digit: char, zero: char) -> Result<char, FormatError> {
    let code = i64::from(u32::from(digit)) - i64::from(u32::from(zero)) + i64::from(u32::from('0'));
    if code < 0 {
        return Err(FormatError::host(&format!("Invalid code point {code}")));
    }
    // A code that is no character ends the number, as any other character does.
    Ok(u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_integers() {
        let check = |text: &str, picture: &str, expect: &str| {
            let result = parse_integer(text, picture);
            let result = result.map(|value| value.map_or("undefined".to_owned(), js_number::to_text));
            assert_eq!(result.unwrap_or_else(|e| e.to_string()), expect, "{text:?} {picture:?}");
        };
        check("0123", "0000", "123");
        check("-12", "0", "-12");
        check("12,345,678", "#,##0", "12345678");
        check("12.345", "#.##0", "12");
        check("1234:567,890", "#:###,##0", "1234567890");
        check("123rd", "0;o", "123");
        check("\u{0661}\u{0662}\u{0663}", "\u{0660}", "123");
        check("12", "\u{0660}", "D3137: Invalid code point -1535");
        check("xcix", "i", "99");
        check("xcix", "I", "NaN");
        check("AB", "A", "28");
        check("Two Thousand and Nineteen", "Ww", "2019");
        check("twenty-first", "w;o", "21");
        check("nonsense", "w", "NaN");
        check("", "0", "NaN");
        check(
            "1",
            "#",
            "D3130: Formatting or parsing an integer as a sequence starting with \"#\" is not supported by this \
             implementation",
        );
    }
}
