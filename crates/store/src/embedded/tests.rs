//! What becomes of the log after crashes, damage and failures of the storage.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::log::{Log, Record, paths};
use super::newest::Newest;
use super::queue::{Job, Queue};
use super::readers::{Readers, connect};
use super::*;
use crate::{Expect, Mutation, Status};

const SHARD: ShardId = ShardId(0);
const BLOCK: usize = 4096;

mod damage;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn key(sequence: u64) -> ExecutionKey {
    ExecutionKey::new(SHARD, sequence).unwrap()
}

fn create(sequence: u64) -> Mutation {
    Mutation::CreateExecution(Execution {
        key: key(sequence),
        machine: "machine".into(),
        name: format!("name {sequence}").into(),
        status: Status::Running,
        start_ms: 1,
        stop_ms: None,
        head: vec![1; 50],
        tail: Vec::new(),
        listed: Default::default(),
    })
}

fn record(key: &str, bytes: usize) -> Unit {
    let (kind, key, data) = (CatalogKind::Tags, key.into(), Some(vec![0; bytes]));
    let mutations = vec![Mutation::Catalog { kind, key, data, expect: Expect::Anything }];
    Unit { shard: SHARD, epoch: Epoch(1), mutations }
}

/// A directory whose database has nothing, and whose log has a taken shard (record 1) and then one execution in each record.
fn logged(executions: u64, file_bytes: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    Embedded::open(EmbeddedOptions::new(directory.path())).unwrap().close();
    let opened = 10;
    let connection = Connection::open(directory::database(directory.path())).unwrap();
    pages::verify_reads(&connection).unwrap();
    connection.execute("UPDATE log SET folded = ?1, opened = ?1", [opened]).unwrap();
    drop(connection);
    let mut log = Log::open(directory.path(), opened as u64, file_bytes).unwrap();
    let mut record = Record::new();
    record.acquire(SHARD, Epoch(1));
    log.append(&mut record).unwrap();
    for sequence in 1..=executions {
        record.clear();
        record.unit(&[create(sequence)]);
        log.append(&mut record).unwrap();
    }
    directory
}

/// How many of the executions there are, which must be the first ones.
fn executions(directory: &Path) -> Result<u64, OpenError> {
    let store = Embedded::open(EmbeddedOptions::new(directory))?;
    let there = |sequence: &u64| wait(store.execution(key(*sequence))).unwrap().is_some();
    let count = (1..).take_while(there).count() as u64;
    assert!((count + 1..count + 20).all(|sequence| !there(&sequence)), "a gap");
    assert_eq!(wait(store.acquire(SHARD)).unwrap(), (Epoch(2), count));
    Ok(count)
}

#[test]
fn what_is_only_in_the_log_is_there_after_a_crash() {
    for (count, file_bytes) in [(0, 1 << 20), (7, 1 << 20), (5, 4 * BLOCK as u64)] {
        let directory = logged(count, file_bytes);
        assert_eq!(executions(directory.path()).unwrap(), count);
        let left = paths(directory.path());
        assert!(left.iter().all(|path| !path.exists()), "a closed store needs no log");
    }
}

#[test]
fn the_files_take_turns_under_load() {
    // A file that never grows again, and one that grows several times.
    for (log_blocks, units) in [(5, 60), (150, 400)] {
        let directory = tempfile::tempdir().unwrap();
        let log_bytes = log_blocks * BLOCK as u64;
        let options = EmbeddedOptions { log_bytes, ..EmbeddedOptions::new(directory.path()) };
        let store = Embedded::open(options.clone()).unwrap();
        let (epoch, _) = wait(store.acquire(SHARD)).unwrap();
        for sequence in 1..=units {
            let unit = Unit { shard: SHARD, epoch, mutations: vec![create(sequence)] };
            wait(store.commit(unit)).unwrap();
            assert!(wait(store.execution(key(sequence))).unwrap().is_some());
        }
        let lengths = paths(directory.path()).map(|path| fs::metadata(path).unwrap().len());
        assert_eq!(lengths, [log_bytes; 2]);
        // Longer than a file.
        wait(store.commit(record("key", 200 * BLOCK))).unwrap();
        wait(store.commit(record("key", 10))).unwrap();
        store.close();
        assert_eq!(executions(directory.path()).unwrap(), units);
    }
}

#[test]
fn a_log_that_was_cut_back_goes_on() {
    let directory = logged(0, 1 << 20);
    let lengths = || paths(directory.path()).map(|path| fs::metadata(path).unwrap().len());
    let mut log = Log::open(directory.path(), 20, 1 << 20).unwrap();
    let append = |log: &mut Log, sequences: std::ops::RangeInclusive<u64>| {
        for sequence in sequences {
            let mut record = Record::new();
            record.unit(&[create(sequence)]);
            record.unit(&self::record("key", 4 * BLOCK).mutations);
            log.append(&mut record).unwrap();
        }
    };
    append(&mut log, 1..=10);
    let short = lengths();
    log.cut().unwrap();
    assert_eq!(lengths(), short, "it is not much");
    append(&mut log, 11..=80);
    log.cut().unwrap();
    assert_eq!(lengths(), [0; 2]);
    append(&mut log, 81..=85);
    drop(log);
    // The database has what was there when the files were cut back, and a crash comes.
    let connection = Connection::open(directory::database(directory.path())).unwrap();
    pages::verify_reads(&connection).unwrap();
    connection.execute("UPDATE log SET folded = 100, opened = 20", []).unwrap();
    drop(connection);
    let store = Embedded::open(EmbeddedOptions::new(directory.path())).unwrap();
    let there = |sequence: u64| wait(store.execution(key(sequence))).unwrap().is_some();
    assert!(!there(80) && (81..=85).all(there));
}

