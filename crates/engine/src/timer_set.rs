//! A sorted set of timers that is dense in memory: a timer that waits for a year costs little more than its 24 bytes.
//!
//! It lies in large pieces. Small ones, such as the nodes of a `BTreeSet`, would be half empty where timers come in order,
//! and would be strewn among short-lived objects of their size, whose memory the allocator could then never give back.

use std::collections::BTreeMap;
use std::ops::Bound;

use stepwright_store::Timer;

/// Timers in a piece: 12 KiB.
const PIECE_MAX: usize = 512;

#[derive(Default)]
pub(crate) struct TimerSet {
    /// Each under its first timer or an earlier one, and under a later one than all of the piece before. None is empty.
    pieces: BTreeMap<Timer, Vec<Timer>>,
    len: usize,
}

impl TimerSet {
    pub fn insert(&mut self, timer: Timer) {
        let Some(key) = self.key_of(&timer) else {
            // Earlier than all: it goes into the first piece.
            let mut piece = self.pieces.pop_first().map_or_else(new_piece, |(_, piece)| piece);
            if piece.len() >= PIECE_MAX
                && let Some(first) = piece.first().copied()
            {
                self.pieces.insert(first, piece);
                piece = new_piece();
            }
            piece.insert(0, timer);
            self.pieces.insert(timer, piece);
            self.len += 1;
            return;
        };
        let Some(piece) = self.pieces.get_mut(&key) else { return };
        let Err(at) = piece.binary_search(&timer) else { return };
        self.len += 1;
        if piece.len() < PIECE_MAX {
            piece.insert(at, timer);
            return;
        }
        // Timers that come in order leave full pieces behind.
        let from = if at == PIECE_MAX { at } else { PIECE_MAX / 2 };
        let mut upper = new_piece();
        upper.extend(piece.drain(from..));
        match at.checked_sub(from) {
            Some(at) => upper.insert(at, timer),
            None => piece.insert(at, timer),
        }
        if let Some(first) = upper.first().copied() {
            self.pieces.insert(first, upper);
        }
    }

    pub fn remove(&mut self, timer: &Timer) {
        let Some(key) = self.key_of(timer) else { return };
        let Some(piece) = self.pieces.get_mut(&key) else { return };
        let Ok(at) = piece.binary_search(timer) else { return };
        piece.remove(at);
        self.len -= 1;
        if piece.is_empty() {
            self.pieces.remove(&key);
        } else if piece.len() < PIECE_MAX / 4 {
            let before = self.pieces.range(..key).next_back().map(|(before, _)| *before);
            self.merge(key);
            before.into_iter().for_each(|before| self.merge(before));
        }
    }

    pub fn first(&self) -> Option<&Timer> {
        self.pieces.first_key_value().and_then(|(_, piece)| piece.first())
    }

    pub fn pop_first(&mut self) -> Option<Timer> {
        let first = self.first().copied()?;
        self.remove(&first);
        Some(first)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// The piece in which the timer is, or would be.
    fn key_of(&self, timer: &Timer) -> Option<Timer> {
        self.pieces.range(..=*timer).next_back().map(|(key, _)| *key)
    }

    /// Joins a piece with the next one, if they are small.
    fn merge(&mut self, key: Timer) {
        let next = self.pieces.range((Bound::Excluded(key), Bound::Unbounded)).next();
        let Some((next, next_len)) = next.map(|(next, piece)| (*next, piece.len())) else { return };
        let is_small = |piece: &Vec<Timer>| piece.len() + next_len <= PIECE_MAX / 2;
        if self.pieces.get(&key).is_some_and(is_small)
            && let Some(upper) = self.pieces.remove(&next)
            && let Some(piece) = self.pieces.get_mut(&key)
        {
            piece.extend(upper);
        }
    }
}

fn new_piece() -> Vec<Timer> {
    Vec::with_capacity(PIECE_MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stepwright_store::{ExecutionKey, ShardId};

    use super::*;

    fn timer(due_ms: i64, number: u32) -> Timer {
        Timer { due_ms, key: ExecutionKey::new(ShardId(0), 1).expect("a key"), timer: number }
    }

    #[test]
    fn it_is_a_sorted_set() {
        // Numbers that look random, always the same.
        let mut state = 7_u64;
        let mut below = move |end: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end
        };
        let (mut set, mut expected) = (TimerSet::default(), BTreeSet::new());
        // Grows, then shrinks, then is emptied from the front.
        for (inserts_of_ten, steps) in [(9, 20_000), (1, 20_000), (5, 5_000)] {
            for _ in 0..steps {
                let one = timer(below(3_000) as i64, below(8) as u32);
                if below(10) < inserts_of_ten {
                    set.insert(one);
                    expected.insert(one);
                } else {
                    // Mostly one that is there.
                    let there = expected.range(one..).next().copied().unwrap_or(one);
                    set.remove(&there);
                    expected.remove(&there);
                }
                assert_eq!((set.len(), set.first()), (expected.len(), expected.first()));
            }
            let all: Vec<Timer> = set.pieces.values().flatten().copied().collect();
            assert!(all.iter().eq(&expected));
            let room = set.pieces.len() * PIECE_MAX;
            assert!(room <= 8 * all.len() + 2 * PIECE_MAX, "{room} for {}", all.len());
        }
        while let Some(first) = expected.pop_first() {
            assert_eq!(set.pop_first(), Some(first));
        }
        assert_eq!((set.pop_first(), set.len(), set.pieces.len()), (None, 0, 0));
    }

    #[test]
    fn in_order_it_is_dense() {
        for order in [1, -1] {
            let mut set = TimerSet::default();
            (0..100_000).for_each(|n| set.insert(timer(order * n, 1)));
            assert_eq!(set.pieces.len(), 100_000_usize.div_ceil(PIECE_MAX));
        }
    }
}
