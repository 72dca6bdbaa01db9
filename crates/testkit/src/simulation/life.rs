//! One life of the process: from its start on what the last one has left, to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stepwright_engine::{Clock, DeliverError, Engine, EngineOptions, Entropy};
use stepwright_store::faulty::{Fault, Faulty, FaultyOptions};
use stepwright_store::memory::Memory;
use stepwright_store::{ShardId, Store};
use tokio::sync::mpsc;

use crate::clock::SimulatedClock;
use crate::definitions::FixedDefinitions;
use crate::dice::Dice;
use crate::disk::{Disk, now};
use crate::machines;
use crate::simulation::callers::{self, Request};
use crate::simulation::complaints::{self, Complaints};
use crate::simulation::holders;
use crate::simulation::jobs::Jobs;
use crate::simulation::redrivers;
use crate::simulation::shared;
use crate::simulation::target::Functions;
use crate::simulation::watcher::Watcher;
use crate::simulation::world::World;

/// When a life ends, if no fault of the store ends it before.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// The process is killed after so many milliseconds.
    Killed(u64),
    /// It is asked to end.
    ShutDown(u64),
    /// When nothing is left to be done.
    Quiet,
}

/// What happens in a life.
#[derive(Clone, Debug)]
pub struct Plan {
    pub origin_ms: i64,
    pub dice: Dice,
    pub faults: FaultyOptions,
    pub one_at_a_time: bool,
    pub end: End,
    pub requests: Vec<Request>,
    /// Stops and questions, for executions of the requests.
    pub meddling: bool,
    pub workers: u32,
    pub calls_max: usize,
}

/// What a life leaves.
pub struct Left {
    pub survivors: Arc<Memory>,
    pub now_ms: i64,
    pub flushes: u64,
}

/// A process that runs, as its callers see it.
pub struct Process {
    pub world: Arc<World>,
    pub engine: Arc<Engine>,
    pub clock: Arc<SimulatedClock>,
    disk: Arc<Disk>,
}

impl Process {
    pub fn note(&self, what: std::fmt::Arguments<'_>) {
        self.world.note(self.clock.now_ms(), what);
    }

    /// The engine has answered with an error that only a store that is lost explains.
    pub fn failed(&self, what: &str, error: &DeliverError) {
        if !self.disk.store().is_lost() {
            self.world.violated(format!("{what} failed although the store did not: {error}"));
        }
    }
}

/// Virtual time after which a life that should become quiet counts as stuck.
const QUIET_MS_MAX: i64 = 3_600_000;

/// Runs a life on what the last one has left.
pub fn live(world: &Arc<World>, survivors: &Memory, plan: Plan) -> Left {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => panic!("no runtime: {error}"),
    };
    let store = Faulty::on(survivors, FaultyOptions { held: true, ..plan.faults.clone() });
    complaints::panics();
    let now_ms = {
        let complaints = Complaints { world: world.clone(), store: store.clone() };
        let _listening = tracing::subscriber::set_default(complaints);
        runtime.block_on(run(world.clone(), store.clone(), plan))
    };
    // Everything that was under way is gone with the runtime: the process has ended.
    drop(runtime);
    if complaints::panics() > 0 {
        world.violated("something panicked");
    }
    Left { survivors: store.survivors(), now_ms, flushes: store.flushes() }
}

fn definitions(world: &World) -> FixedDefinitions {
    world.all_machines().fold(FixedDefinitions::default(), |definitions, machine| {
        definitions.with(machine.arn(), machine.definition.as_str())
    })
}

/// Returns the time at the end.
async fn run(world: Arc<World>, store: Arc<Faulty>, plan: Plan) -> i64 {
    let mut dice = plan.dice;
    let clock = Arc::new(SimulatedClock::new(plan.origin_ms));
    world.note(clock.now_ms(), format_args!("a life begins: {:?}, {:?}", plan.end, plan.faults));
    let disk = if plan.one_at_a_time { Disk::one_at_a_time(store) } else { Disk::new(store, dice.split()) };
    let (tokens, given) = mpsc::unbounded_channel();
    let closed = Arc::new(AtomicBool::new(false));
    let jobs = Arc::new(Jobs::new(world.clone(), clock.clone(), disk.clone()));
    let options = EngineOptions {
        store: disk.clone(),
        definitions: Arc::new(definitions(&world)),
        targets: Arc::new(Functions {
            world: world.clone(),
            disk: disk.clone(),
            clock: clock.clone(),
            tokens,
            closed: closed.clone(),
            jobs: jobs.clone(),
        }),
        clock: clock.clone(),
        entropy: Arc::new(Entropy::from_seed(dice.throw())),
        account: Arc::new(machines::account()),
        calls_max: plan.calls_max,
        cores: None,
        limits: world.shared.compiled(),
        // Even short executions get some.
        snapshot_after: 2_000,
        express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
        retention: stepwright_engine::retention::Retention::default(),
        observer: Some(Arc::new(Watcher::new(world.clone(), disk.clone(), clock.clone()))),
        history_log: None,
    };
    let running_disk = disk.clone();
    let mut spinning = tokio::spawn(async move { running_disk.run().await });
    let process = tokio::select! {
        biased;
        engine = Engine::open(options) => match engine {
            Ok(engine) => {
                jobs.connect(&engine);
                Arc::new(Process { world: world.clone(), engine, clock: clock.clone(), disk })
            }
            Err(_) if disk.store().is_lost() => return clock.now_ms(),
            Err(error) => {
                world.violated(format!("the engine did not open: {error}"));
                return clock.now_ms();
            }
        },
        _ = &mut spinning => return clock.now_ms(),
    };
    populate(&process, plan.requests, plan.meddling, plan.workers, &mut dice);
    tokio::spawn(hold(process.clone(), given));
    tokio::select! {
        biased;
        fault = &mut spinning => {
            process.note(format_args!("the store is lost: {fault:?}"));
            if let Ok(Fault::Fail(_)) = fault {
                // The process has still to notice; what it does meanwhile must not matter.
                let _ = tokio::time::timeout(Duration::from_millis(100), process.engine.failed()).await;
                tokio::time::sleep(Duration::from_millis(dice.below(50))).await;
            }
        }
        () = end(&process, plan.end, &closed, &mut dice) => {}
    }
    clock.now_ms()
}

