//! `$formatNumber`: a number by a picture (XPath F&O 3.1 §4.7.5).

use super::number_picture::{self, DecimalFormat, NumberPicture, Scale, find};
use super::{FormatError, js_number};

/// Formats `value` by a picture of one or two sub-pictures (the second for negative numbers), such as `#,##0.00`,
/// `01%` or `0.0#e0`.
///
/// `options` override properties of the decimal format by name: `decimal-separator`, `grouping-separator`,
/// `exponent-separator`, `minus-sign`, `percent`, `per-mille`, `zero-digit`, `digit`, `pattern-separator`. Other names
/// are ignored.
///
/// Errors: D3080 to D3093 for an invalid picture; D3137 for more than 100 decimals, for a picture of thousands of
/// characters and for an infinite number with an exponent.
pub fn format_number(
    value: f64,
    picture: &str,
    options: Option<&[(String, String)]>,
) -> Result<String, FormatError> {
    let format = DecimalFormat::new(options.unwrap_or_default())?;
    let (positive, negative) = number_picture::analyse(picture, &format)?;
    let negative = negative.unwrap_or_else(|| {
        let prefix = [format.minus_sign.as_slice(), &positive.prefix].concat();
        NumberPicture { prefix, ..positive.clone() }
    });
    // NaN takes the negative picture, as every comparison with it fails.
    let picture = if value >= 0.0 { positive } else { negative };
    if picture.fraction_digits_max > js_number::FIXED_DECIMALS_MAX {
        return Err(FormatError::host("toFixed() digits argument must be between 0 and 100"));
    }
    let scaled = match picture.scale {
        Scale::One => value,
        Scale::Percent => value * 100.0,
        Scale::PerMille => value * 1000.0,
    };
    let (mantissa, exponent) = match picture.exponent_digits_min {
        0 => (scaled, None),
        _ => split_exponent(scaled, picture.scaling_factor)?,
    };
    let mut text = digits(mantissa, &picture, &format);
    text = group(text, &picture, &format);
    drop_bare_separator(&mut text, &picture, &format);
    if let Some(exponent) = exponent {
        append_exponent(&mut text, exponent, &picture, &format);
    }
    Ok(picture.prefix.iter().chain(&text).chain(&picture.suffix).collect())
}

/// Splits a number into a mantissa with `integer_digits` digits before the point and a power of ten. (Step by step,
/// since the rounding of each step shows in the result.)
fn split_exponent(value: f64, integer_digits: usize) -> Result<(f64, Option<i32>), FormatError> {
    if value.is_infinite() {
        return Err(FormatError::host("Number out of range"));
    }
    let power = i32::try_from(integer_digits).unwrap_or(i32::MAX);
    let (max, min) = (power_of_ten(power), power_of_ten(power.saturating_sub(1)));
    let mut mantissa = value;
    let mut exponent = 0;
    if mantissa != 0.0 {
        while mantissa.abs() < min {
            mantissa *= 10.0;
            exponent -= 1;
        }
        while mantissa.abs() > max {
            mantissa /= 10.0;
            exponent += 1;
        }
    }
    Ok((mantissa, Some(exponent)))
}

/// Ten to the power `exponent`, correctly rounded.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::INFINITY)
}

/// The digits of the mantissa around a decimal separator (which is always there), at least as many as the picture
/// asks for.
fn digits(mantissa: f64, picture: &NumberPicture, format: &DecimalFormat) -> Vec<char> {
    let rounded = match mantissa.abs() {
        whole if whole >= 1e21 => mantissa,
        _ => js_number::round(mantissa, picture.fraction_digits_max),
    };
    let mut text = in_family(&js_number::to_fixed(rounded.abs(), picture.fraction_digits_max), format);
    match text.iter().position(|c| *c == '.') {
        Some(point) => drop(text.splice(point..=point, format.decimal_separator.iter().copied())),
        None => text.extend(&format.decimal_separator),
    }
    if let [zero] = format.zero_digit.as_slice() {
        let leading = text.iter().take_while(|c| *c == zero).count();
        text.drain(..leading);
        let trailing = text.iter().rev().take_while(|c| *c == zero).count();
        text.truncate(text.len() - trailing);
    }
    // Without a separator to be found (a zero digit can look like one) JavaScript counts from position -1.
    let (integer_digits, fraction_digits) = match find(&text, &format.decimal_separator, 0) {
        Some(at) => (at, text.len().saturating_sub(at + 1)),
        None => (0, text.len()),
    };
    let pad = |missing: usize| std::iter::repeat_n(&format.zero_digit, missing).flatten().copied();
    let left = picture.integer_digits_min.saturating_sub(integer_digits);
    let right = picture.fraction_digits_min.saturating_sub(fraction_digits);
    pad(left).chain(text.iter().copied()).chain(pad(right)).collect()
}

/// The text of a number in the digits of the format's family.
fn in_family(text: &str, format: &DecimalFormat) -> Vec<char> {
    let moved = |c: char| c.to_digit(10).and_then(|value| format.family_digit(value)).unwrap_or(c);
    text.chars().map(moved).collect()
}

/// Inserts the grouping separators of both parts.
fn group(mut text: Vec<char>, picture: &NumberPicture, format: &DecimalFormat) -> Vec<char> {
    let separator = &format.grouping_separator;
    let mut decimal_at = position(&text, format);
    if let Some(interval) = picture.regular_grouping {
        for group in 1..=(decimal_at - 1).div_euclid(interval as i64) {
            insert(&mut text, decimal_at - group * interval as i64, separator);
        }
    } else {
        for count in &picture.integer_grouping {
            insert(&mut text, decimal_at - *count as i64, separator);
            decimal_at += 1;
        }
    }
    let decimal_at = position(&text, format);
    for count in &picture.fraction_grouping {
        insert(&mut text, *count as i64 + decimal_at + 1, separator);
    }
    text
}

