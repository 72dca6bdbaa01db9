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

/// What all that are kept take together: those that waited longest go first. Payloads that were looked into are there as text and as
/// value, which is several times as much.
const KEPT_BYTES_MAX: usize = 96 << 20;
const VALUE_FACTOR: usize = 4;

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
    slots: HashMap<ExecutionKey, Place>,
    /// What they take.
    bytes: usize,
    /// Those that were kept as [`Keep::WhileNew`], oldest first; one may stand here several times, or have gone.
    newest: VecDeque<ExecutionKey>,
}

#[derive(Default)]
struct Place {
    slot: Slot,
    /// What its execution took when it was released last.
    bytes: usize,
}

impl Hot {
    /// The slot of an execution, made if there is none.
    pub fn slot(&self, key: ExecutionKey) -> Slot {
        self.lock().slots.entry(key).or_default().slot.clone()
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
        let (keep, bytes) = keep(&slot);
        match keep {
            Keep::Always => {}
            Keep::IfRoom if slots.slots.len() <= WARM_MAX && slots.has_room(key, bytes) => {}
            Keep::WhileNew if slots.has_room(key, bytes) => slots.keep_while_new(key),
            Keep::No | Keep::IfRoom | Keep::WhileNew => slots.remove(key),
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
    /// Notes what the execution takes; whether there is room for it, once older ones that wait have gone.
    fn has_room(&mut self, key: ExecutionKey, bytes: usize) -> bool {
        if let Some(place) = self.slots.get_mut(&key) {
            self.bytes = self.bytes - place.bytes + bytes;
            place.bytes = bytes;
        }
        while self.bytes > KEPT_BYTES_MAX && self.drop_oldest(key) {}
        self.bytes <= KEPT_BYTES_MAX
    }

    fn keep_while_new(&mut self, key: ExecutionKey) {
        self.newest.push_back(key);
        if self.newest.len() > NEWEST_MAX {
            self.drop_oldest(key);
        }
    }

    /// Whether there was one, and it has gone or is in use.
    fn drop_oldest(&mut self, but: ExecutionKey) -> bool {
        let Some(oldest) = self.newest.pop_front() else { return false };
        // Nobody holds it, and it still waits: otherwise its next release decides.
        let is_idle = self.slots.get(&oldest).is_some_and(|place| {
            Arc::strong_count(&place.slot) == 1 && keep(&place.slot).0 == Keep::WhileNew
        });
        if is_idle && oldest != but {
            self.remove(oldest);
        }
        true
    }

    fn remove(&mut self, key: ExecutionKey) {
        self.bytes -= self.slots.remove(&key).map_or(0, |place| place.bytes);
        if self.slots.len() * 4 < self.slots.capacity() {
            self.slots.shrink_to(64);
        }
    }
}

/// What the execution in a slot that nobody has locked is, and what it takes.
fn keep(slot: &Slot) -> (Keep, usize) {
    let place = slot.try_lock().ok();
    let kept = place.as_ref().and_then(|place| place.as_ref());
    kept.map_or((Keep::No, 0), |loaded| (loaded.keep(), VALUE_FACTOR * loaded.progress.state_bytes()))
}
