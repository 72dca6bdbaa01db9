//! Single situations, each on virtual time: what the simulator meets by chance, told one by one.

#[path = "scenarios/express.rs"]
mod express;
#[path = "scenarios/history_log.rs"]
mod history_log;
#[path = "scenarios/jobs.rs"]
mod jobs;
#[path = "scenarios/limits.rs"]
mod limits;
#[path = "scenarios/long.rs"]
mod long;
#[path = "scenarios/redrive.rs"]
mod redrive;
#[path = "scenarios/retention.rs"]
mod retention;
#[path = "scenarios/upgrade.rs"]
mod upgrade;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use stepwright_engine::retention::{Retention, RetentionDefinition};
use stepwright_engine::{
    CallbackError, Clock, Definitions, Engine, EngineOptions, Entropy, HistoryLog, Revision, StartError,
    StartExecution, Started,
};
use stepwright_machine::TaskToken;
use stepwright_store::faulty::{Faulty, FaultyOptions};
use stepwright_store::memory::Memory;
use stepwright_store::{Epoch, ExecutionKey, Mutation, ShardId, Status, Store, Timer, Unit};
use stepwright_tasks::{BoxFuture, Call, CancellationSignal, Failure, Success, TaskTarget};
use stepwright_testkit::{FixedDefinitions, SimulatedClock, machines};
use stepwright_value::Document;

const START_MS: i64 = 1_730_000_000_000;
const MACHINE: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:m";
const WORK: &str = "arn:aws:states:us-east-1:111111111111:activity:work";

/// A process and its store, which outlives it.
struct World {
    store: Arc<Memory>,
    /// What the engine gets: the store, or something before it.
    disk: Arc<dyn Store>,
    definition: String,
    calls: Arc<Mutex<Vec<Call>>>,
    targets: Arc<dyn TaskTarget>,
    /// Instead of the one definition.
    definitions: Option<Arc<dyn Definitions>>,
    history_log: Option<Arc<dyn HistoryLog>>,
    retention: RetentionDefinition,
    express_bytes_max: usize,
    now_ms: i64,
}

/// Never answers, and remembers who called.
struct Silent(Arc<Mutex<Vec<Call>>>);

impl TaskTarget for Silent {
    fn call(&self, call: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        self.0.lock().expect("no panic").push(call);
        Box::pin(std::future::pending())
    }
}

impl World {
    fn new(definition: &str) -> World {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let store = Memory::new();
        World {
            disk: store.clone(),
            store,
            definition: definition.to_owned(),
            targets: Arc::new(Silent(calls.clone())),
            calls,
            definitions: None,
            history_log: None,
            retention: RetentionDefinition::default(),
            express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
            now_ms: START_MS,
        }
    }

    /// One life of the process; whatever runs at its end is lost.
    fn live<F: Future<Output = ()>>(&mut self, life: impl FnOnce(Arc<Engine>) -> F) {
        self.live_with(std::future::pending, life);
    }

    /// As [`World::live`], with something else beside it.
    fn live_with<B: Future<Output = ()>, F: Future<Output = ()>>(
        &mut self,
        beside: impl FnOnce() -> B,
        life: impl FnOnce(Arc<Engine>) -> F,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("runtime");
        self.now_ms = runtime.block_on(async {
            let clock = Arc::new(SimulatedClock::new(self.now_ms));
            let engine = Engine::open(EngineOptions {
                store: self.disk.clone(),
                definitions: self.definitions.clone().unwrap_or_else(|| {
                    Arc::new(FixedDefinitions::default().with(MACHINE, self.definition.as_str()))
                }),
                targets: self.targets.clone(),
                clock: clock.clone(),
                entropy: Arc::new(Entropy::from_seed(self.now_ms as u64)),
                account: Arc::new(machines::account()),
                calls_max: 10,
                cores: None,
                limits: Vec::new(),
                snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
                express_bytes_max: self.express_bytes_max,
                retention: Retention::compile(self.retention.clone()).expect("a retention"),
                observer: None,
                history_log: self.history_log.clone(),
            });
            tokio::select! {
                () = beside() => {}
                () = async { life(engine.await.expect("opens")).await } => {}
            }
            clock.now_ms()
        });
    }

