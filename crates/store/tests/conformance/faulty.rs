//! What the faulty store promises to those who test with it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use stepwright_store::faulty::{Durable, Fault, Faulty, FaultyOptions, Flushed};
use stepwright_store::memory::Memory;
use stepwright_store::{CommitError, Epoch, Pending, Store, StoreError};

use crate::build::*;

fn held() -> FaultyOptions {
    FaultyOptions { held: true, ..FaultyOptions::default() }
}

type Commit = Pending<'static, Result<(), CommitError>>;

/// One letter for each: waits, is committed, is refused, failed, closed.
fn told(commits: &mut [Commit]) -> String {
    let mut context = Context::from_waker(Waker::noop());
    let letter = |commit: &mut Commit| match Pin::new(commit).poll(&mut context) {
        Poll::Pending => 'w',
        Poll::Ready(Ok(())) => 'c',
        Poll::Ready(Err(CommitError::Store(StoreError::Failed(_)))) => 'f',
        Poll::Ready(Err(CommitError::Store(StoreError::Closed))) => 'x',
        Poll::Ready(Err(_)) => 'r',
    };
    commits.iter_mut().map(letter).collect()
}

/// Takes the shard and hands in the units.
fn five(store: &Faulty) -> Vec<Commit> {
    let taken = store.acquire(SHARD);
    store.flush(1);
    store.release(1);
    wait(taken).unwrap();
    units(store)
}

/// Hands in five units, the third of which is refused: its name is the first one's.
fn units(store: &Faulty) -> Vec<Commit> {
    let holder = Holder { store, shard: SHARD, epoch: Epoch(1) };
    let names = ["a", "b", "a", "d", "e"];
    (1..).zip(names).map(|(sequence, name)| store.commit(holder.unit([create(sequence, name)]))).collect()
}

/// The executions that are there, by number.
fn there(store: &dyn Store) -> Vec<u64> {
    let mut there = Holder { store, shard: SHARD, epoch: Epoch(1) }.list(None, None, 99).0;
    there.reverse();
    there
}

#[test]
fn a_test_decides_what_is_durable_and_who_knows() {
    let store = Faulty::new(held());
    let mut commits = five(&store);
    assert_eq!((store.waiting(), there(&*store)), (5, vec![]));
    assert_eq!(store.flush(3), Some(Flushed { units: 3, fault: None }));
    assert_eq!((there(&*store), told(&mut commits)), (vec![1, 2], "wwwww".into()));
    assert_eq!((store.release(2), store.unreleased()), (2, 1));
    assert_eq!(told(&mut commits[..2]), "cc");
    assert_eq!(told(&mut commits[2..]), "www");
    store.crash();
    assert_eq!(told(&mut commits[2..]), "xxx");
    assert!(store.is_lost());
    assert!(matches!(wait(store.execution(key(1))), Err(StoreError::Closed)));
    assert!(matches!(wait(store.acquire(SHARD)), Err(StoreError::Closed)));

    let again = Faulty::on(&store.survivors(), FaultyOptions::default());
    assert_eq!(there(&*again), [1, 2]);
    Holder::new(&*again).commit([create(3, "c")]);
    assert_eq!((there(&*again), there(&*store.survivors())), (vec![1, 2, 3], vec![1, 2]));
}

#[test]
fn a_fault_strikes_where_it_is_planned() {
    use Durable::*;
    for (fault, answers, survive) in [
        (Fault::Fail(Nothing), "ffffx", vec![]),
        (Fault::Fail(First(1)), "ffffx", vec![1]),
        (Fault::Fail(First(3)), "ffffx", vec![1, 2]),
        (Fault::Fail(Everything), "ffffx", vec![1, 2, 4]),
        (Fault::Crash(Nothing), "xxxxx", vec![]),
        (Fault::Crash(First(2)), "xxxxx", vec![1, 2]),
        (Fault::Crash(Everything), "xxxxx", vec![1, 2, 4]),
    ] {
        // Flush 0 takes the shard.
        let store = Faulty::new(FaultyOptions { plan: [(1, fault)].into(), ..held() });
        let mut commits = five(&store);
        assert_eq!(store.flush(4), Some(Flushed { units: 4, fault: Some(fault) }));
        store.release(usize::MAX);
        assert_eq!(told(&mut commits), answers, "{fault:?}");
        assert_eq!(there(&*store.survivors()), survive, "{fault:?}");
        assert!(store.is_lost());
        assert_eq!(store.flush(9), None);
    }
}

#[test]
fn answers_of_a_failed_batch_come_after_those_before_it() {
    let plan = [(2, Fault::Fail(Durable::Nothing))].into();
    let store = Faulty::new(FaultyOptions { plan, ..held() });
    let mut commits = five(&store);
    store.flush(2);
    store.flush(2);
    for answers in ["c", "c", "f", "f", "x"] {
        let rest = commits.split_off(1);
        assert_eq!(told(&mut commits[..1]), "w");
        assert_eq!(store.release(1), 1);
        assert_eq!(told(&mut commits[..1]), answers);
        commits = rest;
    }
}

#[test]
fn the_dice_of_a_seed_fall_the_same_way() {
    let taken = Memory::default();
    wait(taken.acquire(SHARD)).unwrap();
    let outcome = |seed| {
        let store = Faulty::on(&taken, FaultyOptions { seed, faults_per_mille: 100, ..held() });
        let mut commits = units(&store);
        let mut flushed = Vec::new();
        while let Some(outcome) = store.flush(2) {
            flushed.push(outcome);
        }
        store.release(usize::MAX);
        (flushed, told(&mut commits), there(&*store.survivors()))
    };
    let outcomes: Vec<_> = (0..200).map(outcome).collect();
    assert_eq!(outcomes, (0..200).map(outcome).collect::<Vec<_>>());
    let struck = outcomes.iter().filter(|(flushed, ..)| flushed.iter().any(|one| one.fault.is_some()));
    assert!((20..120).contains(&struck.count()));
    for (_, answers, there) in outcomes {
        let acknowledged = (1..).zip(answers.chars()).filter(|(_, letter)| *letter == 'c');
        assert!(acknowledged.into_iter().all(|(sequence, _)| there.contains(&sequence)));
    }
}

#[test]
fn without_holding_it_answers_at_once() {
    let store = Faulty::new(FaultyOptions { seed: 1, faults_per_mille: 1000, ..FaultyOptions::default() });
    assert!(wait(store.acquire(SHARD)).is_err());
    assert!(store.is_lost());
    assert_eq!(store.flushes(), 1);
}
