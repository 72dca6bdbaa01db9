//! Analysis of integer pictures (XPath F&O 3.1 §4.6.1), used by the integer functions and by the integer components
//! of date pictures.

use super::{FormatError, check_picture};

/// What an integer picture says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IntegerPicture {
    pub(super) style: Style,
    /// Whether `;o` asks for ordinals.
    pub(super) ordinal: bool,
}

/// The primary format of an integer picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Style {
    /// `A` or `a`.
    Letters { upper: bool },
    /// `I` or `i`.
    Roman { upper: bool },
    /// `W`, `w` or `Ww`.
    Words(LetterCase),
    /// A picture with at least one digit.
    Decimal(DecimalPattern),
    /// Anything else: a numbering sequence given by its first member, which is not supported (D3130 on use).
    Sequence(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetterCase {
    Upper,
    Lower,
    Title,
}

/// A decimal digit pattern such as `#,##0`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DecimalPattern {
    /// The zero of the digit family.
    pub(super) zero: char,
    /// Digits to pad to. A JavaScript number, since width modifiers (`[Y,*-x]`) can make it NaN.
    pub(super) mandatory_digits: f64,
    /// Number of `#`.
    pub(super) optional_digits: usize,
    pub(super) grouping: Grouping,
    /// Exact number of digits to read, where another integer follows directly in a date picture. Not used if zero.
    pub(super) parse_width: f64,
}

/// Where grouping separators go, counted in digits from the right.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grouping {
    /// The same separator after every `interval` digits; `interval` > 0.
    Regular { interval: usize, separator: char },
    /// Each separator once at its position, right to left. Empty where there is none.
    Irregular(Vec<(usize, char)>),
}

/// The zeros of the digit families of the Basic Multilingual Plane.
const ZEROS: [char; 37] = [
    '\u{0030}', '\u{0660}', '\u{06F0}', '\u{07C0}', '\u{0966}', '\u{09E6}', '\u{0A66}', '\u{0AE6}',
    '\u{0B66}', '\u{0BE6}', '\u{0C66}', '\u{0CE6}', '\u{0D66}', '\u{0DE6}', '\u{0E50}', '\u{0ED0}',
    '\u{0F20}', '\u{1040}', '\u{1090}', '\u{17E0}', '\u{1810}', '\u{1946}', '\u{19D0}', '\u{1A80}',
    '\u{1A90}', '\u{1B50}', '\u{1BB0}', '\u{1C40}', '\u{1C50}', '\u{A620}', '\u{A8D0}', '\u{A900}',
    '\u{A9D0}', '\u{A9F0}', '\u{AA50}', '\u{ABF0}', '\u{FF10}',
];

/// The zero of the family to which a digit belongs.
fn zero_of(digit: char) -> Option<char> {
    let below = ZEROS.partition_point(|zero| *zero <= digit).checked_sub(1)?;
    ZEROS.get(below).copied().filter(|zero| u32::from(digit) - u32::from(*zero) <= 9)
}

/// Analyses a picture. Errors: D3131 if it mixes digit families.
pub(super) fn analyse(picture: &str) -> Result<IntegerPicture, FormatError> {
    check_picture(picture)?;
    let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
    let style = match primary {
        "A" => Style::Letters { upper: true },
        "a" => Style::Letters { upper: false },
        "I" => Style::Roman { upper: true },
        "i" => Style::Roman { upper: false },
        "W" => Style::Words(LetterCase::Upper),
        "w" => Style::Words(LetterCase::Lower),
        "Ww" => Style::Words(LetterCase::Title),
        _ => match analyse_digits(primary)? {
            Some(pattern) => Style::Decimal(pattern),
            None => Style::Sequence(primary.to_owned()),
        },
    };
    Ok(IntegerPicture { style, ordinal: modifier.starts_with('o') })
}

/// Analyses a digit pattern; `None` if it holds no digit.
fn analyse_digits(pattern: &str) -> Result<Option<DecimalPattern>, FormatError> {
    let mut family = None;
    let mut mandatory_digits = 0;
    let mut optional_digits = 0;
    let mut separators = Vec::new();
    for c in pattern.chars().rev() {
        if let Some(zero) = zero_of(c) {
            if *family.get_or_insert(zero) != zero {
                return Err(FormatError::new("D3131"));
            }
            mandatory_digits += 1;
        } else if c == '#' {
            optional_digits += 1;
        } else {
            separators.push((mandatory_digits + optional_digits, c));
        }
    }
    Ok(family.map(|zero| DecimalPattern {
        zero,
        mandatory_digits: f64::from(mandatory_digits as u32),
        optional_digits,
        grouping: grouping(separators),
        parse_width: 0.0,
    }))
}

/// Separators are regular if they are the same character and stand at all multiples of one interval.
fn grouping(separators: Vec<(usize, char)>) -> Grouping {
    let positions: Vec<usize> = separators.iter().map(|(position, _)| *position).collect();
    match separators.first() {
        Some((_, first)) if separators.iter().all(|(_, separator)| separator == first) => {
            match regular_interval(&positions) {
                Some(interval) => Grouping::Regular { interval, separator: *first },
                None => Grouping::Irregular(separators),
            }
        }
        _ => Grouping::Irregular(separators),
    }
}

/// The interval whose first `positions.len()` multiples all are among the positions: their greatest common divisor,
/// if it is such.
pub(super) fn regular_interval(positions: &[usize]) -> Option<usize> {
    let interval = positions.iter().copied().reduce(greatest_common_divisor)?;
    if interval == 0 {
        return None;
    }
    let mut sorted = positions.to_vec();
    sorted.sort_unstable();
    (1..=positions.len()).all(|n| sorted.binary_search(&(n * interval)).is_ok()).then_some(interval)
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_regular_grouping() {
        let check =
            |positions: &[usize], expect: Option<usize>| assert_eq!(regular_interval(positions), expect);
        check(&[], None);
        check(&[0], None);
        check(&[3], Some(3));
        check(&[6, 3], Some(3));
        check(&[9, 3], None);
        check(&[2, 3], None);
    }

    #[test]
    fn knows_digit_families() {
        assert_eq!(zero_of('7'), Some('0'));
        assert_eq!(zero_of('\u{0669}'), Some('\u{0660}'));
        assert_eq!(zero_of('\u{066A}'), None);
        assert_eq!(zero_of('#'), None);
        assert_eq!(zero_of('\u{FF19}'), Some('\u{FF10}'));
        assert_eq!(analyse("0\u{0660}"), Err(FormatError::new("D3131")));
    }
}
