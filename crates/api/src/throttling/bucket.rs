//! A token bucket that many threads share without a lock.
//!
//! It keeps one number, the time at which it will be full again: each token that is taken moves that time on by what it takes
//! to refill one, and there is none to take when it would lie further ahead than a whole bucket takes.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// How much a bucket holds, and how fast it fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Tokens of a full bucket: requests that may come at once.
    pub bucket: u32,
    /// Tokens that come back each second.
    pub refill_per_s: u32,
}

impl Rate {
    pub(super) const fn new(bucket: u32, refill_per_s: u32) -> Rate {
        Rate { bucket, refill_per_s }
    }

    /// A bucket that holds nothing, or never fills, would refuse for ever.
    pub fn is_usable(self) -> bool {
        self.bucket > 0 && self.refill_per_s > 0
    }

    fn packed(self) -> u64 {
        u64::from(self.bucket) << 32 | u64::from(self.refill_per_s)
    }
}

/// A bucket, open (it refuses nothing) until it gets a rate.
#[derive(Default)]
pub(super) struct Bucket {
    /// A [`Rate`] in one number; 0: none.
    rate: AtomicU64,
    /// Nanoseconds since 1970.
    full_at_ns: AtomicU64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Bucket {
    pub fn rate(&self) -> Option<Rate> {
        let packed = self.rate.load(Ordering::Relaxed);
        (packed != 0).then_some(Rate::new((packed >> 32) as u32, packed as u32))
    }

    /// From now on the bucket has this rate, and is full.
    pub fn set(&self, rate: Option<Rate>) {
        self.full_at_ns.store(0, Ordering::Relaxed);
        self.rate.store(rate.filter(|rate| rate.is_usable()).map_or(0, Rate::packed), Ordering::Relaxed);
    }

    /// Takes a token, if there is one. `now_ms`: milliseconds since 1970; asked only when there is a rate.
    pub fn take(&self, now_ms: impl FnOnce() -> i64) -> bool {
        let Some(rate) = self.rate() else { return true };
        let now_ns = now_ms().unsigned_abs().saturating_mul(1_000_000);
        let token_ns = SECOND_NS / u64::from(rate.refill_per_s);
        let latest_ns = now_ns.saturating_add(token_ns.saturating_mul(u64::from(rate.bucket)));
        let taken = self.full_at_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at_ns| {
            let then_ns = full_at_ns.max(now_ns).saturating_add(token_ns);
            (then_ns <= latest_ns).then_some(then_ns)
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_at_the_rate() {
        let bucket = Bucket::default();
        assert!((0..1000).all(|_| bucket.take(|| 0)), "without a rate it is open");
        bucket.set(Some(Rate::new(3, 2)));
        // Milliseconds, and how many of five requests get a token.
        let table = [(0, 3), (0, 0), (499, 0), (500, 1), (999, 0), (1_000, 1), (2_000, 2), (60_000, 3)];
        for (now_ms, expected) in table {
            let got = (0..5).filter(|_| bucket.take(|| now_ms)).count();
            assert_eq!(got, expected, "at {now_ms} ms");
        }
        bucket.set(Some(Rate::new(1, 1)));
        assert!(bucket.take(|| 60_000) && !bucket.take(|| 60_000), "a new rate begins with a full bucket");
        bucket.set(None);
        assert!(bucket.take(|| 60_000) && bucket.rate().is_none());
    }

    #[test]
    fn threads_share_exactly_what_there_is() {
        let bucket = Bucket::default();
        bucket.set(Some(Rate::new(1_000, 1)));
        let takers: Vec<usize> = std::thread::scope(|scope| {
            let take = || (0..1_000).filter(|_| bucket.take(|| 5)).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(takers.iter().sum::<usize>(), 1_000);
    }
}
