//! Commits: decides about units, makes them durable in the log with one flush, and answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::judge::Judge;
use super::log::{Log, Record};
use super::newest::Newest;
use super::queue::Job;
use super::tail::Tail;
use crate::answer::Promise;
use crate::{CommitError, Epoch, ShardId, StoreError};

/// The one who commits, for whoever has the turn.
pub(super) struct Writer {
    judge: Judge,
    log: Log,
    record: Record,
    newest: Arc<Newest>,
    batch: Batch,
    /// How many batches of one unit there have been in a row.
    lone_batches: u32,
    /// How long a flush takes, on an average that forgets.
    flush: Duration,
}

/// What [`Writer::is_quick`] asks for.
const LONE_BATCHES: u32 = 16;
const FLUSH_QUICK: Duration = Duration::from_micros(300);
const BYTES_QUICK: usize = 64 << 10;

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

impl Writer {
    pub fn new(judge: Judge, log: Log, newest: Arc<Newest>) -> Writer {
        let (record, batch) = (Record::new(), Batch::default());
        Writer { judge, log, record, newest, batch, lone_batches: 0, flush: FLUSH_QUICK }
    }

    /// Whether a unit of so many bytes would be committed about as fast as it could be handed to another thread: nobody has
    /// committed beside somebody else for a while, flushes are quick, and nothing has to be folded first. The caller's thread
    /// blocks no longer then than it may for a read.
    pub fn is_quick(&self, bytes: usize) -> bool {
        self.lone_batches >= LONE_BATCHES
            && self.flush < FLUSH_QUICK
            && bytes <= BYTES_QUICK
            && self.log.has_room(2 * BYTES_QUICK as u64)
            && self.newest.has_room()
    }

    #[cfg(test)]
    pub fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    /// Does all of it, and answers. After an error nothing more can be done.
    pub fn batch(&mut self, jobs: impl ExactSizeIterator<Item = Job>) -> Result<(), StoreError> {
        let units = jobs.len();
        metrics::histogram!("stepwright_store_batch_units").record(units as f64);
        self.lone_batches = if units == 1 { self.lone_batches.saturating_add(1) } else { 0 };
        self.jobs(jobs).inspect_err(|error| {
            for answer in self.batch.answers.drain(..) {
                answer.fail(error);
            }
        })
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
        self.record.unit(&unit.mutations);
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
                self.record.acquire(shard, epoch);
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

    /// Nothing happens: what takes much room and is not needed is given back.
    pub fn rest(&mut self) -> Result<(), StoreError> {
        if !self.newest.is_folded(self.log.next_position() - 1) {
            return Ok(());
        }
        self.log.cut().map_err(|error| StoreError::Failed(format!("the log cannot be cut back: {error}")))
    }

    /// Makes durable what is staged, and tells everybody.
    fn commit(&mut self) -> Result<(), StoreError> {
        if !self.record.is_empty() {
            let started = Instant::now();
            self.newest.fold_up_to(self.log.needs_folded(&self.record))?;
            let position = self.log.next_position();
            let failed =
                |error: std::io::Error| StoreError::Failed(format!("the log cannot be written: {error}"));
            let flushing = Instant::now();
            self.log.append(&mut self.record).map_err(failed)?;
            self.flush = (self.flush * 7 + flushing.elapsed()) / 8;
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
