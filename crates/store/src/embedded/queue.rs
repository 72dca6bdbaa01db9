//! What waits for the writer: a bounded queue, drained in batches.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::answer::{Promise, lock};
use crate::{CommitError, Epoch, ShardId, StoreError, Unit};

/// The most that one batch takes: a transaction's length is what the next unit waits for.
const BATCH_UNITS_MAX: usize = 1024;
const BATCH_BYTES_MAX: usize = 1 << 20;

/// The most that waits; beyond it, callers block.
const QUEUE_JOBS_MAX: usize = 16 * 1024;
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// Something for the writer to do.
pub(super) enum Job {
    Commit {
        unit: Unit,
        /// Why the unit cannot be committed whatever the store holds.
        invalid: Option<CommitError>,
        bytes: usize,
        answer: Promise<(), CommitError>,
    },
    Acquire {
        shard: ShardId,
        answer: Promise<(Epoch, u64), StoreError>,
    },
}

impl Job {
    /// About how much it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Job::Commit { bytes, .. } => *bytes,
            Job::Acquire { .. } => 0,
        }
    }
}

/// What the writer does next.
pub(super) enum Todo {
    /// There is something to take.
    Jobs,
    /// See [`Queue::rest`].
    Rest,
    /// The queue is closed and empty.
    End,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Signalled when the writer has something to do.
    filled: Condvar,
    /// Signalled when the writer has taken a batch.
    drained: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
    /// Nothing happens, and all that was done is folded.
    rests: bool,
    /// Signalling costs a system call, so it is done only when somebody listens.
    writer_sleeps: bool,
    callers_blocked: usize,
}

impl Waiting {
    fn is_full(&self) -> bool {
        self.jobs.len() >= QUEUE_JOBS_MAX || self.bytes >= QUEUE_BYTES_MAX
    }
}

impl Queue {
    /// Puts the job at the end. When the queue is closed the job is dropped, and with it its promise, which answers
    /// [`StoreError::Closed`].
    pub(super) fn push(&self, job: Job) {
        let mut waiting = lock(&self.waiting);
        while waiting.is_full() && !waiting.closed {
            waiting.callers_blocked += 1;
            waiting = self.drained.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.callers_blocked -= 1;
        }
        if waiting.closed {
            return;
        }
        waiting.bytes += job.bytes();
        waiting.jobs.push_back(job);
        if std::mem::take(&mut waiting.writer_sleeps) {
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Nothing happens: if nothing waits either, the writer has time for other things.
    pub(super) fn rest(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.rests = true;
        if std::mem::take(&mut waiting.writer_sleeps) {
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Waits until there is something to do.
    pub(super) fn wait(&self) -> Todo {
        let mut waiting = lock(&self.waiting);
        loop {
            let rests = std::mem::take(&mut waiting.rests);
            if !waiting.jobs.is_empty() {
                return Todo::Jobs;
            }
            if waiting.closed {
                return Todo::End;
            }
            if rests {
                return Todo::Rest;
            }
            waiting.writer_sleeps = true;
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Moves the next batch into `batch`, and says how many jobs are left.
    pub(super) fn take(&self, batch: &mut Vec<Job>) -> usize {
        let mut waiting = lock(&self.waiting);
        let mut bytes = 0;
        while batch.len() < BATCH_UNITS_MAX && bytes < BATCH_BYTES_MAX {
            let Some(job) = waiting.jobs.pop_front() else { break };
            bytes += job.bytes();
            batch.push(job);
        }
        waiting.bytes -= bytes;
        let left = waiting.jobs.len();
        let blocked = waiting.callers_blocked;
        drop(waiting);
        if blocked > 0 {
            self.drained.notify_all();
        }
        left
    }

    /// Whether it is open and nothing waits.
    pub(super) fn is_idle(&self) -> bool {
        let waiting = lock(&self.waiting);
        waiting.jobs.is_empty() && !waiting.closed
    }

    /// Takes nothing more; what waits is still to be taken.
    pub(super) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Takes nothing more, and answers everything that waits with [`StoreError::Closed`].
    pub(super) fn abandon(&self) {
        self.close();
        let jobs = std::mem::take(&mut lock(&self.waiting).jobs);
        drop(jobs);
    }
}
