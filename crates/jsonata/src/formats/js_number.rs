//! The JavaScript number operations on which jsonata-js's picture functions rest, with JavaScript's results to the
//! last digit.

/// `String(value)`.
pub(super) fn to_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        ryu_js::Buffer::new().format_finite(value).to_owned()
    }
}

/// JSONata's `$round`: to `precision` decimals, ties to the even neighbour, never minus zero.
///
/// The decimal point is moved in the text of the number, since multiplying by a power of ten would bring in binary
/// rounding errors of its own. A value that leaves the range of doubles on the way gives NaN.
pub(super) fn round(value: f64, precision: usize) -> f64 {
    if precision == 0 {
        return value.round_ties_even() + 0.0;
    }
    let shift = i64::try_from(precision).unwrap_or(i64::MAX);
    move_decimal_point(move_decimal_point(value, shift).round_ties_even(), -shift) + 0.0
}

/// `value` times ten to the power `shift`, correctly rounded; NaN for a value that is not finite.
fn move_decimal_point(value: f64, shift: i64) -> f64 {
    let text = to_text(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<i64>().unwrap_or(0).saturating_add(shift);
    if value.is_finite() { format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// Most decimals [`to_fixed`] accepts.
pub(super) const FIXED_DECIMALS_MAX: usize = 100;

/// `value.toFixed(decimals)` of a value that is not negative: the exact decimal expansion, ties upwards. From 1e21 on, where
/// JavaScript has an exponent, the digits that tell the value from its neighbours, and zeros.
pub(super) fn to_fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return to_text(value);
    }
    if value >= 1e21 {
        let point = if decimals > 0 { "." } else { "" };
        return format!("{value}{point}{}", "0".repeat(decimals));
    }
    // Rust rounds ties to even; everything else agrees.
    if fraction_bits(value) == decimals + 1 {
        return round_up_last_digit(format!("{value:.*}", decimals + 1));
    }
    format!("{value:.decimals$}")
}

/// Drops the last digit of a decimal number (and the point if that was the only decimal) and adds one to the digit
/// before.
fn round_up_last_digit(text: String) -> String {
    let kept = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let kept = kept.strip_suffix('.').unwrap_or(kept);
    let mut digits: Vec<char> = kept.chars().collect();
    for digit in digits.iter_mut().rev().filter(|digit| **digit != '.') {
        match digit.to_digit(10).and_then(|value| char::from_digit(value + 1, 10)) {
            Some(next) => {
                *digit = next;
                return digits.into_iter().collect();
            }
            None => *digit = '0',
        }
    }
    digits.insert(0, '1');
    digits.into_iter().collect()
}

/// Number of binary digits after the point. A number with `n > 0` of them has exactly `n` decimals, the last a 5; so
/// it is a tie when rounded to `n - 1` decimals and at no other place.
fn fraction_bits(value: f64) -> usize {
    const MANTISSA_BITS: u32 = 52;
    let bits = value.to_bits();
    let biased_exponent = ((bits >> MANTISSA_BITS) & 0x7ff) as u32;
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    let (mantissa, exponent) = match biased_exponent {
        0 => (mantissa, 1),
        exponent => (mantissa | (1 << MANTISSA_BITS), exponent),
    };
    if mantissa == 0 {
        return 0;
    }
    // value = mantissa * 2^(exponent - 1075)
    let bits_after_point = (1023 + MANTISSA_BITS).saturating_sub(exponent);
    bits_after_point.saturating_sub(mantissa.trailing_zeros()) as usize
}

/// `Number.parseInt(text)`: leading white space, a sign, then decimal digits or `0x` and hexadecimal ones; what
/// follows is ignored. NaN without a digit.
pub(super) fn parse_int(text: &str) -> f64 {
    let text = text.trim_start_matches(is_white_space);
    let (negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let magnitude = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal),
        None => {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(f64::NAN)
        }
    };
    if negative { -magnitude } else { magnitude }
}

fn parse_hexadecimal(text: &str) -> f64 {
    let mut digits = text.chars().map_while(|c| c.to_digit(16)).peekable();
    if digits.peek().is_none() {
        return f64::NAN;
    }
    digits.fold(0.0, |value, digit| value * 16.0 + f64::from(digit))
}

/// `\s` of a JavaScript regular expression.
pub(super) fn is_white_space(c: char) -> bool {
    // NEL is white space in Unicode only, the byte order mark in JavaScript only.
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_goes_to_the_even_neighbour_in_decimal() {
        let check = |value: f64, precision: usize, expect: &str| {
            assert_eq!(to_text(round(value, precision)), expect, "{value} at {precision}");
        };
        check(2.5, 0, "2");
        check(3.5, 0, "4");
        check(-0.5, 0, "0");
        check(-1.5, 0, "-2");
        check(0.49999999999999994, 0, "0");
        check(1.005, 2, "1");
        check(1.015, 2, "1.02");
        check(-4.515, 2, "-4.52");
        check(1e-7, 3, "0");
        check(1e300, 20, "NaN");
        check(f64::INFINITY, 2, "NaN");
        check(f64::INFINITY, 0, "Infinity");
    }

    #[test]
    fn to_fixed_rounds_ties_up() {
        let check = |value: f64, decimals: usize, expect: &str| assert_eq!(to_fixed(value, decimals), expect);
        check(0.5, 0, "1");
        check(2.5, 0, "3");
        check(1.45, 1, "1.4");
        check(8.345, 2, "8.35");
        check(0.125, 2, "0.13");
        check(9.5, 0, "10");
        check(0.9375, 3, "0.938");
        check(99.96875, 4, "99.9688");
        check(482100043445825.56, 3, "482100043445825.563");
        check(0.000001, 7, "0.0000010");
        check(123.456, 0, "123");
        check(1e21, 2, "1000000000000000000000.00");
        check(f64::NAN, 2, "NaN");
        check(0.0, 2, "0.00");
        check(f64::from_bits(1), 3, "0.000");
    }

    #[test]
    fn parse_int_reads_a_prefix() {
        let check = |text: &str, expect: &str| assert_eq!(to_text(parse_int(text)), expect, "{text:?}");
        check(" \u{feff}-12abc", "-12");
        check("+05:30", "5");
        check("0x1Fg", "31");
        check("0x", "NaN");
        check("", "NaN");
        check("-", "NaN");
        check("12345678901234567890123", "1.2345678901234568e+22");
        check("1e3", "1");
    }
}
