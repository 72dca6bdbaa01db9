//! Letter numbering as in spreadsheet columns: a, b, ... z, aa, ab, ...

use super::FormatError;

/// The letters of an integer that is not negative, counting from `first` (`a` or `A`); empty for zero and NaN.
pub(super) fn to_letters(value: f64, first: char) -> Result<String, FormatError> {
    if value.is_infinite() {
        return Err(FormatError::host("Invalid array length"));
    }
    let mut reversed = Vec::new();
    let mut rest = value;
    while rest > 0.0 {
        let offset = ((rest - 1.0) % 26.0) as u32;
        reversed.extend(char::from_u32(u32::from(first) + offset));
        rest = ((rest - 1.0) / 26.0).floor();
    }
    Ok(reversed.into_iter().rev().collect())
}

/// The number of a letter sequence. Every character counts by its distance from `first`, so other characters give
/// numbers too.
pub(super) fn from_letters(letters: &str, first: char) -> f64 {
    let units: Vec<u16> = letters.encode_utf16().collect();
    let before_first = f64::from(u32::from(first)) - 1.0;
    let mut total = 0.0;
    for (place, unit) in units.into_iter().rev().enumerate() {
        total += (f64::from(unit) - before_first) * 26f64.powf(place as f64);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_reads_letters() {
        for (value, letters) in [(1.0, "a"), (26.0, "z"), (27.0, "aa"), (12345678.0, "zzjut"), (0.0, "")] {
            assert_eq!(to_letters(value, 'a').as_deref(), Ok(letters));
            assert_eq!(from_letters(letters, 'a'), value);
        }
        assert_eq!(to_letters(28.0, 'A').as_deref(), Ok("AB"));
        assert_eq!(from_letters("AB", 'a'), -31.0 * 26.0 - 30.0);
    }
}
