//! Analysis of number pictures (XPath F&O 3.1 §4.7.3 to §4.7.4).
//!
//! A picture holds one or two sub-pictures. Each is split into prefix, active part and suffix, checked, and reduced to
//! the numbers that drive formatting. Positions are searched for as jsonata-js does it, slips included (they are
//! marked); valid pictures without a prefix do not meet them.

use super::integer_picture::regular_interval;
use super::{FormatError, check_picture};

/// The decimal format: the characters (or texts) with a meaning in pictures and results.
pub(super) struct DecimalFormat {
    pub(super) decimal_separator: Vec<char>,
    pub(super) grouping_separator: Vec<char>,
    pub(super) exponent_separator: Vec<char>,
    pub(super) minus_sign: Vec<char>,
    pub(super) percent: Vec<char>,
    pub(super) per_mille: Vec<char>,
    pub(super) zero_digit: Vec<char>,
    pub(super) digit: Vec<char>,
    pub(super) pattern_separator: Vec<char>,
}

/// Longest value of a property, in characters.
const PROPERTY_CHARS_MAX: usize = 64;

impl DecimalFormat {
    /// The default format with `options` put over it. Unknown names are ignored.
    pub(super) fn new(options: &[(String, String)]) -> Result<Self, FormatError> {
        let mut format = Self {
            decimal_separator: vec!['.'],
            grouping_separator: vec![','],
            exponent_separator: vec!['e'],
            minus_sign: vec!['-'],
            percent: vec!['%'],
            per_mille: vec!['\u{2030}'],
            zero_digit: vec!['0'],
            digit: vec!['#'],
            pattern_separator: vec![';'],
        };
        for (name, value) in options {
            let property = match name.as_str() {
                "decimal-separator" => &mut format.decimal_separator,
                "grouping-separator" => &mut format.grouping_separator,
                "exponent-separator" => &mut format.exponent_separator,
                "minus-sign" => &mut format.minus_sign,
                "percent" => &mut format.percent,
                "per-mille" => &mut format.per_mille,
                "zero-digit" => &mut format.zero_digit,
                "digit" => &mut format.digit,
                "pattern-separator" => &mut format.pattern_separator,
                _ => continue,
            };
            *property = value.chars().take(PROPERTY_CHARS_MAX + 1).collect();
            if property.len() > PROPERTY_CHARS_MAX {
                return Err(FormatError::host("Invalid string length"));
            }
        }
        Ok(format)
    }

    /// The digit of the family with this value.
    pub(super) fn family_digit(&self, value: u32) -> Option<char> {
        char::from_u32(u32::from(*self.zero_digit.first()?) + value)
    }

    fn in_family(&self, c: char) -> bool {
        let zero = self.zero_digit.first().map(|zero| u32::from(*zero));
        zero.is_some_and(|zero| (zero..zero + 10).contains(&u32::from(c)))
    }

    /// Whether `c` is a digit of the family or the optional digit sign.
    fn is_digit_sign(&self, c: char) -> bool {
        self.in_family(c) || is(c, &self.digit)
    }

    /// Whether `c` has a meaning, leaving aside the exponent separator.
    fn bounds_active_part(&self, c: char) -> bool {
        self.is_active(c) && !is(c, &self.exponent_separator)
    }

    fn is_active(&self, c: char) -> bool {
        let separators = [
            &self.decimal_separator,
            &self.exponent_separator,
            &self.grouping_separator,
            &self.pattern_separator,
        ];
        self.is_digit_sign(c) || separators.into_iter().any(|separator| is(c, separator))
    }
}

/// Whether a property is just this character.
fn is(c: char, property: &[char]) -> bool {
    property == [c]
}

/// What a sub-picture says.
#[derive(Debug, Clone)]
pub(super) struct NumberPicture {
    pub(super) prefix: Vec<char>,
    pub(super) suffix: Vec<char>,
    pub(super) scale: Scale,
    pub(super) has_decimal_separator: bool,
    pub(super) integer_digits_min: usize,
    pub(super) fraction_digits_min: usize,
    pub(super) fraction_digits_max: usize,
    /// 0 if there is no exponent.
    pub(super) exponent_digits_min: usize,
    /// Integer digits of the mantissa where there is an exponent.
    pub(super) scaling_factor: usize,
    /// Digits between the grouping separators of the integer part, if they are regular.
    pub(super) regular_grouping: Option<usize>,
    /// Digits to the right of each grouping separator of the integer part, left to right.
    pub(super) integer_grouping: Vec<usize>,
    /// Digits to the left of each grouping separator of the fractional part.
    pub(super) fraction_grouping: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    One,
    Percent,
    PerMille,
}

