//! Numbers as JavaScript writes them.

/// The integer, when `value` is whole and so small that a double holds it and its neighbours exactly.
pub(crate) fn whole(value: f64) -> Option<i64> {
    const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;
    // The cast saturates, so what is too large does not come back as itself.
    let int = value as i64;
    (int as f64 == value && value.abs() < EXACT_BELOW).then_some(int)
}

/// The shortest text that reads back as `value`, as JavaScript writes it.
pub(crate) fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    ryu_js::Buffer::new().format_finite(value).to_owned()
}

/// `value` rounded to 15 significant digits, halves away from zero: what JSONata prints of a fraction.
pub(crate) fn to_precision_15(value: f64) -> f64 {
    const DIGITS: usize = 15;
    if !value.is_finite() || value.fract() == 0.0 {
        return value;
    }
    // Rust rounds halves to even where JavaScript rounds up; more digits than a tie can have tell them apart.
    let exact = format!("{:.60e}", value.abs());
    let Some((mantissa, exponent)) = exact.split_once('e') else { return value };
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let tie = digits.get(DIGITS) == Some(&b'5') && digits.iter().skip(DIGITS + 1).all(|digit| *digit == b'0');
    if tie {
        let head: String = digits.iter().take(DIGITS).map(|digit| char::from(*digit)).collect();
        let (Ok(head), Ok(exponent)) = (head.parse::<u64>(), exponent.parse::<i32>()) else { return value };
        let rounded = format!("{}e{}", head + 1, exponent - (DIGITS as i32 - 1));
        return rounded.parse::<f64>().map_or(value, |rounded| rounded.copysign(value));
    }
    format!("{:.14e}", value).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits() {
        let cases = [
            (0.1 + 0.2, 0.3),
            (1.0 / 3.0, 0.333333333333333),
            (100_000_000_000_000.5, 100_000_000_000_001.0),
            (-100_000_000_000_000.5, -100_000_000_000_001.0),
            (1e-7, 1e-7),
        ];
        for (value, expect) in cases {
            assert_eq!(to_precision_15(value), expect);
        }
    }
}
