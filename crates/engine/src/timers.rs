//! The timers of all executions, in memory: what is due next. The store has them too; this set is rebuilt from it at start.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stepwright_store::Timer;
use tokio::sync::Notify;

/// A set of timers, earliest first. 24 bytes each.
#[derive(Default)]
pub(crate) struct Timers {
    set: Mutex<BTreeSet<Timer>>,
    /// Told when a timer was added that is earlier than all others.
    earlier: Notify,
}

impl Timers {
    pub fn extend(&self, timers: Vec<Timer>) {
        self.lock().extend(timers);
        self.earlier.notify_one();
    }

    pub fn insert(&self, timer: Timer) {
        let mut set = self.lock();
        let is_earliest = set.first().is_none_or(|first| timer < *first);
        set.insert(timer);
        drop(set);
        if is_earliest {
            self.earlier.notify_one();
        }
    }

    pub fn remove(&self, timer: &Timer) {
        self.lock().remove(timer);
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// When the earliest timer is due.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.lock().first().map(|timer| timer.due_ms)
    }

    /// Takes the earliest timer out if it is due.
    pub fn pop_due(&self, now_ms: i64) -> Option<Timer> {
        let mut set = self.lock();
        if set.first()?.due_ms > now_ms {
            return None;
        }
        set.pop_first()
    }

    /// Resolves when an earlier timer was added.
    pub async fn earlier(&self) {
        self.earlier.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Timer>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
