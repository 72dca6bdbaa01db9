//! A bucket of tokens: full, it holds as many starts as the rate allows, and it is refilled evenly.
//!
//! It is one number, the time at which it will be full: each token that is taken moves that on by what it takes to refill one.

use super::definition::Rate;

/// Microseconds since 1970; 0: it has been full for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Bucket {
    full_at_us: i64,
}

impl Rate {
    /// What it takes to refill one token.
    fn token_us(self) -> i64 {
        (i64::from(self.per_s) * 1_000_000 / i64::from(self.count.max(1))).max(1)
    }

    /// What it takes to refill all.
    fn whole_us(self) -> i64 {
        self.token_us().saturating_mul(i64::from(self.count))
    }
}

impl Bucket {
    /// A bucket that was empty at that time.
    pub fn emptied(rate: Rate, at_ms: i64) -> Bucket {
        Bucket { full_at_us: at_ms.saturating_mul(1_000).saturating_add(rate.whole_us()) }
    }

    /// When the next token is there: milliseconds since 1970; `None`: now.
    pub fn next_ms(self, rate: Rate, now_ms: i64) -> Option<i64> {
        let now_us = now_ms.saturating_mul(1_000);
        let there_us = self.full_at_us.saturating_add(rate.token_us()).saturating_sub(rate.whole_us());
        (there_us > now_us).then(|| there_us.saturating_add(999) / 1_000)
    }

    pub fn take(&mut self, rate: Rate, now_ms: i64) {
        self.full_at_us = self.full_at_us.max(now_ms.saturating_mul(1_000)).saturating_add(rate.token_us());
    }

    /// For a rate that has changed: never more than empty.
    pub fn clip(&mut self, rate: Rate, now_ms: i64) {
        self.full_at_us = self.full_at_us.min(Bucket::emptied(rate, now_ms).full_at_us);
    }

    /// When it will be full: milliseconds since 1970; `None`: it is.
    pub fn full_ms(self, now_ms: i64) -> Option<i64> {
        let is_full = self.full_at_us <= now_ms.saturating_mul(1_000);
        (!is_full).then(|| self.full_at_us.saturating_add(999) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: i64 = 1_000_000;

    #[test]
    fn tokens_come_evenly() {
        let rate = Rate { count: 3, per_s: 60 };
        let mut bucket = Bucket::default();
        let mut given = Vec::new();
        for _ in 0..6 {
            let mut now_ms = given.last().copied().unwrap_or(START_MS);
            now_ms = bucket.next_ms(rate, now_ms).unwrap_or(now_ms);
            assert_eq!(bucket.next_ms(rate, now_ms), None);
            bucket.take(rate, now_ms);
            given.push(now_ms);
        }
        let after: Vec<i64> = given.iter().map(|at_ms| at_ms - START_MS).collect();
        assert_eq!(after, [0, 0, 0, 20_000, 40_000, 60_000]);
        assert_eq!(bucket.full_ms(START_MS + 119_999), Some(START_MS + 120_000));
        assert_eq!(bucket.full_ms(START_MS + 120_000), None);
    }

    #[test]
    fn an_empty_bucket_gives_its_first_token_after_a_part_of_the_time() {
        let rate = Rate { count: 100, per_s: 60 };
        let bucket = Bucket::emptied(rate, START_MS);
        assert_eq!(bucket.next_ms(rate, START_MS), Some(START_MS + 600));
        let mut slow = Bucket::emptied(Rate { count: 1, per_s: 3_600 }, START_MS);
        slow.clip(rate, START_MS);
        assert_eq!(slow, bucket);
    }
}
