//! The timers of all executions, in memory: what is due next. The store has them too; this set is rebuilt from it at start.
//!
//! Heartbeat timers move without an event, so an execution does not know where its own are: this set does, and the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stepwright_machine::{Effect, TimerId};
use stepwright_store::{ExecutionKey, Timer};
use tokio::sync::Notify;

use crate::timer_set::TimerSet;

/// A set of timers, earliest first.
#[derive(Default)]
pub(crate) struct Timers {
    sets: Mutex<Sets>,
    /// Told when a timer was added that is due before [`Sets::wakes_ms`].
    earlier: Notify,
}

#[derive(Default)]
struct Sets {
    by_due: TimerSet,
    /// Where heartbeat timers are, also while one that is due is on its way to its execution.
    heartbeats: HashMap<(ExecutionKey, u32), i64>,
    /// When whoever fires the timers looks again; `None`: when it is told. Most timers are gone long before they are due: it is
    /// cheaper to look once in vain than to be told of each.
    wakes_ms: Option<i64>,
}

impl Sets {
    fn insert(&mut self, timer: Timer) {
        if is_heartbeat(&timer) {
            self.heartbeats.insert((timer.key, timer.timer), timer.due_ms);
        }
        self.by_due.insert(timer);
    }
}

fn is_heartbeat(timer: &Timer) -> bool {
    TimerId(timer.timer).is_heartbeat()
}

impl Timers {
    pub fn extend(&self, timers: Vec<Timer>) {
        let mut sets = self.lock();
        timers.into_iter().for_each(|timer| sets.insert(timer));
        drop(sets);
        self.earlier.notify_one();
    }

    pub fn insert(&self, timer: Timer) {
        let mut sets = self.lock();
        let is_earlier = sets.wakes_ms.is_none_or(|wakes_ms| timer.due_ms < wakes_ms);
        sets.insert(timer);
        drop(sets);
        if is_earlier {
            self.earlier.notify_one();
        }
    }

    pub fn remove(&self, timer: &Timer) {
        self.lock().by_due.remove(timer);
        self.fired(timer);
    }

    /// The timer was due, and its execution has heard of it.
    pub fn fired(&self, timer: &Timer) {
        let mut sets = self.lock();
        let place = (timer.key, timer.timer);
        if sets.heartbeats.get(&place) == Some(&timer.due_ms) {
            sets.heartbeats.remove(&place);
        }
    }

    /// Whether the timer, which was due, has not moved since. Only heartbeat timers can.
    pub fn is_current(&self, timer: &Timer) -> bool {
        !is_heartbeat(timer) || self.lock().heartbeats.get(&(timer.key, timer.timer)) == Some(&timer.due_ms)
    }

    /// Brings the timers of a drive's effects into the form in which store and memory take them: a timer that was set and
    /// cancelled in it was never there, one that moves is cancelled where it was and set where it will be.
    pub fn settle(&self, key: ExecutionKey, effects: &mut Vec<Effect>) {
        // Where each timer was before, and where it will be.
        let mut moves: BTreeMap<TimerId, (Option<i64>, Option<i64>)> = BTreeMap::new();
        let stands = |timer: TimerId| self.lock().heartbeats.get(&(key, timer.0)).copied();
        effects.retain(|effect| {
            let (timer, was, will_be) = match *effect {
                Effect::SetTimer { timer, due_ms } => (timer, None, Some(due_ms)),
                Effect::CancelTimer { timer, due_ms } => (timer, Some(due_ms), None),
                _ => return true,
            };
            let was = || if timer.is_heartbeat() { stands(timer) } else { was };
            moves.entry(timer).or_insert_with(|| (was(), None)).1 = will_be;
            false
        });
        for (timer, (was, will_be)) in moves.into_iter().filter(|(_, (was, will_be))| was != will_be) {
            effects.extend(was.map(|due_ms| Effect::CancelTimer { timer, due_ms }));
            effects.extend(will_be.map(|due_ms| Effect::SetTimer { timer, due_ms }));
        }
    }

    pub fn len(&self) -> usize {
        self.lock().by_due.len()
    }

    /// When the earliest timer is due: when the caller is going to look again.
    pub fn next_due_ms(&self) -> Option<i64> {
        let mut sets = self.lock();
        sets.wakes_ms = sets.by_due.first().map(|timer| timer.due_ms);
        sets.wakes_ms
    }

