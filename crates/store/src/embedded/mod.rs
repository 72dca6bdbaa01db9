//! The embedded store: SQLite in a directory that one process holds.
//!
//! One thread owns the only connection that writes. It drains a bounded queue, commits all units that wait with one
//! transaction and one flush, then answers them: what queues up while a flush runs is the next batch, so nothing ever
//! waits for a timer. Reads run on the calling thread, on a small pool of read-only connections that see only what is
//! durable; their futures are ready when they are returned.
//!
//! What is written is mostly at the right edge of a tree, one edge for each shard: a node does best with few shards.
//!
//! A flush is never repeated: after an error of the storage below, the store takes no further work. Blobs carry a
//! checksum that is verified whenever they are read.
//!
//! What it leaves out: several processes on one directory (refused), compression.

mod apply;
mod directory;
mod error;
mod queue;
mod read;
mod readers;
mod schema;
mod seal;
mod writer;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

pub use error::OpenError;

use crate::answer::{lock, promise, ready};
use crate::check::{bytes, check};
use crate::{
    CatalogKind, CatalogRecord, CommitError, Dispatch, Epoch, Execution, ExecutionKey, ExecutionQuery, Page,
    Pending, Permit, QueueItem, Segment, ShardId, Store, StoreError, Timer, Unit,
};
use queue::{Job, Queue};
use readers::Readers;

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
    /// The write-ahead log is folded into the database file once it holds this many pages of 4 KiB.
    pub checkpoint_pages: u32,
}

impl EmbeddedOptions {
    /// The defaults for a directory. Caches are small: the operating system caches the same pages, and what is
    /// written is mostly at the right edge of its tree.
    pub fn new(directory: impl Into<PathBuf>) -> EmbeddedOptions {
        EmbeddedOptions {
            directory: directory.into(),
            readers: 4,
            writer_cache_kib: 2048,
            reader_cache_kib: 512,
            checkpoint_pages: 4000,
        }
    }
}

/// The embedded store. Dropping it closes it.
pub struct Embedded {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    writer: Mutex<Option<Writer>>,
}

struct Writer {
    thread: JoinHandle<()>,
    /// Locked while the store is open; closing the file unlocks it.
    _directory: File,
}

impl Embedded {
    /// Opens the store of the directory, or creates it there.
    ///
    /// A directory that is in use, or that holds something else under the store's file name, is left as it is.
    pub fn open(options: EmbeddedOptions) -> Result<Arc<Embedded>, OpenError> {
        let (lock, connection) = directory::open(&options)?;
        let readers = Arc::new(Readers::open(&options)?);
        let queue = Arc::new(Queue::default());
        let thread = writer::start(connection, queue.clone(), readers.clone(), &options)?;
        let writer = Mutex::new(Some(Writer { thread, _directory: lock }));
        Ok(Arc::new(Embedded { queue, readers, writer }))
    }

    /// Commits what was handed in before, ends the writer and gives the directory free. Blocks until that is done.
    /// Everything asked of the store from now on is answered with [`StoreError::Closed`].
    pub fn close(&self) {
        // The readers first: the last connection to go folds the log into the database file, and only the writer can.
        self.readers.close();
        self.queue.close();
        if let Some(writer) = lock(&self.writer).take() {
            // On the writer's own thread, in somebody's waker, that somebody was the last to hold this store: the thread
            // ends by itself. One that panicked has left everybody who waited with `Closed`.
            if writer.thread.thread().id() != std::thread::current().id() {
                let _ = writer.thread.join();
            }
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
        self.queue.push(Job::Acquire { shard, answer: promise });
        Box::pin(answer)
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        let invalid = check(&unit).err();
        let bytes = bytes(&unit);
        let (promise, answer) = promise();
        self.queue.push(Job::Commit { unit, invalid, bytes, answer: promise });
        Box::pin(answer)
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(self.readers.read(|connection| read::execution(connection, key)))
    }

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(self.readers.read(|connection| read::execution_by_name(connection, machine, name)))
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>> {
        ready(self.readers.read(|connection| read::executions(connection, &query)))
    }

    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(self.readers.read(|connection| read::segments(connection, key, from)))
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(self.readers.read(|connection| read::some_segments(connection, key, from, newest_first, limit)))
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        ready(self.readers.read(|connection| read::timers(connection, shard)))
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        ready(self.readers.read(|connection| read::dispatches(connection, shard)))
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        ready(self.readers.read(|connection| read::queued(connection, shard)))
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        ready(self.readers.read(|connection| read::permits(connection, shard)))
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        ready(self.readers.read(|connection| read::record(connection, kind, key)))
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        ready(self.readers.read(|connection| read::records(connection, kind, prefix, after, limit)))
    }
}