#[test]
fn the_log_is_cut_back_when_all_is_folded() {
    let parts = parts(|_, _, _| ());
    let lengths = || paths(parts.directory.path()).map(|path| fs::metadata(path).unwrap().len());
    parts.acquire();
    wait(parts.commit(record("large", 3 << 20))).unwrap();
    assert!(lengths().iter().sum::<u64>() > 3 << 20);
    if let Some(folded) = parts.newest.all_folded() {
        wait(folded).unwrap();
    }
    parts.turn.with_writer(|writer| writer.rest().unwrap());
    assert_eq!(lengths(), [0; 2]);
}

/// A store's threads on parts that the test has prepared.
struct Parts {
    directory: tempfile::TempDir,
    turn: Arc<Turn>,
    newest: Arc<Newest>,
    readers: Arc<Readers>,
    threads: [JoinHandle<()>; 2],
}

fn parts(prepare: impl FnOnce(&Connection, &mut Log, &Path)) -> Parts {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions::new(directory.path());
    let (_locks, connection) = directory::open(&options).unwrap();
    let mut log = Log::open(directory.path(), 1, options.log_bytes).unwrap();
    prepare(&connection, &mut log, directory.path());
    let newest = Arc::new(Newest::new(0, vec![0; judge::SHARDS]));
    let readers = Arc::new(Readers::open(&options).unwrap());
    let queue = Arc::<Queue>::default();
    let folder = fold::start(connection, newest.clone(), queue.clone(), &options).unwrap();
    newest.publish(Tail::opened(1), 1).unwrap();
    newest.fold_up_to(1).unwrap();
    let judge = Judge::new(newest.clone(), connect(&options).unwrap()).unwrap();
    let turn = Turn::new(Writer::new(judge, log, newest.clone()), queue, newest.clone(), readers.clone());
    let thread = turn::start(turn.clone(), &options).unwrap();
    Parts { directory, turn, newest, readers, threads: [thread, folder] }
}

impl Parts {
    fn commit(&self, unit: Unit) -> crate::answer::Answer<(), CommitError> {
        let (promise, answer) = promise();
        self.turn.push(Job::Commit { unit, invalid: None, bytes: 0, answer: promise });
        answer
    }

    fn acquire(&self) {
        let (promise, answer) = promise();
        self.turn.push(Job::Acquire { shard: SHARD, answer: promise });
        wait(answer).unwrap();
    }

    /// Nothing more is taken, and everybody is told so.
    fn ended(self) -> tempfile::TempDir {
        for thread in self.threads {
            thread.join().unwrap();
        }
        let (promise, after) = promise();
        self.turn.push(Job::Commit { unit: record("key", 1), invalid: None, bytes: 0, answer: promise });
        assert!(matches!(wait(after), Err(CommitError::Store(StoreError::Closed))));
        assert!(matches!(self.readers.read(|_| Ok(())), Err(StoreError::Closed)));
        self.directory
    }
}

#[test]
fn after_an_error_of_the_log_nothing_more_is_taken() {
    let parts = parts(|_, log, directory| log.break_files(directory));
    let (promise, acquired) = promise();
    parts.turn.push(Job::Acquire { shard: SHARD, answer: promise });
    let unit = parts.commit(record("key", 10));
    let failed = wait(acquired);
    assert!(matches!(&failed, Err(StoreError::Failed(text)) if text.contains("log")), "{failed:?}");
    assert!(matches!(wait(unit), Err(CommitError::Store(_))));
    parts.ended();
}

#[test]
fn after_an_error_of_a_callers_own_commit_nothing_more_is_taken() {
    let parts = parts(|_, _, _| ());
    parts.acquire();
    // Where flushes are quick, callers soon commit themselves.
    for _ in 0..40 {
        wait(parts.commit(record("key", 10))).unwrap();
    }
    parts.turn.with_writer(|writer| writer.log().break_files(parts.directory.path()));
    let failed = wait(parts.commit(record("key", 10)));
    assert!(
        matches!(&failed, Err(CommitError::Store(StoreError::Failed(text))) if text.contains("log")),
        "{failed:?}"
    );
    let directory = parts.ended();
    let store = Embedded::open(EmbeddedOptions::new(directory.path())).unwrap();
    assert_eq!(wait(store.record(CatalogKind::Tags, "key")).unwrap().unwrap().revision, 40);
}

#[test]
fn after_an_error_of_the_database_nothing_more_is_taken_and_nothing_is_lost() {
    let parts = parts(|connection, _, _| {
        connection.query_row("PRAGMA max_page_count = 60", [], |_| Ok(())).unwrap();
    });
    parts.acquire();
    wait(parts.commit(record("large", 900_000))).unwrap();
    let full = loop {
        if let Err(error) = wait(parts.commit(record("key", 10))) {
            break error;
        }
    };
    assert!(matches!(full, CommitError::Store(_)), "{full:?}");
    let directory = parts.ended();
    let store = Embedded::open(EmbeddedOptions::new(directory.path())).unwrap();
    assert_eq!(wait(store.record(CatalogKind::Tags, "large")).unwrap().unwrap().data.len(), 900_000);
}
