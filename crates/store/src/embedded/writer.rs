//! The thread that commits: takes what waits, decides about it, makes it durable in the log with one flush, and answers.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::Connection;

use super::directory::database;
use super::judge::Judge;
use super::log::{Log, Record};
use super::newest::Newest;
use super::queue::{Job, Queue};
use super::readers::Readers;
use super::tail::Tail;
use super::{EmbeddedOptions, OpenError};
use crate::answer::Promise;
use crate::{CommitError, Epoch, ShardId, StoreError};

/// Starts the thread; returns when it is ready to commit. `connection` reads the database.
pub(super) fn start(
    connection: Connection,
    log: Log,
    queue: Arc<Queue>,
    newest: Arc<Newest>,
    readers: Arc<Readers>,
    options: &EmbeddedOptions,
) -> Result<JoinHandle<()>, OpenError> {
    let file = database(&options.directory);
    let (report, reported) = mpsc::sync_channel(1);
    let write = move || {
        let end = End { queue, newest, readers };
        let judge = match Judge::new(&end.newest, &connection) {
            Ok(judge) => judge,
            Err(error) => {
                let _ = report.send(Err(error));
                return;
            }
        };
        let _ = report.send(Ok(()));
        let staged = Batch::default();
        let mut writer = Writer { judge, log, record: Record::new(), newest: &end.newest, batch: staged };
        match writer.run(&end.queue) {
            Ok(()) => {
                drop(writer);
                // The folder, not this, is to be the last to close the database.
                drop(connection);
                end.newest.close();
            }
            Err(error) => {
                metrics::counter!("stepwright_store_failures_total").increment(1);
                end.newest.end(error);
            }
        }
    };
    let spawned = thread::Builder::new().name("stepwright-log".into()).spawn(write);
    let thread = spawned.map_err(|source| OpenError::Io { path: file.clone(), source })?;
    match reported.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(source)) => Err(OpenError::Sqlite { file, source }),
        Err(_) => Err(OpenError::Damaged { file, found: "its tables are not as they were written".into() }),
    }
}

/// However the thread ends, also by a panic: nobody waits for it any more.
struct End {
    queue: Arc<Queue>,
    newest: Arc<Newest>,
    readers: Arc<Readers>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.readers.refuse();
        self.queue.abandon();
        if thread::panicking() {
            self.newest.end(StoreError::Closed);
        }
    }
}

struct Writer<'w> {
    judge: Judge<'w>,
    log: Log,
    record: Record,
    newest: &'w Newest,
    batch: Batch,
}

/// What is committed next.
#[derive(Default)]
struct Batch {
    changes: Tail,
    /// Who is told, and what, once everything before is durable.
    answers: Vec<Answer>,
}

enum Answer {
    Committed(Promise<(), CommitError>),
    Refused(Promise<(), CommitError>, CommitError),
    Acquired(Promise<(Epoch, u64), StoreError>, (Epoch, u64)),
}

impl Writer<'_> {
    /// Until the queue is closed and empty, or the store fails.
    fn run(&mut self, queue: &Queue) -> Result<(), StoreError> {
        let mut jobs = Vec::new();
        while let Some(left) = queue.take(&mut jobs) {
            metrics::gauge!("stepwright_store_queue_units").set(left as f64);
            metrics::histogram!("stepwright_store_batch_units").record(jobs.len() as f64);
            let result = self.jobs(jobs.drain(..));
            if let Err(error) = result {
                for answer in self.batch.answers.drain(..) {
                    answer.fail(&error);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn jobs(&mut self, jobs: impl Iterator<Item = Job>) -> Result<(), StoreError> {
        let mut jobs = jobs;
        while let Some(job) = jobs.next() {
            let done = match job {
                Job::Commit { unit, invalid, answer, .. } => {
                    self.stage(unit, invalid, answer);
                    Ok(())
                }
                Job::Acquire { shard, answer } => self.acquire(shard, answer),
            };
            if let Err(error) = done {
                jobs.for_each(|job| fail(job, &error));
                return Err(error);
            }
        }
        self.commit()
    }

    fn stage(&mut self, unit: crate::Unit, invalid: Option<CommitError>, answer: Promise<(), CommitError>) {
        // Written before it is decided about, and taken back if it is refused: the decision takes the unit apart.
        let mark = self.record.mark();
        let written = self.record.unit(&unit.mutations);
        let invalid = invalid.or_else(|| {
            written.err().map(|error| CommitError::Invalid(format!("it cannot be written: {error}")))
        });
        match self.judge.unit(unit, invalid, &self.batch.changes) {
            Ok(changes) => {
                self.batch.changes.absorb(changes);
                self.batch.answers.push(Answer::Committed(answer));
            }
            Err(refusal) => {
                self.record.take_back(mark);
                self.batch.answers.push(Answer::Refused(answer, refusal));
            }
        }
    }

    fn acquire(
        &mut self,
        shard: ShardId,
        answer: Promise<(Epoch, u64), StoreError>,
    ) -> Result<(), StoreError> {
        let acquired = self
            .commit()
            .and_then(|()| self.newest.fold_up_to(self.log.next_position() - 1))
            .and_then(|()| self.judge.acquire(shard));
        match acquired {
            Ok(acquired) => {
                let (epoch, _) = acquired;
                self.record.acquire(shard, epoch).map_err(|error| StoreError::Failed(error.to_string()))?;
                self.batch.changes.epochs.insert(shard, epoch);
                self.batch.answers.push(Answer::Acquired(answer, acquired));
                Ok(())
            }
            Err(error) => {
                answer.answer(Err(error.clone()));
                Err(error)
            }
        }
    }

    /// Makes durable what is staged, and tells everybody.
    fn commit(&mut self) -> Result<(), StoreError> {
        if !self.record.is_empty() {
            let started = Instant::now();
            self.newest.fold_up_to(self.log.needs_folded(&self.record))?;
            let position = self.log.next_position();
            let failed =
                |error: std::io::Error| StoreError::Failed(format!("the log cannot be written: {error}"));
            self.log.append(&mut self.record).map_err(failed)?;
            self.record.clear();
            self.newest.publish(std::mem::take(&mut self.batch.changes), position)?;
            metrics::histogram!("stepwright_store_commit_seconds").record(started.elapsed());
        }
        for answer in self.batch.answers.drain(..) {
            answer.tell();
        }
        Ok(())
    }
}

impl Answer {
    fn tell(self) {
        match self {
            Answer::Committed(promise) => promise.answer(Ok(())),
            Answer::Refused(promise, refusal) => promise.answer(Err(refusal)),
            Answer::Acquired(promise, acquired) => promise.answer(Ok(acquired)),
        }
    }

    fn fail(self, error: &StoreError) {
        match self {
            Answer::Committed(promise) | Answer::Refused(promise, _) => {
                promise.answer(Err(CommitError::Store(error.clone())));
            }
            Answer::Acquired(promise, _) => promise.answer(Err(error.clone())),
        }
    }
}

fn fail(job: Job, error: &StoreError) {
    match job {
        Job::Commit { answer, .. } => answer.answer(Err(CommitError::Store(error.clone()))),
        Job::Acquire { answer, .. } => answer.answer(Err(error.clone())),
    }
}
