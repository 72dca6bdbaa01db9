//! Numbers as JavaScript and Java write them.

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

/// What `$string` makes of a finite number: whole ones as JavaScript writes them, others cut to 15 significant digits
/// towards minus infinity, as `java.math.BigDecimal` writes them but for the case of the exponent.
pub(crate) fn decimal_text(value: f64) -> String {
    const DIGITS: usize = 15;
    if value.fract() == 0.0 {
        return number_text(value);
    }
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut exponent = exponent.parse::<i32>().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    if digits.len() > DIGITS {
        digits.truncate(DIGITS);
        if value < 0.0 {
            // Away from zero.
            while digits.last() == Some(&9) {
                digits.pop();
            }
            match digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    digits.push(1);
                    exponent += 1;
                }
            }
        }
    }
    while digits.len() > 1 && digits.last() == Some(&0) {
        digits.pop();
    }
    let mut out = String::with_capacity(24);
    if value < 0.0 {
        out.push('-');
    }
    let digit = |at: i32| {
        let known = usize::try_from(at).ok().and_then(|at| digits.get(at)).copied();
        char::from(b'0' + known.unwrap_or(0))
    };
    let last = digits.len() as i32 - 1;
    if exponent < -6 || exponent > last {
        out.push(digit(0));
        if last > 0 {
            out.push('.');
            out.extend((1..=last).map(digit));
        }
        out.push_str(if exponent < 0 { "e-" } else { "e+" });
        out.push_str(&exponent.unsigned_abs().to_string());
        return out;
    }
    out.extend(
        (exponent.min(0)..=exponent)
            .map(digit)
            .skip(usize::from(exponent < 0) * exponent.unsigned_abs() as usize),
    );
    if exponent < last {
        if exponent < 0 {
            out.push('0');
        }
        out.push('.');
        out.extend((exponent + 1..=last).map(digit));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_digits() {
        let cases = [
            (0.1 + 0.2, "0.3"),
            (2.0 / 3.0, "0.666666666666666"),
            (-2.0 / 3.0, "-0.666666666666667"),
            (-1.0 / 3.0, "-0.333333333333334"),
            (-0.999_999_999_999_999_9, "-1"),
            (1.5, "1.5"),
            (-12.75, "-12.75"),
            (0.001, "0.001"),
            (0.000001, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (1e-7, "1e-7"),
            (5e-324, "5e-324"),
            (1_234_567_890_123_456.7, "1.23456789012345e+15"),
            (100_000_000_000_000.5, "1e+14"),
            (-100_000_000_000_000.5, "-100000000000001"),
            (1_000_000_000_000_000.5, "1e+15"),
            (1e20, "100000000000000000000"),
            (1.5e21, "1.5e+21"),
            (9_223_372_036_854_775_807.0, "9223372036854776000"),
        ];
        for (value, expect) in cases {
            assert_eq!(decimal_text(value), expect);
        }
    }
}
