//! The embedded store: a log and SQLite, in a directory that one process holds.
//!
//! One thread commits: it drains a bounded queue, decides about all units that wait, makes them durable in the log with one
//! flush, then answers them; what queues up while a flush runs is the next batch, so nothing ever waits for a timer. While
//! nothing queues up, callers commit themselves.
//! Another thread folds what was acknowledged into the database, some times a second: what has come and gone in between costs
//! the database nothing. Until then the newest changes are kept in memory too, and readers look there first, so
//! that they see all that is acknowledged, and only that. After a crash the rest of the log is folded before anything else.
//!
//! Reads run on the calling thread, on a small pool of read-only connections. Lookups by key are answered at once; listings
//! wait until the database has everything.
//!
//! What is written is mostly at the right edge of a tree, one edge for each shard: a node does best with few shards.
//!
//! A flush is never repeated: after an error of the storage below, the store takes no further work. Blobs and records
//! carry a checksum that is verified whenever they are read.
//!
//! What it leaves out: several processes on one directory (refused), compression.

pub mod care;
mod directory;
mod error;
mod fold;
mod inspect;
mod judge;
mod log;
mod name;
mod newest;
mod pages;
mod queue;
mod read;
mod readers;
mod schema;
mod seal;
mod search;
mod tail;
#[cfg(test)]
mod tests;
mod turn;
mod view;
mod writer;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub use error::OpenError;

use crate::answer::{lock, promise, ready};
use crate::check::{bytes, check};
use crate::{
    CatalogKind, CatalogRecord, CommitError, Counts, Dispatch, Epoch, Execution, ExecutionKey,
    ExecutionQuery, Found, Page, Pending, Permit, QueueItem, Search, Segment, ShardId, Store, StoreError,
    Timer, Unit,
};
use directory::Locks;
use judge::Judge;
use log::{Log, Opened, Scan};
use newest::Newest;
use queue::{Job, Queue};
use readers::Readers;
use rusqlite::Connection;
use tail::Tail;
use turn::Turn;
use view::View;
use writer::Writer;

/// How to open an embedded store.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Where the store is, or is to be created; the directory is created if need be.
    pub directory: PathBuf,
    /// How many reads can run at a time.
    pub readers: usize,
    /// The page cache of the connection that writes.
    pub writer_cache_kib: u32,
    /// The page cache of each connection that reads.
    pub reader_cache_kib: u32,
    /// SQLite's write-ahead log is folded into the database file once it holds this many pages of 4 KiB.
    pub checkpoint_pages: u32,
    /// The size of each of the two files of the log.
    pub log_bytes: u64,
}

impl EmbeddedOptions {
    /// The defaults for a directory. Caches are small: the operating system caches the same pages, and what is
    /// written is mostly at the right edge of its tree.
    pub fn new(directory: impl Into<PathBuf>) -> EmbeddedOptions {
        EmbeddedOptions {
            directory: directory.into(),
            readers: 4,
            writer_cache_kib: 1024,
            reader_cache_kib: 512,
            checkpoint_pages: 4000,
            log_bytes: 32 << 20,
        }
    }
}

/// How much disk a store takes, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sizes {
    /// The database.
    pub database: u64,
    /// What SQLite keeps beside it.
    pub database_log: u64,
    /// The log of what was acknowledged.
    pub log: u64,
}

/// What becomes of a log that has not all that was acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damaged {
    Refuse,
    /// What cannot be reached is given up.
    GiveUp,
}

/// The embedded store. Dropping it closes it.
pub struct Embedded {
    directory: PathBuf,
    turn: Arc<Turn>,
    newest: Arc<Newest>,
    readers: Arc<Readers>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    writer: JoinHandle<()>,
    folder: JoinHandle<()>,
    /// Locked while the store is open; closing the files unlocks them.
    _locks: Locks,
}

impl Embedded {
    /// Opens the store of the directory, or creates it there.
    ///
    /// A directory that is in use, or that holds something else under the store's file name, is left as it is.
    pub fn open(options: EmbeddedOptions) -> Result<Arc<Embedded>, OpenError> {
        Embedded::open_as(options, Damaged::Refuse)
    }

    fn open_as(options: EmbeddedOptions, damaged: Damaged) -> Result<Arc<Embedded>, OpenError> {
        let file = directory::database(&options.directory);
        let sqlite = directory::unreadable(&file);
        let (locks, connection) = directory::open(&options)?;
        let expected = read::log(&connection).map_err(&sqlite)?;
        let scan = Scan::new(&options.directory, expected)?;
        scan.check_versions()?;
        if let Some(fault) = scan.fault().filter(|_| damaged == Damaged::Refuse) {
            return Err(OpenError::lost(&options.directory, fault));
        }
        let newest = Arc::new(Newest::new(expected.folded, read::free_from(&connection).map_err(&sqlite)?));
        let readers = Arc::new(Readers::open(&options)?);
        let judging = readers::connect(&options).map_err(&sqlite)?;
        let queue = Arc::<Queue>::default();
        let folder = fold::start(connection, newest.clone(), queue.clone(), &options)?;
        let opened = Judge::new(newest.clone(), judging).map_err(&sqlite).and_then(|mut judge| {
            replay(&scan, &newest, &mut judge)?;
            let log = begin_log(&options, &scan, &newest)?;
            let writer = Writer::new(judge, log, newest.clone());
            let turn = Turn::new(writer, queue, newest.clone(), readers.clone());
            Ok((turn::start(turn.clone(), &options)?, turn))
        });
        match opened {
            Ok((writer, turn)) => {
                let threads = Mutex::new(Some(Threads { writer, folder, _locks: locks }));
                let directory = options.directory;
                Ok(Arc::new(Embedded { directory, turn, newest, readers, threads }))
            }
            Err(error) => {
                newest.end(StoreError::Closed);
                let _ = folder.join();
                Err(error)
            }
        }
    }

