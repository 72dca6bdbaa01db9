//! `States.MathAdd`, `States.MathRandom`, `States.UUID`.

use stepwright_value::Value;
use stepwright_value::java::{JavaNumber, number};

use super::Random;
use super::function::{Outcome, Refused};

/// The nearest integer, halves towards positive infinity, as Java's `Math.round`, of which the low 32 bits are used.
pub(super) fn round(value: f64) -> i32 {
    let rounded = if value.fract() == 0.0 { value } else { (value + 0.5).floor() };
    rounded as i64 as i32
}

pub(super) fn add(left: i32, right: i32) -> Outcome {
    left.checked_add(right).map(|sum| i64::from(sum).into()).ok_or(Refused::Invalid)
}

/// What seeds `java.util.Random`.
pub(super) fn seed(value: &Value) -> Option<i64> {
    match number(value.as_number()?) {
        JavaNumber::Integer(whole) => Some(whole.into()),
        JavaNumber::Long(whole) => Some(whole),
        JavaNumber::Double(double) => Some(double as i64),
        JavaNumber::Big => None,
    }
}

/// An integer from `start` up to but not including `end`.
pub(super) fn random(start: i32, end: i32, seed: Option<i64>, random: Random<'_>) -> Outcome {
    if start >= end {
        return Err(Refused::Invalid);
    }
    let seed = seed.unwrap_or_else(|| random() as i64);
    Ok(i64::from(JavaRandom::new(seed).between(start, end)).into())
}

/// A version 4 UUID.
pub(super) fn uuid(random: Random<'_>) -> Value {
    let high = (random() & !0xF000) | 0x4000;
    let low = (random() & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
    .into()
}

/// `java.util.Random`: a seed gives the same numbers as on AWS, which has been seen to use it.
struct JavaRandom(u64);

impl JavaRandom {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;

    fn new(seed: i64) -> JavaRandom {
        JavaRandom((seed as u64 ^ JavaRandom::MULTIPLIER) & JavaRandom::MASK)
    }

    fn bits(&mut self, count: u32) -> i32 {
        self.0 = self.0.wrapping_mul(JavaRandom::MULTIPLIER).wrapping_add(0xB) & JavaRandom::MASK;
        (self.0 >> (48 - count)) as i32
    }

    /// Java's `internalNextInt(origin, bound)`; `start` must be less than `end`.
    fn between(&mut self, start: i32, end: i32) -> i32 {
        match end.checked_sub(start) {
            Some(range) => start + self.below(range),
            // The range is more than half of all integers, so at worst every other draw is in it.
            None => loop {
                let drawn = self.bits(32);
                if (start..end).contains(&drawn) {
                    return drawn;
                }
            },
        }
    }

    /// Java's `nextInt(bound)`.
    fn below(&mut self, bound: i32) -> i32 {
        let mut bits = self.bits(31);
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(bits)) >> 31) as i32;
        }
        // Rejects what would make some numbers likelier; at worst every other draw.
        loop {
            let value = bits % bound;
            if bits.checked_sub(value).and_then(|floor| floor.checked_add(bound - 1)).is_some() {
                return value;
            }
            bits = self.bits(31);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_halves_up() {
        for (value, expect) in [(0.5, 1), (-0.5, 0), (-1.5, -1), (-1.51, -2), (2.5, 3), (1.49, 1)] {
            assert_eq!(round(value), expect, "{value}");
        }
        // AWS adds to 1e309, so that its size is no error.
        assert_eq!((round(f64::INFINITY), round(f64::NEG_INFINITY)), (-1, 0));
    }

    #[test]
    fn random_is_javas() {
        // new java.util.Random(42).nextInt(10), three times.
        let mut random = JavaRandom::new(42);
        assert_eq!([random.below(10), random.below(10), random.below(10)], [0, 3, 8]);
        for (start, end) in [(i32::MIN, i32::MAX), (-5, i32::MAX), (0, 1), (-1, 0), (i32::MAX - 1, i32::MAX)]
        {
            let drawn = JavaRandom::new(7).between(start, end);
            assert!((start..end).contains(&drawn), "{start} {end} {drawn}");
        }
    }

    #[test]
    fn uuid_is_version_4() {
        assert_eq!(uuid(&mut || 0), "00000000-0000-4000-8000-000000000000".into());
        assert_eq!(uuid(&mut || u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff".into());
    }
}