/// Analyses a picture: one or two sub-pictures. Errors: D3080 to D3093, the last that applies.
pub(super) fn analyse(
    picture: &str,
    format: &DecimalFormat,
) -> Result<(NumberPicture, Option<NumberPicture>), FormatError> {
    check_picture(picture)?;
    let picture: Vec<char> = picture.chars().collect();
    let subpictures = split(&picture, &format.pattern_separator);
    let parts: Vec<Parts<'_>> = subpictures.into_iter().map(|text| Parts::split(text, format)).collect();
    if parts.len() > 2 {
        return Err(FormatError::new("D3080"));
    }
    for part in &parts {
        if let Some(code) = part.fault(format) {
            return Err(FormatError::new(code));
        }
    }
    let mut pictures = parts.iter().map(|part| part.analyse(format));
    let first = pictures.next().ok_or_else(|| FormatError::new("D3085"))?;
    Ok((first, pictures.next()))
}

/// JavaScript's `split`: an empty separator separates all characters.
fn split<'a>(text: &'a [char], separator: &[char]) -> Vec<&'a [char]> {
    if separator.is_empty() {
        return text.chunks(1).collect();
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = find(rest, separator, 0) {
        pieces.push(slice(rest, 0, at));
        rest = slice(rest, at + separator.len(), rest.len());
    }
    pieces.push(rest);
    pieces
}

/// The position of `needle` in `text` at or after `from`.
pub(super) fn find(text: &[char], needle: &[char], from: usize) -> Option<usize> {
    (from..=text.len()).find(|at| slice(text, *at, text.len()).starts_with(needle))
}

/// Whether `needle` occurs in `text` more than once.
fn repeats(text: &[char], needle: &[char]) -> bool {
    find(text, needle, 0).is_some_and(|first| find(text, needle, first + 1).is_some())
}

/// The part of `text` between two positions, as far as there is one.
fn slice(text: &[char], start: usize, end: usize) -> &[char] {
    text.get(start.min(text.len())..end.min(text.len())).unwrap_or_default()
}

/// A sub-picture taken apart (§4.7.3).
struct Parts<'a> {
    whole: &'a [char],
    prefix: &'a [char],
    suffix: &'a [char],
    active: &'a [char],
    mantissa: &'a [char],
    exponent: Option<&'a [char]>,
    integer: &'a [char],
    fraction: &'a [char],
}

impl<'a> Parts<'a> {
    fn split(whole: &'a [char], format: &DecimalFormat) -> Self {
        let bounds = |c: &char| format.bounds_active_part(*c);
        let prefix_end = whole.iter().position(bounds).unwrap_or(0);
        let suffix_start = whole.iter().rposition(bounds).map_or(whole.len(), |last| last + 1);
        let active = slice(whole, prefix_end, suffix_start);
        let suffix = slice(whole, suffix_start, whole.len());
        // The position counts from the start of the sub-picture, the cut is made in the active part: a slip of
        // jsonata-js that shows with a prefix.
        let exponent_at =
            find(whole, &format.exponent_separator, prefix_end).filter(|at| *at <= suffix_start);
        let (mantissa, exponent) = match exponent_at {
            Some(at) => (slice(active, 0, at), Some(slice(active, at + 1, active.len()))),
            None => (active, None),
        };
        let (integer, fraction) = match find(mantissa, &format.decimal_separator, 0) {
            Some(at) => (slice(mantissa, 0, at), slice(mantissa, at + 1, mantissa.len())),
            None => (mantissa, suffix),
        };
        Self {
            whole,
            prefix: slice(whole, 0, prefix_end),
            suffix,
            active,
            mantissa,
            exponent,
            integer,
            fraction,
        }
    }

