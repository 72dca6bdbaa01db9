//! So many starts in any window of so many seconds: the starts of the last window, each until its window has passed.
//!
//! Between somebody's turn and its start (the commit, and of an activity a worker that takes it) there may be any time. Until the
//! start is seen the turn takes up a start of its own, and from then on the start counts from when it was seen: so no window
//! has more, wherever it begins.

use std::collections::VecDeque;

use super::definition::Rate;

/// A rate of more starts keeps them in so many slots of the window. A slot counts until its last start no longer does.
const SLOTS: u32 = 1_024;

/// The starts of a lane.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Window {
    /// When, in milliseconds since 1970, and how many; the oldest first.
    starts: VecDeque<(i64, u64)>,
    /// The sum of `starts`.
    started: u64,
    /// Turns whose start has not been seen.
    lent: u64,
}

/// When a window has a start to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Now,
    /// Milliseconds since 1970.
    At(i64),
    /// When a turn that was given has become a start, or has come to nothing.
    Unknown,
}

impl Rate {
    fn slot_ms(self) -> i64 {
        if self.count <= SLOTS { 1 } else { (i64::from(self.per_s) * 1_000 / i64::from(SLOTS)).max(1) }
    }

    /// When a start no longer counts. It may have been at the end of its millisecond.
    fn free_ms(self, started_ms: i64) -> i64 {
        started_ms.saturating_add(i64::from(self.per_s) * 1_000 + 1)
    }
}

impl Window {
    /// As many starts as are allowed, all at that time.
    pub fn full(rate: Rate, at_ms: i64) -> Window {
        let count = u64::from(rate.count);
        Window { starts: VecDeque::from([(at_ms, count)]), started: count, lent: 0 }
    }

    pub fn next(&self, rate: Rate, now_ms: i64) -> Next {
        let count = u64::from(rate.count);
        let mut taken = self.started.saturating_add(self.lent);
        let mut free_ms = now_ms;
        for (at_ms, starts) in &self.starts {
            if taken < count {
                break;
            }
            taken -= starts;
            free_ms = rate.free_ms(*at_ms);
        }
        match taken < count {
            false => Next::Unknown,
            true if free_ms <= now_ms => Next::Now,
            true => Next::At(free_ms),
        }
    }

    /// Somebody has its turn: [`Window::start`] or [`Window::give_back`] follows.
    pub fn lend(&mut self) {
        self.lent += 1;
    }

    /// A turn came to nothing, or to a start.
    pub fn give_back(&mut self) {
        self.lent = self.lent.saturating_sub(1);
    }

    /// Somebody started.
    pub fn start(&mut self, rate: Rate, now_ms: i64) {
        self.forget(rate, now_ms);
        self.started += 1;
        let slot = |at_ms: i64| at_ms.div_euclid(rate.slot_ms());
        match self.starts.back_mut() {
            // Time does not go back.
            Some((at_ms, starts)) if slot(*at_ms) >= slot(now_ms) => {
                (*at_ms, *starts) = ((*at_ms).max(now_ms), *starts + 1);
            }
            _ => self.starts.push_back((now_ms, 1)),
        }
    }

    fn forget(&mut self, rate: Rate, now_ms: i64) {
        while let Some((at_ms, starts)) = self.starts.front()
            && rate.free_ms(*at_ms) <= now_ms
        {
            self.started -= starts;
            self.starts.pop_front();
        }
    }

    /// When no start counts any more: milliseconds since 1970; `None`: none does.
    pub fn empty_ms(&self, rate: Rate, now_ms: i64) -> Option<i64> {
        self.starts.back().map(|(at_ms, _)| rate.free_ms(*at_ms)).filter(|free_ms| *free_ms > now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: i64 = 1_000_000;

    /// Starts whenever it may, with a pause before each start and with turns that come to nothing; gives the times of the starts.
    fn starts(rate: Rate, starts: usize, seed: u64) -> Vec<i64> {
        let (mut window, mut now_ms, mut random) = (Window::default(), START_MS, seed);
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let (mut given, mut lent) = (Vec::new(), 0);
        while given.len() < starts {
            match window.next(rate, now_ms) {
                Next::Now if next(3) > 0 => {
                    window.lend();
                    lent += 1;
                    continue;
                }
                Next::At(at_ms) if lent == 0 => {
                    assert_ne!(window.next(rate, at_ms - 1), Next::Now);
                    assert_eq!(window.next(rate, at_ms), Next::Now);
                    now_ms = at_ms;
                }
                Next::Unknown => assert!(lent > 0, "somebody is waited for"),
                _ => now_ms += next(u64::from(rate.per_s) * 100) as i64,
            }
            if lent > 0 {
                lent -= 1;
                window.give_back();
                if next(4) > 0 {
                    window.start(rate, now_ms);
                    given.push(now_ms);
                }
            }
        }
        assert!(window.starts.len() <= 2 + SLOTS as usize, "bounded");
        given
    }

    #[test]
    fn no_window_has_more_than_its_count() {
        for (count, per_s) in [(1, 1), (3, 60), (20, 4), (100, 60), (1_024, 10), (1_025, 10), (5_000, 3)] {
            for seed in 0..10 {
                let rate = Rate { count, per_s };
                let given = starts(rate, 3 * count as usize + 50, seed);
                let count = count as usize;
                for pair in given.windows(count + 1) {
                    assert!(pair[count] - pair[0] > i64::from(per_s) * 1_000, "{rate:?}, seed {seed}");
                }
            }
        }
    }

    #[test]
    fn what_is_allowed_comes_at_once_and_again_when_its_window_has_passed() {
        let rate = Rate { count: 3, per_s: 60 };
        let mut window = Window::default();
        for (now_ms, next) in [(0, Next::Now), (10, Next::Now), (20, Next::Now), (30, Next::At(60_001))] {
            assert_eq!(window.next(rate, now_ms), next);
            if next == Next::Now {
                window.start(rate, now_ms);
            }
        }
        assert_eq!(window.next(rate, 60_001), Next::Now);
        assert_eq!(window.empty_ms(rate, 60_001), Some(60_021));
        window.start(rate, 60_001);
        assert_eq!(window.next(rate, 60_001), Next::At(60_011));
        // Another rate counts the same starts.
        assert_eq!(window.next(Rate { count: 4, per_s: 60 }, 60_001), Next::Now);
        assert_eq!(window.empty_ms(rate, 120_002), None);
        assert_eq!(Window::full(rate, 5).next(rate, 60_005), Next::At(60_006));
    }

    #[test]
    fn a_turn_without_a_start_is_one_until_it_is_given_back() {
        let rate = Rate { count: 1, per_s: 1 };
        let mut window = Window::default();
        window.lend();
        assert_eq!(window.next(rate, 1_000_000), Next::Unknown);
        window.give_back();
        assert_eq!(window.next(rate, 1_000_000), Next::Now);
    }
}