/// Somebody answers each token that functions are given.
async fn hold(process: Arc<Process>, mut given: mpsc::UnboundedReceiver<String>) {
    while let Some(token) = given.recv().await {
        tokio::spawn(holders::answer(process.clone(), token));
    }
}

/// Lets the callers, the workers and the holders of tokens loose.
fn populate(process: &Arc<Process>, requests: Vec<Request>, meddling: bool, workers: u32, dice: &mut Dice) {
    for token in process.world.open_tokens() {
        tokio::spawn(holders::answer(process.clone(), token));
    }
    for number in 0..workers {
        tokio::spawn(holders::work(process.clone(), number));
    }
    for token in process.world.open_redrives() {
        tokio::spawn(redrivers::redrive(process.clone(), dice.below(20_000), token));
    }
    for request in requests {
        if meddling {
            let (machine, name) = (request.machine, request.name.clone());
            let after_ms = request.at_ms + dice.below(12_000);
            if dice.percent(15) {
                let patience_ms = dice.percent(20).then(|| dice.below(12));
                // Some come while the first tasks are being sent.
                let stop_ms = if dice.percent(40) { request.at_ms + dice.below(40) } else { after_ms };
                tokio::spawn(callers::stop(process.clone(), stop_ms, machine, name.clone(), patience_ms));
            }
            if dice.percent(40) {
                let token = redrivers::ask(&process.world, machine, &name);
                let at_ms = after_ms + dice.below(15_000);
                tokio::spawn(redrivers::redrive(process.clone(), at_ms, token));
            }
            tokio::spawn(callers::describe(process.clone(), after_ms, machine, name));
        }
        tokio::spawn(callers::start(process.clone(), request));
    }
    for definition in process.world.shared.definitions.clone() {
        if meddling && dice.percent(40) {
            let remove = dice.percent(30);
            tokio::spawn(shared::change(process.clone(), dice.below(20_000), definition, remove));
        }
    }
    if meddling {
        let token = process.world.lock().tokens.keys().next().cloned();
        let mut token = token.unwrap_or_else(|| "AAAAAAAAAAAA".to_owned());
        token.insert(0, 'x');
        token.pop();
        tokio::spawn(callers::forge(process.clone(), dice.below(20_000), token));
    }
}

async fn end(process: &Arc<Process>, end: End, closed: &AtomicBool, dice: &mut Dice) {
    match end {
        End::Killed(after_ms) => tokio::time::sleep(Duration::from_millis(after_ms)).await,
        End::ShutDown(after_ms) => {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            process.note(format_args!("shutting down"));
            process.engine.shut_down();
            closed.store(true, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(dice.below(5_000))).await;
            if let Some(call) = process.engine.gauges().into_iter().find(|(name, _)| name.ends_with("calls"))
                && call.1 > 0
            {
                process.world.violated("calls are under way after the shutdown");
            }
        }
        End::Quiet => quiet(process).await,
    }
}

/// Waits until all that is there has ended, and checks that nothing is left over.
async fn quiet(process: &Arc<Process>) {
    let until_ms = process.clock.now_ms() + QUIET_MS_MAX;
    // Late callers have come by then.
    tokio::time::sleep(Duration::from_millis(40_000)).await;
    loop {
        tokio::time::sleep(Duration::from_millis(5_000)).await;
        let left = left_over(process);
        if left.is_empty() || process.world.violation().is_some() {
            return;
        }
        if process.clock.now_ms() > until_ms {
            process.world.violated(format!("it does not end: {}", left.join("; ")));
            return;
        }
    }
}

fn left_over(process: &Process) -> Vec<String> {
    let store = process.disk.store();
    let mut left = Vec::new();
    let mut leave = |what: &str, there: Option<String>| {
        if let Some(there) = there.filter(|there| there != "[]") {
            left.push(format!("{what} {there}"));
        }
    };
    let shard = ShardId(0);
    leave("timers", now(store.timers(shard)).and_then(Result::ok).map(|timers| format!("{timers:?}")));
    leave("dispatches", now(store.dispatches(shard)).and_then(Result::ok).map(|sent| format!("{sent:?}")));
    leave("queued", now(store.queued(shard)).and_then(Result::ok).map(|items| format!("{items:?}")));
    leave("permits", now(store.permits(shard)).and_then(Result::ok).map(|all| format!("{all:?}")));
    for (name, holders, waiters) in process.engine.limit_gauges() {
        leave(&name, (holders + waiters > 0).then(|| format!("{holders} holders, {waiters} waiters")));
    }
    for (name, count) in process.engine.gauges() {
        leave(name, (count > 0).then(|| count.to_string()));
    }
    let running = super::checks::running(store.as_ref(), &process.world);
    leave("running", Some(format!("{running:?}")));
    left
}
