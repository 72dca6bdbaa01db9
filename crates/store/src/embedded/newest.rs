//! What is acknowledged and not yet in the database, shared by those who commit, read and fold.
//!
//! Two tails: the one that grows, and the one that is being folded into the database. Readers look here first and into the
//! database afterwards, so that they see all that is acknowledged.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::tail::{Layers, Tail};
use crate::answer::{Answer, Promise, lock, promise};
use crate::{ExecutionKey, StoreError};

/// How long changes gather before they are folded: what begins and ends within it costs the database least.
const GATHER: Duration = Duration::from_millis(250);

/// Folding begins earlier when so much has gathered; it bounds how long one transaction takes, and the memory.
const FOLD_BYTES: usize = 1 << 20;

/// The most that is acknowledged and not folded; beyond it, commits wait.
const TAIL_BYTES_MAX: usize = 64 << 20;

/// What the folder does next.
pub(super) enum Next {
    /// Folds this; everything up to the position is in it or below.
    Fold(Arc<Tail>, u64),
    /// Nothing waits: there is time for other things.
    Rest,
    /// Nothing more will come.
    End,
}

pub(super) struct Newest {
    state: Mutex<State>,
    /// Signalled when the folder has something to do.
    wanted: Condvar,
    /// Signalled when something was folded, and when the folder has ended.
    folded: Condvar,
}

#[derive(Default)]
struct State {
    growing: Tail,
    folding: Arc<Tail>,
    /// The log's position up to which `growing` has everything.
    position: u64,
    /// The position up to which the database has everything.
    folded: u64,
    /// By shard: from this sequence number on the database has nothing.
    free_from: Vec<u64>,
    /// Somebody waits for the folder: it shall not wait for more.
    is_urgent: bool,
    /// Signalling costs a system call, so it is done only when somebody listens.
    folder_sleeps: bool,
    is_closing: bool,
    /// Nothing more is folded; why.
    ended: Option<StoreError>,
    /// Who waits until the database has everything up to a position.
    waiting: Vec<(u64, Promise<(), StoreError>)>,
}

impl Newest {
    /// `folded` is the position up to which the database has everything; `free_from` says by shard from which sequence
    /// number on it has nothing.
    pub fn new(folded: u64, free_from: Vec<u64>) -> Newest {
        let state = State { position: folded, folded, free_from, ..State::default() };
        Newest { state: Mutex::new(state), wanted: Condvar::new(), folded: Condvar::new() }
    }

    /// Looks through the tails, on top of which `upper` lie.
    pub fn read<T>(&self, upper: &[&Tail], look: impl FnOnce(&Layers<'_>) -> T) -> T {
        let state = self.lock();
        match upper {
            [] => look(&Layers(&[&state.growing, &state.folding])),
            [one, other] => look(&Layers(&[*one, *other, &state.growing, &state.folding])),
            more => {
                let below = [&state.growing, &*state.folding];
                look(&Layers(&more.iter().copied().chain(below).collect::<Vec<_>>()))
            }
        }
    }

    /// Whether the database has nothing of the execution.
    pub fn is_free(&self, key: ExecutionKey) -> bool {
        is_free(&self.lock().free_from, key)
    }

    /// Takes over what is durable in the log up to `position`. Blocks while more waits to be folded than there may.
    pub fn publish(&self, tail: Tail, position: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.growing.absorb(tail);
        state.position = position;
        metrics::gauge!("stepwright_store_unfolded_bytes").set(state.growing.bytes as f64);
        if state.folder_sleeps || (state.growing.bytes >= FOLD_BYTES && !state.is_urgent) {
            state.is_urgent |= state.growing.bytes >= FOLD_BYTES;
            state.folder_sleeps = false;
            self.wanted.notify_one();
        }
        while state.growing.bytes >= TAIL_BYTES_MAX && state.ended.is_none() {
            state = self.wait(state);
        }
        state.ended.clone().map_or(Ok(()), Err)
    }

    /// Whether [`Newest::publish`] would not block.
    pub fn has_room(&self) -> bool {
        self.lock().growing.bytes < TAIL_BYTES_MAX / 2
    }

    /// Whether the database has everything up to `position`.
    pub fn is_folded(&self, position: u64) -> bool {
        self.lock().folded >= position
    }

    /// Blocks until the database has everything up to `position`.
    pub fn fold_up_to(&self, position: u64) -> Result<(), StoreError> {
        let mut state = self.lock();
        while state.folded < position && state.ended.is_none() {
            self.hurry(&mut state);
            state = self.wait(state);
        }
        if state.folded >= position { Ok(()) } else { state.ended.clone().map_or(Ok(()), Err) }
    }

    /// Resolves when the database has everything that is acknowledged now; `None`: it has already.
    pub fn all_folded(&self) -> Option<Answer<(), StoreError>> {
        let mut state = self.lock();
        if state.folded >= state.position {
            return None;
        }
        let (promise, answer) = promise();
        match &state.ended {
            Some(error) => promise.answer(Err(error.clone())),
            None => {
                let position = state.position;
                state.waiting.push((position, promise));
                self.hurry(&mut state);
            }
        }
        Some(answer)
    }

    /// Nothing more is published: the folder folds what there is, and ends.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closing = true;
        self.wanted.notify_one();
    }