/// The position of the decimal separator, -1 if there is none.
fn position(text: &[char], format: &DecimalFormat) -> i64 {
    find(text, &format.decimal_separator, 0).map_or(-1, |at| at as i64)
}

/// Inserts at a position of JavaScript's `slice`: negative ones count from the end, all are held within the text.
fn insert(text: &mut Vec<char>, at: i64, separator: &[char]) {
    let length = text.len() as i64;
    let at = if at < 0 { (length + at).max(0) } else { at.min(length) } as usize;
    text.splice(at..at, separator.iter().copied());
}

/// Removes the decimal separator if nothing follows it or the picture has none.
fn drop_bare_separator(text: &mut Vec<char>, picture: &NumberPicture, format: &DecimalFormat) {
    let last = text.len() as i64 - 1;
    if !picture.has_decimal_separator || position(text, format) == last {
        text.pop();
    }
}

fn append_exponent(text: &mut Vec<char>, exponent: i32, picture: &NumberPicture, format: &DecimalFormat) {
    text.extend(&format.exponent_separator);
    if exponent < 0 {
        text.extend(&format.minus_sign);
    }
    let digits = in_family(&exponent.unsigned_abs().to_string(), format);
    let missing = picture.exponent_digits_min.saturating_sub(digits.len());
    text.extend(std::iter::repeat_n(&format.zero_digit, missing).flatten());
    text.extend(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(value: f64, picture: &str, options: &[(&str, &str)], expect: &str) {
        let options: Vec<(String, String)> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let result = match format_number(value, picture, Some(&options)) {
            Ok(text) => text,
            Err(error) if error.code == "D3137" => error.to_string(),
            Err(error) => error.code.to_owned(),
        };
        assert_eq!(result, expect, "{value} {picture:?} {options:?}");
    }

    fn check(value: f64, picture: &str, expect: &str) {
        check_with(value, picture, &[], expect);
    }

    #[test]
    fn formats_digits_and_groups() {
        check(12345.6, "#,###.00", "12,345.60");
        check(12345678.9, "9,999.99", "12,345,678.90");
        check(123412345678.9, "9,9,99.99", "123412345,6,78.90");
        check(1234.56789, "9,999.999,999", "1,234.567,890");
        check(123.9, "9999", "0124");
        check(-6.0, "000", "-006");
        check(0.0, "#.#", ".0");
        check(0.0, "#.0", ".0");
        check(1234.5678, "$#,##0.00 USD", "$1,234.57 USD");
        check(-5.0, "0;(0)", "(5)");
        check(0.5, "0", "0");
        check(1e21, "0.00", "1000000000000000000000.00");
        check(-1.5e308, "0", &format!("-15{}", "0".repeat(307)));
        check(1.0, "#,#,#0", ",,1");
    }

    #[test]
    fn scales() {
        check(0.14, "01%", "14%");
        check(0.4857, "###.###\u{2030}", "485.7\u{2030}");
        check_with(0.14, "###pm", &[("per-mille", "pm")], "140pm");
    }

    #[test]
    fn formats_exponents() {
        check(1234.5678, "00.000e0", "12.346e2");
        check(1234.5678, "00.000e000", "12.346e002");
        check(0.000234, "0.0e0", "2.3e-4");
        check(0.234, ".0e0", ".2e0");
        check(-0.0234, "#.00e0", "-0.23e-1");
        check(0.0, "0e0", "0e0");
        check(1.0, &"0".repeat(4000), &format!("{}1", "0".repeat(3999)));
    }

    #[test]
    fn follows_the_decimal_format() {
        let circled = [("zero-digit", "\u{245f}")];
        check_with(
            1234.5678,
            "\u{2460}\u{2460}.\u{2460}\u{2460}\u{2460}e\u{2460}",
            &circled,
            "\u{2460}\u{2461}.\u{2462}\u{2463}\u{2465}e\u{2461}",
        );
        let german = [("decimal-separator", ","), ("grouping-separator", "."), ("unknown", "x")];
        check_with(-1234567.891, "#.##0,00", &german, "-1.234.567,89");
        check_with(-1.0, "0", &[("minus-sign", "minus ")], "minus 1");
        check_with(1.0, "0", &[("zero-digit", &"0".repeat(65))], "D3137: Invalid string length");
    }

    #[test]
    fn refuses_invalid_pictures() {
        for (picture, code) in [
            ("0;0;0", "D3080"),
            ("0.0.0", "D3081"),
            ("0%%", "D3082"),
            ("0\u{2030}\u{2030}", "D3083"),
            ("0%\u{2030}", "D3084"),
            ("", "D3085"),
            (".e0", "D3085"),
            ("0a0", "D3086"),
            ("0,.0", "D3087"),
            ("0,", "D3088"),
            ("0,,0", "D3089"),
            ("0#.0", "D3090"),
            ("0.#0", "D3091"),
            ("0e0%", "D3092"),
            ("0e#", "D3093"),
        ] {
            check(20.0, picture, code);
        }
        check(
            1.0,
            &format!("0.{}", "0".repeat(101)),
            "D3137: toFixed() digits argument must be between 0 and 100",
        );
        check(1.0, &"0".repeat(5000), "D3137: Invalid string length");
    }
}