    /// A disk that flushes when it is told to: see [`flushing`].
    fn slow_disk(&mut self) -> Arc<Faulty> {
        let disk = Faulty::on(&self.store, FaultyOptions { held: true, ..FaultyOptions::default() });
        self.disk = disk.clone();
        disk
    }

    fn timers(&self) -> Vec<Timer> {
        stepwright_testkit::now(self.store.timers(ShardId(0))).expect("at once").expect("a read")
    }

    fn segments(&self) -> usize {
        let key = ExecutionKey::new(ShardId(0), 1).expect("a key");
        stepwright_testkit::now(self.store.segments(key, 1)).expect("at once").expect("a read").len()
    }
}

/// Every commit takes so long.
async fn flushing(disk: &Faulty, commit_ms: u64) {
    loop {
        pass_ms(commit_ms).await;
        disk.flush(usize::MAX);
        disk.release(usize::MAX);
    }
}

fn request(name: &str, input: &str) -> StartExecution {
    StartExecution {
        revision: Revision {
            machine_arn: MACHINE.into(),
            revision_id: "1".into(),
            role_arn: "".into(),
            definition: None,
        },
        name: Some(name.into()),
        input: Document::parse(input).expect("JSON"),
        trace_header: None,
        version_arn: None,
        alias_arn: None,
        started_by: None,
    }
}

async fn start(engine: &Arc<Engine>, name: &str, input: &str) -> Result<Started, StartError> {
    engine.start(request(name, input)).await
}

async fn status(engine: &Engine, name: &str) -> Status {
    engine.find(MACHINE, name).await.expect("a read").expect("the execution").row.status
}

async fn pass_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

fn activity(fields: &str) -> String {
    format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{WORK}",{fields}"End":true}}}}}}"#)
}

#[test]
fn heartbeats_move_one_timer_and_leave_no_history() {
    let mut world = World::new(&activity(r#""HeartbeatSeconds":10,"#));
    let mut token = String::new();
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        token = engine.activity_task(&WORK.into(), None).await.expect("a task").token;
        for _ in 0..500 {
            pass_ms(9_000).await;
            engine.task_heartbeat(&token).await.expect("alive");
        }
    });
    assert_eq!((world.segments(), world.timers().len()), (2, 1));
    assert_eq!(world.timers()[0].due_ms, START_MS + 500 * 9_000 + 10_000);
    world.live(async |engine| {
        pass_ms(9_000).await;
        engine.task_heartbeat(&token).await.expect("alive after a restart");
        pass_ms(9_999).await;
        assert_eq!(status(&engine, "e").await, Status::Running);
        pass_ms(2).await;
        assert_eq!(status(&engine, "e").await, Status::Failed);
        assert!(matches!(engine.task_heartbeat(&token).await, Err(CallbackError::TaskGone)));
        assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
    });
    assert_eq!(world.timers(), []);
}

