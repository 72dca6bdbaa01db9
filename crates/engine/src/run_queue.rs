//! Executions that can go on by themselves: their last step was cut, because it took longer than one may take at a time. They
//! go on one step each, in turns.
//!
//! The store has a timer for each, which is due at once, so that a crash loses none.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use stepwright_store::ExecutionKey;
use tokio::sync::{Notify, Semaphore};

use crate::deliver::continue_timer;
use crate::engine::Engine;

/// Executions whose turn it is, at a time: some compute while others are made durable.
const SIDE_BY_SIDE: usize = 48;

/// Who waits for its turn, first the first.
#[derive(Default)]
pub(crate) struct RunQueue {
    waiting: Mutex<VecDeque<ExecutionKey>>,
    nudge: Notify,
}

impl RunQueue {
    pub fn push(&self, key: ExecutionKey) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(key);
        self.nudge.notify_one();
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn pop(&self) -> ExecutionKey {
        loop {
            let first = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match first {
                Some(key) => return key,
                None => self.nudge.notified().await,
            }
        }
    }
}

impl Engine {
    pub(crate) fn spawn_run_loop(self: &Arc<Self>) {
        let (engine, run_queue) = (Arc::downgrade(self), self.run_queue.clone());
        let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        tokio::spawn(async move {
            loop {
                // The semaphore is never closed.
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let key = run_queue.pop().await;
                let Some(engine) = engine.upgrade() else { return };
                if engine.failure_reason().is_some() || engine.computer.is_closing() {
                    return;
                }
                tokio::spawn(async move {
                    engine.fire(continue_timer(key)).await;
                    drop(place);
                });
            }
        });
    }
}
