//! The simulator: an engine in a world that fails, on virtual time, from a seed.
//!
//! A run has several lives of one process. In each, callers start executions, functions answer or do not, workers come and go;
//! until the disk fails, the process is killed or shut down at a random moment, and the next life goes on from what is durable.
//! The last life is without faults and ends when nothing is left to do. Then every history is checked against what
//! callers were told and against the model of its machine.

mod callers;
mod checks;
mod complaints;
mod holders;
mod jobs;
mod life;
mod redrivers;
mod runs;
mod shared;
mod target;
mod watcher;
mod world;

use std::sync::Arc;

use stepwright_store::faulty::{Fault, FaultyOptions};
use stepwright_store::memory::Memory;

use crate::dice::Dice;
use crate::machines::{self, Machine};
use life::{End, Left, Plan};
use shared::Shared;
use world::World;

/// When simulations begin. Milliseconds since 1970.
pub const ORIGIN_MS: i64 = 1_730_000_000_000;

/// A run that went well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// Equal for equal runs.
    pub hash: u64,
    /// What the hash is made of: events, answers and so on.
    pub entries: u64,
    pub executions: u64,
    pub lives: u32,
}

/// A run that did not.
#[derive(Clone, Debug)]
pub struct Violation {
    pub what: String,
    /// What had happened, oldest first.
    pub notes: Vec<String>,
}

/// Notes that a violation shows.
const NOTES_MAX: usize = 80;

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped = self.notes.len().saturating_sub(NOTES_MAX);
        for note in self.notes.iter().skip(skipped) {
            let short: String = note.chars().take(400).collect();
            writeln!(formatter, "{short}")?;
        }
        write!(formatter, "{}", self.what)
    }
}

/// Runs the simulation of a seed. One that fails is run again with notes.
pub fn run(seed: u64) -> Result<Report, Violation> {
    run_once(seed, false).or_else(|violation| run_once(seed, true).and(Err(violation)))
}

fn run_once(seed: u64, verbose: bool) -> Result<Report, Violation> {
    let mut dice = Dice::new(seed);
    // Some runs see only a few machines, so that those meet each other more often.
    let all = machines::all();
    let mut chosen: Vec<Machine> = Vec::new();
    for _ in 0..dice.between(1, 8) {
        chosen.push(all[dice.below(all.len() as u64) as usize].clone());
    }
    chosen.sort_by_key(|machine| machine.name);
    chosen.dedup_by_key(|machine| machine.name);
    let world = World::new(chosen, Shared::of(seed), dice.split(), verbose);
    let lives = dice.between(1, 4) as u32;
    let mut story = Story::new(world);
    for life in 0..=lives {
        let plan = plan(&mut dice, &mut story, life == lives);
        story.live(plan)?;
    }
    story.end(lives + 1)
}

/// The lives of one process, one after another.
struct Story {
    world: Arc<World>,
    survivors: Arc<Memory>,
    now_ms: i64,
    flushes: u64,
}

impl Story {
    fn new(world: Arc<World>) -> Story {
        Story { world, survivors: Memory::new(), now_ms: ORIGIN_MS, flushes: 0 }
    }

    fn live(&mut self, plan: Plan) -> Result<(), Violation> {
        let Left { survivors, now_ms, flushes } = life::live(&self.world, &self.survivors, plan);
        (self.survivors, self.now_ms, self.flushes) = (survivors, now_ms, flushes);
        if let Err(what) = checks::after_life(self.survivors.as_ref(), &self.world) {
            self.world.violated(what);
        }
        self.judge()
    }

    fn end(&self, lives: u32) -> Result<Report, Violation> {
        let executions = checks::at_the_end(self.survivors.as_ref(), &self.world);
        let executions = executions.unwrap_or_else(|what| {
            self.world.violated(what);
            0
        });
        self.judge()?;
        let (hash, entries, _) = self.world.trace();
        Ok(Report { hash, entries, executions, lives })
    }

    fn judge(&self) -> Result<(), Violation> {
        match self.world.violation() {
            None => Ok(()),
            Some(what) => Err(Violation { what, notes: self.world.trace().2 }),
        }
    }
}

/// What happens in the next life.
fn plan(dice: &mut Dice, story: &mut Story, last: bool) -> Plan {
    let downtime_ms = dice.below(2) * dice.below(20_000);
    let span_ms = dice.between(1, 30_000);
    let faults_per_mille = if last { 0 } else { [0, 5, 20, 60][dice.below(4) as usize] };
    let end = match (last, dice.below(3)) {
        (true, _) => End::Quiet,
        (false, 0) => End::ShutDown(dice.below(span_ms)),
        (false, _) => End::Killed(dice.below(2 * span_ms)),
    };
    let count = dice.between(1, 8);
    let machines = story.world.machines.len();
    let mut first = story.world.lock().next_name;
    let requests = callers::requests(dice, machines, count, span_ms, &mut first);
    story.world.lock().next_name = first;
    Plan {
        origin_ms: story.now_ms + downtime_ms as i64,
        dice: dice.split(),
        faults: FaultyOptions { seed: dice.throw(), faults_per_mille, ..FaultyOptions::default() },
        one_at_a_time: false,
        end,
        requests,
        meddling: true,
        workers: dice.between(1, 3) as u32,
        calls_max: [1, 3, 1_000][dice.below(3) as usize],
    }
}

/// Runs the same small workload (an execution whose input has the number `n`) again and again, with `fault` at each flush in
/// turn, and each time to a good end. Says how many faults there were. `limited`: tasks and executions have to take turns.
pub fn fault_at_every_commit(
    machine: &Machine,
    n: i64,
    fault: Fault,
    limited: bool,
) -> Result<u64, Violation> {
    let shared = if limited { Shared::single() } else { Shared::default() };
    let mut flush = 0;
    loop {
        let flushes = fault_at(machine, n, (flush, fault), &shared, false)
            .or_else(|violation| fault_at(machine, n, (flush, fault), &shared, true).and(Err(violation)))
            .map_err(|violation| Violation {
                what: format!("at flush {flush}: {}", violation.what),
                ..violation
            })?;
        if flush >= flushes {
            return Ok(flush);
        }
        flush += 1;
    }
}

/// A life with one fault, and one without. Returns how many flushes the first had.
fn fault_at(
    machine: &Machine,
    n: i64,
    fault: (u64, Fault),
    shared: &Shared,
    verbose: bool,
) -> Result<u64, Violation> {
    let mut story = Story::new(World::new(vec![machine.clone()], shared.clone(), Dice::new(1), verbose));
    let request = callers::Request {
        at_ms: 0,
        machine: 0,
        name: "e".into(),
        input: format!(r#"{{"n":{n}}}"#).into(),
        patience_ms: None,
    };
    let plan = |story: &Story, faults: FaultyOptions| Plan {
        origin_ms: story.now_ms,
        dice: Dice::new(2),
        faults,
        one_at_a_time: true,
        end: End::Quiet,
        requests: vec![request.clone()],
        meddling: false,
        workers: 1,
        calls_max: 1_000,
    };
    let faults = FaultyOptions { plan: [fault].into(), ..FaultyOptions::default() };
    story.live(plan(&story, faults))?;
    let flushes = story.flushes;
    story.live(plan(&story, FaultyOptions::default()))?;
    story.end(2)?;
    Ok(flushes)
}
