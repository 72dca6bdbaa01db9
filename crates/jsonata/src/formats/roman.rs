//! Roman numerals.

use super::FormatError;

const NUMERALS: [(f64, &str); 13] = [
    (1000.0, "m"),
    (900.0, "cm"),
    (500.0, "d"),
    (400.0, "cd"),
    (100.0, "c"),
    (90.0, "xc"),
    (50.0, "l"),
    (40.0, "xl"),
    (10.0, "x"),
    (9.0, "ix"),
    (5.0, "v"),
    (4.0, "iv"),
    (1.0, "i"),
];

/// Largest number written: its numeral is already ten thousand letters.
const VALUE_MAX: f64 = 10_000_000.0;

/// The lower-case numeral of an integer that is not negative; empty for zero and NaN.
pub(super) fn to_roman(value: f64) -> Result<String, FormatError> {
    if value > VALUE_MAX {
        return Err(FormatError::host("Maximum call stack size exceeded"));
    }
    let mut rest = value;
    let mut roman = String::new();
    for (worth, letters) in NUMERALS {
        while rest >= worth {
            roman.push_str(letters);
            rest -= worth;
        }
    }
    Ok(roman)
}

/// The value of an upper-case numeral; NaN if it holds any other character.
///
/// Read from the right, a letter worth less than the largest so far is subtracted; no further rule is enforced, so
/// `IC` is 99.
pub(super) fn from_roman(roman: &str) -> f64 {
    let mut total = 0.0;
    let mut largest = 1.0;
    for letter in roman.chars().rev() {
        let value = match letter {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return f64::NAN,
        };
        if value < largest {
            total -= value;
        } else {
            largest = value;
            total += value;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_numerals() {
        for (value, roman) in
            [(1984.0, "mcmlxxxiv"), (99.0, "xcix"), (4.0, "iv"), (3999.0, "mmmcmxcix"), (0.0, "")]
        {
            assert_eq!(to_roman(value).as_deref(), Ok(roman));
            assert_eq!(from_roman(&roman.to_uppercase()), value);
        }
        assert_eq!(from_roman("IC"), 99.0);
        assert!(from_roman("XQ").is_nan());
        assert!(to_roman(1e300).is_err());
    }
}