    /// Takes the earliest timer out if it is due, and with it those of the same execution that follow: they fire one after
    /// another, in their order.
    pub fn pop_due(&self, now_ms: i64) -> Vec<Timer> {
        let mut sets = self.lock();
        let mut due: Vec<Timer> = Vec::new();
        while let Some(next) = sets.by_due.first()
            && next.due_ms <= now_ms
            && due.first().is_none_or(|first| first.key == next.key)
        {
            due.extend(sets.by_due.pop_first());
        }
        due
    }

    /// Resolves when an earlier timer was added.
    pub async fn earlier(&self) {
        self.earlier.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use stepwright_machine::TaskId;
    use stepwright_store::ShardId;

    use super::*;

    #[test]
    fn effects_are_settled() {
        let (plain, other, beats) = (TimerId(1), TimerId(2), TimerId::heartbeat_of(TaskId(1)));
        let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
        let set = |timer, due_ms| Effect::SetTimer { timer, due_ms };
        let cancel = |timer, due_ms| Effect::CancelTimer { timer, due_ms };
        let table = [
            // Set and cancelled: never there.
            (None, vec![set(plain, 5), cancel(plain, 5)], vec![]),
            (None, vec![set(plain, 5), set(other, 6)], vec![set(plain, 5), set(other, 6)]),
            (None, vec![cancel(plain, 5)], vec![cancel(plain, 5)]),
            // Heartbeat timers: the execution need not know where they are.
            (None, vec![set(beats, 5)], vec![set(beats, 5)]),
            (None, vec![set(beats, 5), cancel(beats, 5), set(beats, 7)], vec![set(beats, 7)]),
            (None, vec![set(beats, 5), cancel(beats, 5)], vec![]),
            (Some(4), vec![set(beats, 5)], vec![cancel(beats, 4), set(beats, 5)]),
            (Some(4), vec![set(beats, 5), set(beats, 6)], vec![cancel(beats, 4), set(beats, 6)]),
            (Some(4), vec![cancel(beats, 1)], vec![cancel(beats, 4)]),
            (Some(4), vec![set(beats, 4)], vec![]),
            (Some(4), vec![Effect::Continue, cancel(plain, 1)], vec![Effect::Continue, cancel(plain, 1)]),
        ];
        for (stands, mut effects, expected) in table {
            let timers = Timers::default();
            if let Some(due_ms) = stands {
                timers.insert(Timer { due_ms, key, timer: beats.0 });
            }
            timers.settle(key, &mut effects);
            assert_eq!(effects, expected);
        }
    }

    #[test]
    fn a_heartbeat_that_moved_while_it_was_due_is_not_current() {
        let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
        let beats = TimerId::heartbeat_of(TaskId(1)).0;
        let (old, new) = (Timer { due_ms: 5, key, timer: beats }, Timer { due_ms: 9, key, timer: beats });
        let timers = Timers::default();
        timers.insert(old);
        assert_eq!(timers.pop_due(5), [old]);
        assert!(timers.is_current(&old));
        timers.remove(&old);
        timers.insert(new);
        assert!(!timers.is_current(&old) && timers.is_current(&new));
        timers.remove(&new);
        assert!(!timers.is_current(&new) && timers.len() == 0);
        assert!(timers.is_current(&Timer { due_ms: 1, key, timer: 1 }));
    }

    #[test]
    fn timers_of_one_execution_come_together() {
        let timers = Timers::default();
        let key = |sequence| ExecutionKey::new(ShardId(0), sequence).expect("a key");
        let timer = |due_ms, sequence, timer| Timer { due_ms, key: key(sequence), timer };
        let all =
            [timer(1, 1, 2), timer(1, 1, 7), timer(2, 1, 1), timer(2, 2, 1), timer(2, 2, 3), timer(9, 2, 4)];
        timers.extend(all.into_iter().rev().collect());
        assert_eq!(timers.pop_due(5), all[..3]);
        assert_eq!(timers.pop_due(5), all[3..5]);
        assert_eq!(timers.pop_due(5), []);
        assert_eq!(timers.next_due_ms(), Some(9));
    }
}
