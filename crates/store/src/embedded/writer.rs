//! The thread that writes: takes what waits, commits it with one flush, answers, and folds the log when it is long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::apply::{Applier, Outcome};
use super::directory::database;
use super::queue::{Job, Queue};
use super::readers::Readers;
use super::{EmbeddedOptions, OpenError};
use crate::{CommitError, StoreError};

/// Starts the thread; returns when it is ready to commit.
pub(super) fn start(
    mut connection: Connection,
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    options: &EmbeddedOptions,
) -> Result<JoinHandle<()>, OpenError> {
    let file = database(&options.directory);
    let checkpoint_pages = options.checkpoint_pages;
    let (report, reported) = mpsc::sync_channel(1);
    let write = move || {
        let end = End { queue, readers };
        let mut log = Log { pages: Arc::default(), folded_at: 0, checkpoint_pages };
        let watched = log.watch(&mut connection);
        let mut applier = match watched.and_then(|()| Applier::new(&connection)) {
            Ok(applier) => applier,
            Err(error) => {
                let _ = report.send(Err(error));
                return;
            }
        };
        let _ = report.send(Ok(()));
        if run(&connection, &mut applier, &end.queue, &mut log).is_err() {
            // Who waited has been told. The files stay as they are: SQLite would flush once more when it closes them, and
            // what a flush says after one has failed means nothing.
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            metrics::counter!("stepwright_store_failures_total").increment(1);
        }
    };
    let spawned = thread::Builder::new().name("stepwright-store".into()).spawn(write);
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
    readers: Arc<Readers>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.readers.refuse();
        self.queue.abandon();
    }
}

/// Until the queue is closed and empty, or the store fails.
fn run(
    connection: &Connection,
    applier: &mut Applier<'_>,
    queue: &Queue,
    log: &mut Log,
) -> Result<(), StoreError> {
    let mut jobs = Vec::new();
    while let Some(left) = queue.take(&mut jobs) {
        metrics::gauge!("stepwright_store_queue_units").set(left as f64);
        metrics::histogram!("stepwright_store_batch_units").record(jobs.len() as f64);
        let started = Instant::now();
        let outcomes = applier.commit(&jobs);
        metrics::histogram!("stepwright_store_commit_seconds").record(started.elapsed());
        match outcomes {
            Ok(outcomes) => {
                for (job, outcome) in jobs.drain(..).zip(outcomes) {
                    answer(job, outcome);
                }
            }
            Err(error) => {
                for job in jobs.drain(..) {
                    fail(job, &error);
                }
                return Err(error);
            }
        }
        log.fold_if_long(connection)?;
    }
    Ok(())
}

fn answer(job: Job, outcome: Outcome) {
    match (job, outcome) {
        (Job::Commit { answer, .. }, Outcome::Committed) => answer.answer(Ok(())),
        (Job::Commit { answer, .. }, Outcome::Refused(refusal)) => answer.answer(Err(refusal)),
        (Job::Acquire { answer, .. }, Outcome::Acquired(epoch, sequence)) => {
            answer.answer(Ok((epoch, sequence)));
        }
        // Outcomes come in the order of their jobs; a job left out answers `Closed` when it is dropped.
        _ => {}
    }
}

fn fail(job: Job, error: &StoreError) {
    match job {
        Job::Commit { answer, .. } => answer.answer(Err(CommitError::Store(error.clone()))),
        Job::Acquire { answer, .. } => answer.answer(Err(error.clone())),
    }
}

/// The write-ahead log: how long it is, and when it is folded into the database file.
///
/// SQLite would do it at the end of a commit, and whoever waits for that commit would wait for the fold as well.
struct Log {
    /// How many pages there are, by the last commit.
    pages: Arc<AtomicU32>,
    /// How many there were when they were folded. The log starts anew with the next commit, unless somebody reads it.
    folded_at: u32,
    checkpoint_pages: u32,
}

impl Log {
    fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let pages = self.pages.clone();
        connection.wal_hook(Some(move |_: &mut _, now: std::ffi::c_int| {
            pages.store(now.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))
    }

    fn fold_if_long(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.folded_at {
            self.folded_at = 0;
        }
        if pages - self.folded_at < self.checkpoint_pages {
            return Ok(());
        }
        self.folded_at = pages;
        let started = Instant::now();
        connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?;
        metrics::histogram!("stepwright_store_checkpoint_seconds").record(started.elapsed());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Answer, promise};
    use crate::embedded::directory;
    use crate::{CatalogKind, Epoch, Expect, Mutation, ShardId, Unit};
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    const SHARD: ShardId = ShardId(0);

    fn unit(bytes: usize) -> Unit {
        let (kind, key, data) = (CatalogKind::Tags, "key".into(), Some(vec![0; bytes]));
        let mutations = vec![Mutation::Catalog { kind, key, data, expect: Expect::Anything }];
        Unit { shard: SHARD, epoch: Epoch(1), mutations }
    }

    /// Whoever waited with the commit that failed is told so, and all that come later that the store is closed.
    #[test]
    fn after_an_error_of_the_storage_nothing_more_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions::new(directory.path());
        let (lock, connection) = directory::open(&options).unwrap();
        let full = "PRAGMA max_page_count = 40";
        connection.query_row(full, [], |_| Ok(())).unwrap();
        let readers = Arc::new(Readers::open(&options).unwrap());
        let queue = Arc::new(Queue::default());

        // Handed in before the writer starts, so that they are one batch.
        let (answer, _acquired) = promise();
        queue.push(Job::Acquire { shard: SHARD, answer });
        let commit = |unit: Unit| {
            let (promise, answer) = promise();
            queue.push(Job::Commit { unit, invalid: None, bytes: 0, answer: promise });
            answer
        };
        let batch = [commit(unit(10)), commit(unit(200_000)), commit(unit(10))];
        let thread = start(connection, queue.clone(), readers.clone(), &options).unwrap();
        thread.join().unwrap();
        let after = commit(unit(10));

        let mut context = Context::from_waker(Waker::noop());
        let mut told = |answer: Answer<(), CommitError>| match std::pin::pin!(answer).poll(&mut context) {
            Poll::Ready(Err(CommitError::Store(error))) => error,
            _ => panic!("an error"),
        };
        for answer in batch {
            assert!(matches!(told(answer), StoreError::Failed(text) if text.contains("full")));
        }
        assert!(matches!(told(after), StoreError::Closed));
        assert!(matches!(readers.read(|_| Ok(())), Err(StoreError::Closed)));

        let (_, connection) = {
            readers.close();
            drop(lock);
            directory::open(&options).unwrap()
        };
        let rows = "SELECT (SELECT count(*) FROM shard) + (SELECT count(*) FROM record)";
        assert_eq!(connection.query_row(rows, [], |row| row.get::<_, u32>(0)), Ok(0));
    }
}
