//! `$formatBase`: a number in another base.

use super::FormatError;
use super::js_number;

/// Formats `value` in the number base `radix`. Both are rounded to integers first (ties to even).
///
/// Base 10 gives JavaScript's ordinary text, with an exponent from 1e21 on. Other bases give all digits; those beyond
/// the 53 significant bits are zeros.
///
/// Errors: D3100 for a radix outside 2 to 36.
pub fn format_base(value: f64, radix: f64) -> Result<String, FormatError> {
    let value = js_number::round(value, 0);
    let radix = js_number::round(radix, 0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(FormatError::about_number("D3100", json_number(radix)));
    }
    if radix == 10.0 || !value.is_finite() {
        return Ok(js_number::to_text(value));
    }
    Ok(digits(value, radix))
}

/// The JSON text of a number: JSON has no infinity and no NaN.
fn json_number(value: f64) -> String {
    if value.is_finite() { js_number::to_text(value) } else { "null".to_owned() }
}

/// The digits of a finite integer. A double knows its value to 53 bits; the low digits of larger ones become zeros,
/// but for one digit more than the bits would allow, as in V8.
fn digits(value: f64, radix: f64) -> String {
    const EXACT_LIMIT: f64 = 9_007_199_254_740_992.0;
    let mut rest = value.abs();
    let mut reversed = Vec::new();
    while rest / radix >= EXACT_LIMIT {
        rest /= radix;
        reversed.push('0');
    }
    loop {
        let digit = rest % radix;
        reversed.push(char::from_digit(digit as u32, radix as u32).unwrap_or('0'));
        rest = (rest - digit) / radix;
        if rest <= 0.0 {
            break;
        }
    }
    if value < 0.0 {
        reversed.push('-');
    }
    reversed.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_in_a_base() {
        let check = |value: f64, radix: f64, expect: &str| {
            assert_eq!(format_base(value, radix).unwrap_or_else(|e| e.to_string()), expect);
        };
        check(100.0, 10.0, "100");
        check(100.0, 2.0, "1100100");
        check(-100.0, 2.0, "-1100100");
        check(255.0, 16.0, "ff");
        check(99.5, 2.5, "1100100");
        check(0.0, 7.0, "0");
        check(35.4, 36.0, "z");
        check(1e21, 10.0, "1e+21");
        check(1e21, 16.0, "3635c9adc5dea00000");
        check(1e19, 7.0, "23621642325042620562000");
        check(5.708210334706838e21, 36.0, "xgob0my1q4w000");
        check(
            1.0,
            1.0,
            "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 1",
        );
        check(
            1.0,
            36.6,
            "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 37",
        );
        check(
            1.0,
            f64::NAN,
            "D3100: The radix of the formatBase function must be between 2 and 36.  It was given null",
        );
    }
}
