//! Who commits: a thread of its own, which takes all that has gathered meanwhile; or, while nothing waits and it is quick, the
//! caller itself. To hand a lone unit over and its answer back costs two changes of threads, which is about as much as
//! the flush.

use std::sync::{Arc, Mutex, TryLockError};
use std::thread::{self, JoinHandle};

use super::directory::database;
use super::newest::Newest;
use super::queue::{Job, Queue, Todo};
use super::readers::Readers;
use super::writer::Writer;
use super::{EmbeddedOptions, OpenError};
use crate::StoreError;

/// The turn to commit.
pub(super) struct Turn {
    /// Locked by who commits, before jobs are taken out of the queue: so a unit never overtakes one that waits. `None`: the store
    /// is closed, or has failed.
    writer: Mutex<Option<Writer>>,
    queue: Arc<Queue>,
    newest: Arc<Newest>,
    readers: Arc<Readers>,
}

impl Turn {
    pub fn new(writer: Writer, queue: Arc<Queue>, newest: Arc<Newest>, readers: Arc<Readers>) -> Arc<Turn> {
        Arc::new(Turn { writer: Mutex::new(Some(writer)), queue, newest, readers })
    }

    /// Has the job done: at once, if it is a commit that is quick; else by the thread.
    pub fn push(&self, job: Job) {
        let left = if matches!(job, Job::Commit { .. }) { self.at_once(job) } else { Some(job) };
        if let Some(job) = left {
            self.queue.push(job);
        }
    }

    /// Takes nothing more; what waits is still done, then the thread ends.
    pub fn close(&self) {
        self.queue.close();
    }

    /// Gives the job back if it is not for the caller to do.
    fn at_once(&self, job: Job) -> Option<Job> {
        let mut turn = match self.writer.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return Some(job),
        };
        let Some(writer) = turn.as_mut() else { return Some(job) };
        if !self.queue.is_idle() || !writer.is_quick(job.bytes()) {
            return Some(job);
        }
        if let Err(error) = writer.batch(std::iter::once(job)) {
            *turn = None;
            self.failed(error);
            self.queue.close();
        }
        None
    }

    /// Until the queue is closed and empty, or the store fails.
    fn run(&self) -> Result<(), StoreError> {
        let mut jobs = Vec::new();
        loop {
            let todo = self.queue.wait();
            if matches!(todo, Todo::End) {
                return Ok(());
            }
            // Poisoned: a caller panicked while it committed.
            let mut turn = self.writer.lock().map_err(|_| StoreError::Closed)?;
            let Some(writer) = turn.as_mut() else { return Err(StoreError::Closed) };
            if matches!(todo, Todo::Rest) {
                writer.rest()?;
                continue;
            }
            let left = self.queue.take(&mut jobs);
            metrics::gauge!("stepwright_store_queue_units").set(left as f64);
            writer.batch(jobs.drain(..))?;
        }
    }

    #[cfg(test)]
    pub fn with_writer(&self, act: impl FnOnce(&mut Writer)) {
        act(self.writer.lock().expect("no panic").as_mut().expect("it is open"));
    }

    fn failed(&self, error: StoreError) {
        metrics::counter!("stepwright_store_failures_total").increment(1);
        self.newest.end(error);
    }

    /// Closes what the writer has open. After a caller's panic that is no clean end.
    fn end(&self) -> Result<(), StoreError> {
        match self.writer.lock() {
            Ok(mut turn) => {
                *turn = None;
                Ok(())
            }
            Err(poisoned) => {
                *poisoned.into_inner() = None;
                Err(StoreError::Closed)
            }
        }
    }
}

/// Starts the thread.
pub(super) fn start(turn: Arc<Turn>, options: &EmbeddedOptions) -> Result<JoinHandle<()>, OpenError> {
    let work = move || {
        let end = End(turn);
        let turn = &end.0;
        let result = turn.run();
        // The folder, not this, is to be the last to close the database.
        let ended = turn.end();
        match result.and(ended) {
            Ok(()) => turn.newest.close(),
            Err(error) => turn.failed(error),
        }
    };
    let spawned = thread::Builder::new().name("stepwright-log".into()).spawn(work);
    spawned.map_err(|source| OpenError::Io { path: database(&options.directory), source })
}

/// However the thread ends, also by a panic: nobody waits for it any more.
struct End(Arc<Turn>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.readers.refuse();
        self.0.queue.abandon();
        if thread::panicking() {
            self.0.newest.end(StoreError::Closed);
        }
    }
}