#[test]
fn waits_go_on_after_a_restart_even_when_they_are_overdue() {
    let mut world =
        World::new(r#"{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","End":true}}}"#);
    world.live(async |engine| {
        for seconds in ["1", "10", "1000"] {
            start(&engine, seconds, seconds).await.expect("starts");
        }
        pass_ms(500).await;
    });
    world.now_ms += 20_000;
    world.live(async |engine| {
        pass_ms(1).await;
        assert_eq!(status(&engine, "1").await, Status::Succeeded);
        assert_eq!(status(&engine, "10").await, Status::Succeeded);
        pass_ms(978_000).await;
        assert_eq!(status(&engine, "1000").await, Status::Running);
        pass_ms(2_000).await;
        assert_eq!(status(&engine, "1000").await, Status::Succeeded);
    });
}

#[test]
fn activity_tasks_keep_their_order_and_are_given_once() {
    let mut world = World::new(&activity(""));
    let mut first = String::new();
    world.live(async |engine| {
        for name in ["a", "b", "c", "d"] {
            start(&engine, name, &format!("\"{name}\"")).await.expect("starts");
        }
        let task = engine.activity_task(&WORK.into(), None).await.expect("a task");
        assert_eq!(task.input.text(), "\"a\"");
        first = task.token;
    });
    world.live(async |engine| {
        // A worker that asks and goes away takes nothing with it.
        start(&engine, "e", "\"e\"").await.expect("starts");
        let mut order = Vec::new();
        for _ in 0..4 {
            let task = engine.activity_task(&WORK.into(), None).await.expect("a task");
            order.push(task.input.text().to_owned());
        }
        assert_eq!(order, ["\"b\"", "\"c\"", "\"d\"", "\"e\""]);
        engine.task_succeeded(&first, Document::parse("1").expect("JSON")).await.expect("taken");
        assert_eq!(status(&engine, "a").await, Status::Succeeded);
    });
}

#[test]
fn a_worker_that_hangs_up_while_it_is_given_a_task_loses_it_for_nobody() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        let arn: Arc<str> = WORK.into();
        let mut worker = Box::pin(engine.activity_task(&arn, None));
        assert!(tokio::time::timeout(Duration::from_millis(5), &mut worker).await.is_err());
        start(&engine, "e", "{}").await.expect("starts");
        // It was given the task, and goes away before it has looked.
        drop(worker);
        let task = tokio::time::timeout(Duration::from_millis(5), engine.activity_task(&arn, None)).await;
        task.expect("somebody else gets it").expect("a task");
    });
}

#[test]
fn a_task_that_a_worker_waits_for_starts_in_the_same_commit() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        let arn: Arc<str> = WORK.into();
        let mut worker = Box::pin(engine.activity_task(&arn, Some("the worker")));
        assert!(stepwright_testkit::now(&mut worker).is_none());
        start(&engine, "e", "7").await.expect("starts");
        let task = worker.await.expect("a task");
        assert_eq!(task.input.text(), "7");
        engine.task_succeeded(&task.token, task.input).await.expect("taken");
        assert_eq!(status(&engine, "e").await, Status::Succeeded);
    });
    assert_eq!(world.segments(), 2);
    let queued = stepwright_testkit::now(world.store.queued(ShardId(0))).expect("at once").expect("a read");
    assert!(queued.is_empty(), "{queued:?}");
}

#[test]
fn a_started_task_that_its_worker_left_is_given_away_while_it_is_open() {
    let mut world = World::new(&activity(r#""TimeoutSeconds":5,"#));
    world.live(async |engine| {
        let arn: Arc<str> = WORK.into();
        for (name, open) in [("a", true), ("b", false)] {
            let mut worker = Box::pin(engine.activity_task(&arn, None));
            assert!(stepwright_testkit::now(&mut worker).is_none());
            start(&engine, name, "{}").await.expect("starts");
            drop(worker);
            pass_ms(if open { 1_000 } else { 6_000 }).await;
            let other =
                tokio::time::timeout(Duration::from_millis(5), engine.activity_task(&arn, None)).await;
            assert_eq!(other.is_ok(), open, "{name}");
            if let Ok(task) = other {
                let answer = Document::parse("1").expect("JSON");
                engine.task_succeeded(&task.expect("a task").token, answer).await.expect("taken");
            }
        }
        assert_eq!(status(&engine, "a").await, Status::Succeeded);
        assert_eq!(status(&engine, "b").await, Status::Failed);
    });
}

#[test]
fn a_call_is_made_again_with_the_same_idempotency_token() {
    let task = r#"{"StartAt":"T","States":{"T":{"Type":"Task","TimeoutSeconds":5,"End":true,
        "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
        "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}]}}}"#;
    let mut world = World::new(task);
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(1_000).await;
        engine.shut_down();
        pass_ms(1_000).await;
    });
    world.live(async |engine| {
        pass_ms(1_000).await;
        assert_eq!(engine.gauges()[2].1, 1);
        // The first attempt times out, the second is another call.
        pass_ms(4_000).await;
    });
    let calls = world.calls.lock().expect("no panic");
    let tokens: Vec<&str> = calls.iter().map(|call| call.idempotency_token.as_str()).collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens[0] == tokens[1] && tokens[1] != tokens[2], "{tokens:?}");
}