    /// For the folder: what to do next, when it is time. `patience`: how long it waits for something to fold before it rests;
    /// `None`: as long as it takes.
    pub fn next(&self, patience: Option<Duration>) -> Next {
        let mut state = self.lock();
        let rests_at = patience.map(|patience| Instant::now() + patience);
        while state.growing.is_empty() && state.folded >= state.position && state.ended.is_none() {
            if state.is_closing {
                return Next::End;
            }
            state.folder_sleeps = true;
            state = match rests_at {
                None => self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(rests_at) => {
                    let Some(left) = rests_at.checked_duration_since(Instant::now()) else {
                        state.folder_sleeps = false;
                        return Next::Rest;
                    };
                    self.wanted.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        let until = Instant::now() + GATHER;
        while !state.is_urgent && !state.is_closing && state.ended.is_none() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.wanted.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.ended.is_some() {
            return Next::End;
        }
        state.is_urgent = false;
        state.folder_sleeps = false;
        state.folding = Arc::new(std::mem::take(&mut state.growing));
        Next::Fold(state.folding.clone(), state.position)
    }

    /// For the folder: whether the database has nothing of an execution, as far as it was folded before.
    pub fn free_from(&self) -> Vec<u64> {
        self.lock().free_from.clone()
    }

    /// For the folder: the database has everything up to `position`.
    pub fn has_folded(&self, position: u64) {
        let mut state = self.lock();
        let folding = std::mem::take(&mut state.folding);
        for key in folding.executions.keys() {
            if let Some(free_from) = state.free_from.get_mut(usize::from(key.shard().0)) {
                *free_from = (*free_from).max(key.sequence() + 1);
            }
        }
        state.folded = position;
        let (ready, waiting) =
            std::mem::take(&mut state.waiting).into_iter().partition(|(at, _)| *at <= position);
        state.waiting = waiting;
        drop(state);
        self.folded.notify_all();
        answer(ready, &Ok(()));
        // Freed without the lock.
        drop(folding);
    }

    /// Whether everything that was acknowledged has been folded, and nothing more will come.
    pub fn is_complete(&self) -> bool {
        let state = self.lock();
        state.is_closing && state.ended.is_none() && state.folded >= state.position
    }

    /// The log or the database has failed: nothing more is folded.
    pub fn end(&self, why: StoreError) {
        let mut state = self.lock();
        let why = state.ended.get_or_insert(why).clone();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.wanted.notify_one();
        self.folded.notify_all();
        answer(waiting, &Err(why));
    }

    fn hurry(&self, state: &mut State) {
        if !state.is_urgent {
            state.is_urgent = true;
            self.wanted.notify_one();
        }
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.folded.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Whether there is nothing of the execution below.
pub(super) fn is_free(free_from: &[u64], key: ExecutionKey) -> bool {
    free_from.get(usize::from(key.shard().0)).is_some_and(|free_from| key.sequence() >= *free_from)
}

fn answer(waiting: Vec<(u64, Promise<(), StoreError>)>, with: &Result<(), StoreError>) {
    for (_, promise) in waiting {
        promise.answer(with.clone());
    }
}
