//! The executions that are in memory. Each has a lock of its own, so that what arrives for one execution is handled one
//! after another, and for different ones side by side.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::deliver::Loaded;
use stepwright_store::ExecutionKey;

/// An execution's place in memory: empty until it has been loaded, and after a commit that failed.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Loaded>>>;

/// Executions that wait for a task keep their state up to this many; beyond it they are rebuilt when the answer arrives.
const WARM_MAX: usize = 8_192;

/// Whether an execution stays in memory while nothing happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    No,
    /// It is expected to go on within moments.
    IfRoom,
    /// It is nowhere else.
    Always,
}

#[derive(Default)]
pub(crate) struct Hot(Mutex<HashMap<ExecutionKey, Slot>>);

impl Hot {
    /// The slot of an execution, made if there is none.
    pub fn slot(&self, key: ExecutionKey) -> Slot {
        self.lock().entry(key).or_default().clone()
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
        let keep = slot.try_lock().ok().and_then(|place| place.as_ref().map(Loaded::keep));
        let stays = match keep.unwrap_or(Keep::No) {
            Keep::No => false,
            Keep::IfRoom => slots.len() <= WARM_MAX,
            Keep::Always => true,
        };
        if !stays {
            slots.remove(&key);
            if slots.len() * 4 < slots.capacity() {
                slots.shrink_to(64);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