    /// Commits what was handed in before, ends the threads and gives the directory free. Blocks until that is done.
    /// Everything asked of the store from now on is answered with [`StoreError::Closed`].
    pub fn close(&self) {
        // The readers first: the last connection to go folds SQLite's log into the database file, and only the folder can.
        self.readers.close();
        self.turn.close();
        if let Some(threads) = lock(&self.threads).take() {
            // On the writer's own thread, in somebody's waker, that somebody was the last to hold this store: the threads
            // end by themselves. One that panicked has left everybody who waited with `Closed`.
            if threads.writer.thread().id() != std::thread::current().id() {
                let _ = threads.writer.join();
                let _ = threads.folder.join();
            }
        }
    }

    /// How much disk the store takes.
    pub fn sizes(&self) -> Sizes {
        directory::sizes(&self.directory)
    }

    /// How many executions there are, by status, as far as they are in the database: some hundred milliseconds ago.
    pub fn recent_counts(&self) -> Result<Counts, StoreError> {
        self.readers.read(|connection| search::counts(connection, None))
    }

    fn view(&self) -> View<'_, Readers> {
        View { newest: &self.newest, upper: &[], below: &*self.readers }
    }

    /// Answers from the database when it has everything that is acknowledged now.
    fn when_folded<'a, T: Send + 'a>(
        &'a self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'a,
    ) -> Pending<'a, Result<T, StoreError>> {
        match self.newest.all_folded() {
            None => ready(self.readers.read(query)),
            Some(folded) => Box::pin(async move {
                folded.await?;
                self.readers.read(query)
            }),
        }
    }
}

/// Folds what the log has and the database has not, after a crash.
fn replay(scan: &Scan, newest: &Newest, judge: &mut Judge) -> Result<(), OpenError> {
    scan.replay(|entry, position| {
        let damaged = |found: String| OpenError::Damaged { file: scan.database(), found };
        let changes = judge.replay(entry).map_err(|error| damaged(format!("record {position}: {error}")))?;
        newest.publish(changes, position).map_err(|error| failed(scan, error))
    })?;
    fold(scan, newest, scan.last())
}

/// Opens the log, when the database has everything: from then on the database says that there is one.
fn begin_log(options: &EmbeddedOptions, scan: &Scan, newest: &Newest) -> Result<Log, OpenError> {
    let directory = &options.directory;
    let io = |source| OpenError::Io { path: directory.clone(), source };
    if scan.opened() == Opened::Unknown {
        // What lies there has another layout, and nothing of it is needed.
        log::remove(directory).map_err(io)?;
    }
    // Opening takes a position, which no record has, beyond all of which there is any trace.
    let position = scan.newest().max(scan.last()) + 1;
    let log = Log::open(directory, position, options.log_bytes).map_err(|source| match source.kind() {
        ErrorKind::ResourceBusy => {
            OpenError::InUse { directory: directory.clone(), holder: "another process".into() }
        }
        _ => io(source),
    })?;
    directory::sync(directory).map_err(io)?;
    let opened = Tail::opened(position);
    newest.publish(opened, position).map_err(|error| failed(scan, error))?;
    fold(scan, newest, position)?;
    Ok(log)
}

fn fold(scan: &Scan, newest: &Newest, position: u64) -> Result<(), OpenError> {
    newest.fold_up_to(position).map_err(|error| failed(scan, error))
}

/// Only what is damaged is called so: a full disk wants room, not a backup.
fn failed(scan: &Scan, error: StoreError) -> OpenError {
    let file = scan.database();
    match error {
        StoreError::Corrupt(found) => OpenError::Damaged { file, found },
        StoreError::Failed(_) | StoreError::Closed => {
            OpenError::Io { path: file, source: std::io::Error::other(error.to_string()) }
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for Embedded {
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>> {
        let (promise, answer) = promise();
        self.turn.push(Job::Acquire { shard, answer: promise });
        Box::pin(answer)
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        let invalid = check(&unit).err();
        let bytes = bytes(&unit);
        let (promise, answer) = promise();
        self.turn.push(Job::Commit { unit, invalid, bytes, answer: promise });
        Box::pin(answer)
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(self.view().execution(key))
    }

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(self.view().named(machine, name))
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>> {
        self.when_folded(move |connection| read::executions(connection, &query))
    }

    fn search(&self, search: Search) -> Pending<'_, Result<Found, StoreError>> {
        self.when_folded(move |connection| search::search(connection, &search))
    }

    fn counts(&self, machines: Option<BTreeSet<Arc<str>>>) -> Pending<'_, Result<Counts, StoreError>> {
        self.when_folded(move |connection| search::counts(connection, machines.as_ref()))
    }

    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.when_folded(move |connection| read::machines(connection, &prefix, after.as_deref(), limit))
    }

    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(self.view().segments(key, from, false, usize::MAX))
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(self.view().segments(key, from, newest_first, limit))
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        self.when_folded(move |connection| read::timers(connection, shard))
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.when_folded(move |connection| read::dispatches(connection, shard))
    }

    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        let keys = keys.to_vec();
        self.when_folded(move |connection| read::dispatches_of(connection, &keys))
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        self.when_folded(move |connection| read::queued(connection, shard))
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        self.when_folded(move |connection| read::permits(connection, shard))
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        ready(self.view().record(kind, &key.into()))
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.when_folded(move |connection| read::records(connection, kind, &prefix, after.as_deref(), limit))
    }
}
