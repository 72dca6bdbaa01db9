//! `States.MathAdd`, `States.MathRandom`, `States.UUID`.

use stepwright_value::Value;

use super::Random;
use super::function::Outcome;

/// The nearest integer, halves towards positive infinity, as Java rounds. `None` outside of `i64`.
pub(super) fn round(value: f64) -> Option<i64> {
    let rounded = if value.fract() == 0.0 { value } else { (value + 0.5).floor() };
    // 2^63 is the first double outside of i64.
    (rounded.abs() < 9_223_372_036_854_775_808.0).then_some(rounded as i64)
}

pub(super) fn add(left: i64, right: i64) -> Outcome {
    left.checked_add(right).map(Value::from).ok_or_else(|| "The sum is out of range".into())
}

/// An integer from `start` up to but not including `end`.
pub(super) fn random(start: i64, end: i64, seed: Option<i64>, random: Random<'_>) -> Outcome {
    if start >= end {
        return Err("The start of the range must be less than its end".into());
    }
    let seed = seed.unwrap_or_else(|| random() as i64);
    Ok(JavaRandom::new(seed).between(start, end).into())
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

    fn long(&mut self) -> i64 {
        (i64::from(self.bits(32)) << 32).wrapping_add(i64::from(self.bits(32)))
    }

    /// `start` must be less than `end`.
    fn between(&mut self, start: i64, end: i64) -> i64 {
        let range = end.wrapping_sub(start);
        match i32::try_from(range) {
            Ok(range) if range > 0 => start + i64::from(self.below(range)),
            _ => self.between_far(start, end, range),
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

    /// Java's `internalNextLong(origin, bound)`. `range` is their difference, negative where it overflows.
    fn between_far(&mut self, start: i64, end: i64, range: i64) -> i64 {
        loop {
            let drawn = self.long();
            if range <= 0 {
                if (start..end).contains(&drawn) {
                    return drawn;
                }
            } else {
                let positive = ((drawn as u64) >> 1) as i64;
                let value = positive % range;
                if (positive - value).checked_add(range - 1).is_some() {
                    return start + value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_halves_up() {
        for (value, expect) in
            [(0.5, 1), (-0.5, 0), (-1.5, -1), (-1.51, -2), (2.5, 3), (1.49, 1), (1e15, 10i64.pow(15))]
        {
            assert_eq!(round(value), Some(expect), "{value}");
        }
        assert_eq!(round(1e300), None);
    }

    #[test]
    fn random_is_javas() {
        // new java.util.Random(42).nextInt(10), three times.
        let mut random = JavaRandom::new(42);
        assert_eq!([random.below(10), random.below(10), random.below(10)], [0, 3, 8]);
        // new java.util.Random(42).nextLong()
        assert_eq!(JavaRandom::new(42).long(), -5_025_562_857_975_149_833);
        for (start, end) in
            [(i64::MIN, i64::MAX), (-5, i64::from(i32::MAX) * 4), (0, 1), (-1, 0), (i64::MAX - 1, i64::MAX)]
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
