//! The simulator over many seeds.
//!
//! - `STEPWRIGHT_SIM_SEED=N`: that seed only, with what happened in it.
//! - `STEPWRIGHT_SIM_SEEDS=N`: so many seeds, from `STEPWRIGHT_SIM_FIRST` on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use stepwright_store::faulty::{Durable, Fault};
use stepwright_testkit::{machines, simulation};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 250;

/// Those of an ordinary run begin here; `STEPWRIGHT_SIM_FIRST` moves it, to try others.
const FIRST: u64 = 1_000;

/// Violations after which a run ends.
const VIOLATIONS_MAX: usize = 12;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The seeds of `seeds.txt`.
fn failed_once() -> Vec<u64> {
    let lines = include_str!("seeds.txt").lines();
    lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn seeds() {
    let seeds: Vec<u64> = match number("STEPWRIGHT_SIM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let count = number("STEPWRIGHT_SIM_SEEDS").unwrap_or(SEEDS);
            let first = number("STEPWRIGHT_SIM_FIRST").unwrap_or(FIRST);
            failed_once().into_iter().chain(first..first + count).collect()
        }
    };
    let count = seeds.len();
    let begin = Instant::now();
    let (next, executions) = (AtomicUsize::new(0), AtomicU64::new(0));
    let violations = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied();
                    let enough = violations.lock().expect("no panic").len() >= VIOLATIONS_MAX;
                    let Some(seed) = seed.filter(|_| !enough) else { return };
                    match simulation::run(seed) {
                        Ok(report) => {
                            executions.fetch_add(report.executions, Ordering::Relaxed);
                        }
                        Err(violation) => violations.lock().expect("no panic").push((seed, violation)),
                    }
                }
            });
        }
    });
    let seconds = begin.elapsed().as_secs_f64();
    let executions = executions.into_inner();
    println!(
        "{count} seeds, {executions} executions in {seconds:.1} s: {:.0} a minute",
        count as f64 * 60.0 / seconds
    );
    let violations = violations.into_inner().expect("no panic");
    if let Some((seed, violation)) = violations.first() {
        println!("{violation}");
        println!(
            "replay with STEPWRIGHT_SIM_SEED={seed} cargo test -p stepwright-engine --test simulation seeds"
        );
        let all = violations.iter().map(|(seed, violation)| format!("seed {seed}: {}", violation.what));
        panic!("\n{}", all.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        assert_eq!(simulation::run(seed).map_err(drop), simulation::run(seed).map_err(drop), "seed {seed}");
    }
}

#[test]
fn a_fault_at_every_commit() {
    fault_at_every_commit(false);
}

/// The same, where everything has to take turns.
#[test]
fn a_fault_at_every_commit_at_limits() {
    fault_at_every_commit(true);
}

fn fault_at_every_commit(limited: bool) {
    let ordinary = machines::all().into_iter().chain([machines::long()]).map(|machine| (machine, 3));
    // Their children do not end by themselves.
    let parents = machines::parents().into_iter().map(|machine| (machine, 7));
    for (machine, n) in ordinary.chain(parents) {
        for durable in [Durable::Nothing, Durable::Everything] {
            for fault in [Fault::Crash(durable), Fault::Fail(durable)] {
                if let Err(violation) = simulation::fault_at_every_commit(&machine, n, fault, limited) {
                    panic!("{}, {fault:?}\n{violation}", machine.name);
                }
            }
        }
    }
}