    /// The code of what is wrong; of several faults the one with the highest code.
    fn fault(&self, format: &DecimalFormat) -> Option<&'static str> {
        let contains = |needle: &[char]| find(self.whole, needle, 0).is_some();
        let in_family = |c: &char| format.in_family(*c);
        let optional = |c: &char| is(*c, &format.digit);
        let scaled = contains(&format.percent) || contains(&format.per_mille);
        let doubled_grouping = [format.grouping_separator.as_slice(), &format.grouping_separator].concat();
        let optional_after_digit = self
            .integer
            .iter()
            .position(optional)
            .is_some_and(|at| slice(self.integer, 0, at).iter().any(in_family));
        let digit_after_optional = self
            .fraction
            .iter()
            .rposition(optional)
            .is_some_and(|at| slice(self.fraction, at, self.fraction.len()).iter().any(in_family));
        let faults = [
            ("D3093", self.exponent.is_some_and(|digits| digits.is_empty() || !digits.iter().all(in_family))),
            ("D3092", scaled && self.exponent.is_some_and(|digits| !digits.is_empty())),
            ("D3091", digit_after_optional),
            ("D3090", optional_after_digit),
            ("D3089", contains(&doubled_grouping)),
            ("D3088", self.grouping_ends_integer(format)),
            ("D3087", self.grouping_touches_decimal(format)),
            ("D3086", !self.active.iter().all(|c| format.is_active(*c))),
            ("D3085", !self.mantissa.iter().any(|c| format.is_digit_sign(*c))),
            ("D3084", contains(&format.percent) && contains(&format.per_mille)),
            ("D3083", repeats(self.whole, &format.per_mille)),
            ("D3082", repeats(self.whole, &format.percent)),
            ("D3081", repeats(self.whole, &format.decimal_separator)),
        ];
        faults.into_iter().find(|(_, present)| *present).map(|(code, _)| code)
    }

    fn grouping_touches_decimal(&self, format: &DecimalFormat) -> bool {
        let is_grouping = |c: Option<&char>| c.is_some_and(|c| is(*c, &format.grouping_separator));
        find(self.whole, &format.decimal_separator, 0).is_some_and(|at| {
            is_grouping(at.checked_sub(1).and_then(|before| self.whole.get(before)))
                || is_grouping(self.whole.get(at + 1))
        })
    }

    fn grouping_ends_integer(&self, format: &DecimalFormat) -> bool {
        find(self.whole, &format.decimal_separator, 0).is_none()
            && self.integer.last().is_some_and(|last| is(*last, &format.grouping_separator))
    }

    /// §4.7.4.
    fn analyse(&self, format: &DecimalFormat) -> NumberPicture {
        let family_digits = |part: &[char]| part.iter().filter(|c| format.in_family(**c)).count();
        let scaling_factor = family_digits(self.integer);
        let mut integer_digits_min = scaling_factor;
        let mut fraction_digits_min = family_digits(self.fraction);
        let mut fraction_digits_max = digit_signs(self.fraction, format);
        if integer_digits_min == 0 && fraction_digits_max == 0 {
            if self.exponent.is_some() {
                fraction_digits_min = 1;
                fraction_digits_max = 1;
            } else {
                integer_digits_min = 1;
            }
        }
        if self.exponent.is_some()
            && integer_digits_min == 0
            && find(self.integer, &format.digit, 0).is_some()
        {
            integer_digits_min = 1;
        }
        if integer_digits_min == 0 && fraction_digits_min == 0 {
            fraction_digits_min = 1;
        }
        let integer_grouping = self.grouping(self.integer, Side::Right, format);
        let scale = if find(self.whole, &format.percent, 0).is_some() {
            Scale::Percent
        } else if find(self.whole, &format.per_mille, 0).is_some() {
            Scale::PerMille
        } else {
            Scale::One
        };
        NumberPicture {
            prefix: self.prefix.to_vec(),
            suffix: self.suffix.to_vec(),
            scale,
            has_decimal_separator: find(self.whole, &format.decimal_separator, 0).is_some(),
            integer_digits_min,
            fraction_digits_min,
            fraction_digits_max,
            exponent_digits_min: self.exponent.map_or(0, family_digits),
            scaling_factor,
            regular_grouping: regular_interval(&integer_grouping),
            integer_grouping,
            fraction_grouping: self.grouping(self.fraction, Side::Left, format),
        }
    }

    /// For each grouping separator of a part the number of digit signs on one side of it.
    ///
    /// From the second on the positions are those of the integer part's separators, whichever the part: a slip of
    /// jsonata-js that shows where the fraction is grouped too.
    fn grouping(&self, part: &[char], side: Side, format: &DecimalFormat) -> Vec<usize> {
        let mut counts = Vec::new();
        let mut position = find(part, &format.grouping_separator, 0);
        while let Some(at) = position {
            let counted = match side {
                Side::Left => slice(part, 0, at),
                Side::Right => slice(part, at, part.len()),
            };
            counts.push(digit_signs(counted, format));
            position = find(self.integer, &format.grouping_separator, at + 1);
        }
        counts
    }
}

/// Number of digits and optional digit signs.
fn digit_signs(part: &[char], format: &DecimalFormat) -> usize {
    part.iter().filter(|c| format.is_digit_sign(**c)).count()
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}
