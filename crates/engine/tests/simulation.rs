//! The simulator over many seeds.
//!
//! - `STEPWRIGHT_SIM_SEED=N`: that seed only, with what happened in it.
//! - `STEPWRIGHT_SIM_SEEDS=N`: so many seeds.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use stepwright_store::faulty::{Durable, Fault};
use stepwright_testkit::{machines, simulation};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 300;

/// Violations after which a run ends.
const VIOLATIONS_MAX: usize = 12;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn seeds() {
    let one = number("STEPWRIGHT_SIM_SEED");
    let (first, count) = match one {
        Some(seed) => (seed, 1),
        None => (0, number("STEPWRIGHT_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let begin = Instant::now();
    let (next, executions) = (AtomicU64::new(first), AtomicU64::new(0));
    let violations = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || violations.lock().expect("no panic").len() >= VIOLATIONS_MAX {
                        return;
                    }
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
    for machine in machines::all() {
        for durable in [Durable::Nothing, Durable::Everything] {
            for fault in [Fault::Crash(durable), Fault::Fail(durable)] {
                if let Err(violation) = simulation::fault_at_every_commit(&machine, fault) {
                    panic!("{}, {fault:?}\n{violation}", machine.name);
                }
            }
        }
    }
}