#[test]
fn a_name_stands_for_one_execution() {
    let mut world = World::new(r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9,"End":true}}}"#);
    world.live(async |engine| {
        let (one, other) = tokio::join!(start(&engine, "e", "{}"), start(&engine, "e", "{}"));
        let one = one.expect("starts");
        assert_eq!(one, other.expect("is the same"));
        pass_ms(1_000).await;
        assert_eq!(start(&engine, "e", "{}").await.expect("is the same"), one);
        assert!(matches!(start(&engine, "e", "[]").await, Err(StartError::NameTaken(_))));
        pass_ms(9_000).await;
        assert!(matches!(start(&engine, "e", "{}").await, Err(StartError::NameTaken(row)) if row.status == Status::Succeeded));
        assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
    });
}

#[test]
fn what_is_committed_goes_on_though_the_caller_hangs_up() {
    let mut world = World::new(
        r#"{"StartAt":"T","States":{"T":{"Type":"Task","End":true,
        "Resource":"arn:aws:lambda:us-east-1:111111111111:function:f"}}}"#,
    );
    let disk = world.slow_disk();
    world.live_with(
        async || flushing(&disk, 1).await,
        async |engine| {
            // One that has not begun never does.
            drop(engine.start(request("never", "{}")));
            let mut caller = Box::pin(engine.start(request("e", "{}")));
            assert!(stepwright_testkit::now(&mut caller).is_none());
            drop(caller);
            pass_ms(10).await;
            assert_eq!(engine.gauges()[2].1, 1, "the call is under way");
        },
    );
    assert_eq!(world.calls.lock().expect("no panic").len(), 1);
}

#[test]
fn tokens_of_nobody_are_refused() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        let token = engine.activity_task(&WORK.into(), None).await.expect("a task").token;
        let parsed = TaskToken::parse(&token).expect("a token");
        let forged = TaskToken::mint(&parsed.locator, parsed.task, &mut || 7).text();
        let nowhere = TaskToken::mint("ffff", parsed.task, &mut || 7).text();
        let answer = || Document::parse("1").expect("JSON");
        let gone = engine.task_succeeded(&forged, answer()).await;
        assert!(matches!(gone, Err(CallbackError::TaskGone)), "{gone:?}");
        for token in ["", "x", &nowhere] {
            let invalid = engine.task_succeeded(token, answer()).await;
            assert!(matches!(invalid, Err(CallbackError::InvalidToken)), "{token}: {invalid:?}");
        }
        engine.task_succeeded(&token, answer()).await.expect("the real one is taken");
    });
}

#[test]
fn many_timers_are_loaded_and_fire() {
    const TIMERS: u64 = 100_000;
    let mut world = World::new("{}");
    let key = |sequence| ExecutionKey::new(ShardId(0), sequence).expect("a key");
    let timer =
        |sequence: u64| Timer { due_ms: START_MS + sequence as i64 % 1_000, key: key(sequence), timer: 1 };
    let mutations = (1..=TIMERS).map(timer).map(Mutation::SetTimer).collect();
    stepwright_testkit::now(world.store.acquire(ShardId(0))).expect("at once").expect("acquired");
    let unit = Unit { shard: ShardId(0), epoch: Epoch(1), mutations };
    stepwright_testkit::now(world.store.commit(unit)).expect("at once").expect("committed");
    world.live(async |engine| {
        assert_eq!(engine.gauges()[1].1, TIMERS as usize);
        // They are nobody's: each is taken away when it is due.
        pass_ms(2_000).await;
        assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
    });
    assert_eq!(world.timers(), []);
}
