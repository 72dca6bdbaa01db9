//! What the embedded store promises beyond the others: it keeps what it acknowledged.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwright_store::embedded::{Embedded, EmbeddedOptions};
use stepwright_store::{CommitError, Dispatch, Mutation, Segment, Status, Store, StoreError, Timer};

use crate::build::*;

fn open(directory: &Path) -> Arc<Embedded> {
    Embedded::open(EmbeddedOptions::new(directory)).unwrap()
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let holder = Holder::new(&*store);
    holder.commit([create(1, "a"), append(1, 1), end(1, Status::Succeeded)]);
    let timer = Timer { due_ms: 7, key: key(2), timer: 1 };
    holder.commit([create(2, "b"), append(2, 1), Mutation::SetTimer(timer)]);
    let before = [holder.execution(key(1)), holder.execution(key(2))];
    store.close();
    drop(store);
    let store = open(directory.path());
    assert_eq!(wait(store.acquire(SHARD)).unwrap().1, 2);
    let holder = Holder::new(&*store);
    assert_eq!(holder.epoch.0, 3);
    assert_eq!([holder.execution(key(1)), holder.execution(key(2))], before);
    assert_eq!(wait(store.timers(SHARD)).unwrap(), [timer]);
    assert_eq!(holder.segments(1, 1), [1]);
}

#[test]
fn closing_commits_what_waits_and_refuses_what_comes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let holder = Holder::new(&*store);
    let pending: Vec<_> = (1..=300)
        .map(|sequence| store.commit(holder.unit([create(sequence, &format!("name {sequence}"))])))
        .collect();
    store.close();
    assert!(pending.into_iter().all(|pending| wait(pending).is_ok()));
    assert!(matches!(holder.try_commit([create(999, "late")]), Err(CommitError::Store(StoreError::Closed))));
    assert!(matches!(wait(store.acquire(SHARD)), Err(StoreError::Closed)));
    assert!(matches!(wait(store.execution(key(1))), Err(StoreError::Closed)));
    store.close();
    assert!(!directory.path().join("stepwright.db-wal").exists(), "the log is folded");
    let again = open(directory.path());
    assert_eq!(Holder::new(&*again).list(None, None, 999).0.len(), 300);
}

/// The log is folded while reads and writes go on.
#[test]
fn folding_the_log_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        EmbeddedOptions { checkpoint_pages: 8, readers: 2, ..EmbeddedOptions::new(directory.path()) };
    let store = Embedded::open(options).unwrap();
    let holder = Holder::new(&*store);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut highest = 0;
            while highest < 200 {
                let listed = holder.list(None, None, 1000).0;
                assert_eq!(listed, (1..=listed.len() as u64).rev().collect::<Vec<_>>());
                highest = listed.len();
            }
        });
        for sequence in 1..=200 {
            let data = vec![1; 5_000];
            let segment = Segment { number: 1, data };
            let name = format!("name {sequence}");
            holder.commit([create(sequence, &name), Mutation::Append { key: key(sequence), segment }]);
        }
        reading.join().unwrap();
    });
    store.close();
    let again = open(directory.path());
    let holder = Holder::new(&*again);
    assert_eq!(holder.list(None, None, 1000).0.len(), 200);
    assert!((1..=200).all(|sequence| holder.segments(sequence, 1) == [1]));
}

const CHILD_DIRECTORY: &str = "STEPWRIGHT_STORE_TEST_DIRECTORY";

/// Runs in a process of its own, which is killed: commits numbered units, many at a time, and prints those acknowledged.
#[test]
#[ignore = "only as the child of the next test"]
fn child_that_commits_until_killed() {
    let Ok(directory) = std::env::var(CHILD_DIRECTORY) else { return };
    let options = EmbeddedOptions { checkpoint_pages: 64, ..EmbeddedOptions::new(Path::new(&directory)) };
    let store = Embedded::open(options).unwrap();
    let (_, highest) = wait(store.acquire(SHARD)).unwrap();
    let holder = Holder::new(&*store);
    let mut pending = std::collections::VecDeque::new();
    for sequence in highest + 1.. {
        let unit = [
            create(sequence, &format!("name {sequence}")),
            append(sequence, 1),
            append(sequence, 2),
            Mutation::SetTimer(Timer { due_ms: 1, key: key(sequence), timer: 1 }),
            Mutation::Dispatched(Dispatch { key: key(sequence), task: 1 }),
        ];
        pending.push_back((sequence, store.commit(holder.unit(unit))));
        if pending.len() >= 50 {
            let (sequence, acknowledged) = pending.pop_front().unwrap();
            wait(acknowledged).unwrap();
            println!("acknowledged {sequence}");
        }
    }
}

#[test]
fn a_killed_process_has_kept_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for kills in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "embedded::child_that_commits_until_killed"])
            .env(CHILD_DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let number = |line: String| line.rsplit_once("acknowledged ")?.1.parse::<u64>().ok();
        let mut here = lines.by_ref().filter_map(number).take(100 + kills * 137);
        acknowledged = here.by_ref().last().unwrap();
        child.kill().unwrap();
        // What it had printed before it died counts as well.
        acknowledged = lines.filter_map(number).last().unwrap_or(acknowledged);
        child.wait().unwrap();

        let store = open(directory.path());
        let holder = Holder::new(&*store);
        let listed = holder.list(None, None, usize::MAX).0;
        let there = listed.len() as u64;
        assert!(there >= acknowledged, "{there} of {acknowledged}");
        assert_eq!(listed, (1..=there).rev().collect::<Vec<_>>(), "a gap");
        for sequence in 1..=there {
            assert_eq!(holder.segments(sequence, 1), [1, 2], "half a unit");
        }
        assert_eq!(wait(store.timers(SHARD)).unwrap().len() as u64, there);
        assert_eq!(wait(store.dispatches(SHARD)).unwrap().len() as u64, there);
        assert_eq!(
            holder.execution(key(acknowledged)).unwrap().head,
            format!("head of name {acknowledged}").as_bytes()
        );
    }
    assert!(acknowledged > 500);
}

#[test]
fn disk_is_given_back_when_much_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let holder = Holder::new(&*store);
    for sequence in 1..=300 {
        let data = vec![sequence as u8; 100_000];
        let segment = Segment { number: 1, data };
        holder.commit([
            create(sequence, &format!("e{sequence}")),
            Mutation::Append { key: key(sequence), segment },
        ]);
    }
    // Everything is folded before a listing is answered.
    assert_eq!(holder.list(None, None, 1).0, [300]);
    let full = store.sizes().database + store.sizes().database_log;
    assert!(full > 30_000_000, "{full}");
    holder.commit((1..300).map(|sequence| Mutation::DeleteExecution(key(sequence))).collect::<Vec<_>>());
    assert_eq!(holder.list(None, None, 2).0, [300]);
    let limit = Instant::now() + Duration::from_secs(60);
    while store.sizes().database + store.sizes().database_log > 10_000_000 {
        assert!(Instant::now() < limit, "{:?}", store.sizes());
        std::thread::yield_now();
    }
    assert_eq!(holder.segments(300, 1), [1]);
}
