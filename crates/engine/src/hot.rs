//! The executions that are in memory. Each has a lock of its own, so that what arrives for one execution is handled one
//! after another, and for different ones side by side.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::deliver::Loaded;
use stepwright_store::ExecutionKey;

/// An execution's place in memory: empty until it has been loaded, and after a commit that failed.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Loaded>>>;

/// Executions that wait for a task keep their state up to this many; beyond it they are rebuilt when the answer arrives.
const WARM_MAX: usize = 4_096;

/// So many of those that were the last to wait for a worker, a callback or a timer keep their state: what they wait for often
/// comes at once.
const NEWEST_MAX: usize = 1_024;

/// Whether an execution stays in memory while nothing happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    No,
    /// It is expected to go on within moments.
    IfRoom,
    /// Nobody knows when it will go on.
    WhileNew,
    /// It is nowhere else.
    Always,
}

#[derive(Default)]
pub(crate) struct Hot(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    slots: HashMap<ExecutionKey, Slot>,
    /// Those that were kept as [`Keep::WhileNew`], oldest first; one may stand here several times, or have gone.
    newest: VecDeque<ExecutionKey>,
}

impl Hot {
    /// The slot of an execution, made if there is none.
    pub fn slot(&self, key: ExecutionKey) -> Slot {
        self.lock().slots.entry(key).or_default().clone()
    }

    /// Called by a holder of `slot` when it is done with it and has unlocked it. The last one decides whether the execution
    /// stays, by what it is then.
    pub fn release(&self, key: ExecutionKey, slot: Slot) {
        let mut slots = self.lock();
        // The map and this caller hold one reference each.
        let is_last_holder = Arc::strong_count(&slot) == 2;
        if !is_last_holder {
            return;
        }
        match keep(&slot) {
            Keep::Always => {}
            Keep::IfRoom if slots.slots.len() <= WARM_MAX => {}
            Keep::WhileNew => slots.keep_while_new(key),
            Keep::No | Keep::IfRoom => slots.remove(key),
        }
    }

    pub fn len(&self) -> usize {
        self.lock().slots.len()
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    fn keep_while_new(&mut self, key: ExecutionKey) {
        self.newest.push_back(key);
        if self.newest.len() <= NEWEST_MAX {
            return;
        }
        let Some(oldest) = self.newest.pop_front() else { return };
        // Nobody holds it, and it still waits: otherwise its next release decides.
        let is_idle = self
            .slots
            .get(&oldest)
            .is_some_and(|slot| Arc::strong_count(slot) == 1 && keep(slot) == Keep::WhileNew);
        if is_idle && oldest != key {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, key: ExecutionKey) {
        self.slots.remove(&key);
        if self.slots.len() * 4 < self.slots.capacity() {
            self.slots.shrink_to(64);
        }
    }
}

/// What the execution in a slot that nobody has locked is.
fn keep(slot: &Slot) -> Keep {
    slot.try_lock().ok().and_then(|place| place.as_ref().map(Loaded::keep)).unwrap_or(Keep::No)
}
