//! Limits that executions share, told situation by situation.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use stepwright_engine::limits::{Limit, LimitDefinition, Origin, SetLimitError};
use stepwright_engine::{Engine, EngineOptions, Entropy};
use stepwright_machine::{EventBody, Outcome};
use stepwright_store::memory::Memory;
use stepwright_store::{ShardId, Status, Store};
use stepwright_tasks::{BoxFuture, Call, CancellationSignal, Failure, Success, TaskTarget};
use stepwright_testkit::{FixedDefinitions, SimulatedClock, machines};
use stepwright_value::Document;
use tokio::sync::oneshot;

use super::{MACHINE, START_MS, WORK, pass_ms, request, start, status};

const CALL: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","End":true,
    "Resource":"arn:aws:lambda:us-east-1:111111111111:function:charge"}}}"#;
const RETRY: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","End":true,
    "Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"charge","Payload.$":"$"},
    "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}]}}}"#;
const CALLBACK: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","End":true,
    "Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters":{"FunctionName":"charge","Payload":{"token.$":"$$.Task.Token"}}}}}"#;
const ONE: &str = r#"[{"name":"one","task":"*charge*","concurrency":1}]"#;

/// A call that waits to be answered.
struct Open {
    call: Call,
    answer: oneshot::Sender<Result<Success, Failure>>,
}

#[derive(Clone, Default)]
struct Gate(Arc<Mutex<VecDeque<Open>>>);

impl TaskTarget for Gate {
    fn call(&self, call: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        let (answer, answered) = oneshot::channel();
        self.0.lock().expect("no panic").push_back(Open { call, answer });
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err(Failure::new("Gone", ""))) })
    }
}

impl Gate {
    /// The executions whose calls are open.
    fn open(&self) -> Vec<String> {
        let name = |open: &Open| open.call.execution_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let calls = self.0.lock().expect("no panic");
        calls.iter().filter(|open| !open.answer.is_closed()).map(name).collect()
    }

    /// Answers the oldest call.
    async fn answer(&self, answer: Result<&str, &str>) {
        let open = self.0.lock().expect("no panic").pop_front().expect("a call");
        let answer = answer.map(|output| Success { output: Document::from_stored_text(output) });
        let _ = open.answer.send(answer.map_err(|error| Failure::new(error, "")));
        pass_ms(1).await;
    }
}

/// A process on a store.
struct World {
    store: Arc<Memory>,
    definition: &'static str,
    limits: &'static str,
    now_ms: i64,
}

fn definitions(text: &str) -> Vec<LimitDefinition> {
    serde_json::from_str(text).expect("definitions")
}

impl World {
    fn new(definition: &'static str, limits: &'static str) -> World {
        World { store: Memory::new(), definition, limits, now_ms: START_MS }
    }

    fn live<F: Future<Output = ()>>(&mut self, life: impl FnOnce(Arc<Engine>, Gate) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        self.now_ms = runtime.expect("a runtime").block_on(async {
            let clock = Arc::new(SimulatedClock::new(self.now_ms));
            let gate = Gate::default();
            let engine = Engine::open(EngineOptions {
                store: self.store.clone(),
                definitions: Arc::new(FixedDefinitions::default().with(MACHINE, self.definition)),
                targets: Arc::new(gate.clone()),
                clock: clock.clone(),
                entropy: Arc::new(Entropy::from_seed(self.now_ms as u64)),
                account: Arc::new(machines::account()),
                calls_max: 10,
                cores: None,
                limits: Limit::compile_all(definitions(self.limits)).expect("limits"),
                snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
                express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
                retention: stepwright_engine::retention::Retention::default(),
                observer: None,
                history_log: None,
            });
            let engine = engine.await.expect("opens");
            pass_ms(1).await;
            life(engine, gate).await;
            stepwright_engine::Clock::now_ms(&*clock)
        });
    }

    fn permits(&self) -> usize {
        stepwright_testkit::now(self.store.permits(ShardId(0))).expect("at once").expect("a read").len()
    }
}

async fn begin(engine: &Arc<Engine>, names: &[&str]) {
    for name in names {
        start(engine, name, "{}").await.expect("starts");
    }
    pass_ms(1).await;
}

/// Who holds and who waits, by the names of their executions.
async fn seen(engine: &Engine, limit: &str) -> String {
    let report = engine.limit(limit, 10).await.expect("the limit");
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or_default().to_owned();
    let lanes = report.lanes.iter().map(|lane| {
        let names = |visitors: &[stepwright_engine::limits::Visitor]| {
            visitors.iter().map(|visitor| name(&visitor.execution_arn)).collect::<Vec<_>>().join(" ")
        };
        let key = lane.key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default();
        format!("{key}{} < {}", names(&lane.holding), names(&lane.waiting))
    });
    lanes.collect::<Vec<_>>().join("; ")
}

#[test]
fn calls_take_turns_and_a_crash_changes_nothing() {
    let mut world = World::new(CALL, ONE);
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b", "c"]).await;
        assert_eq!(gate.open(), ["a"]);
        assert_eq!(seen(&engine, "one").await, "a < b c");
        let report = engine.limits().await;
        assert_eq!((report[0].holders, report[0].waiters, report[0].origin), (1, 2, Origin::File));
    });
    assert_eq!(world.permits(), 3);
    world.live(async |engine, gate| {
        assert_eq!(gate.open(), ["a"], "the call is made again, and no other");
        assert_eq!(seen(&engine, "one").await, "a < b c");
        gate.answer(Ok("{}")).await;
        assert_eq!((gate.open(), status(&engine, "a").await), (vec!["b".to_owned()], Status::Succeeded));
        // One that waits is stopped: it leaves the queue.
        let found = engine.find(MACHINE, "c").await.expect("a read").expect("the execution");
        engine.stop(found.row.key, None, None).await.expect("stops");
        assert_eq!(seen(&engine, "one").await, "b < ");
        gate.answer(Err("Bad")).await;
        assert_eq!(status(&engine, "b").await, Status::Failed);
        assert_eq!(seen(&engine, "one").await, "");
    });
    assert_eq!(world.permits(), 0);
}

#[test]
fn a_task_that_waits_is_scheduled_and_not_started() {
    let mut world = World::new(CALL, ONE);
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b"]).await;
        pass_ms(5_000).await;
        gate.answer(Ok("{}")).await;
        let found = engine.find(MACHINE, "b").await.expect("a read").expect("the execution");
        let events = engine.history(found.row.key).await.expect("a history").events;
        let at = |wanted: fn(&EventBody) -> bool| {
            events.iter().find(|event| wanted(&event.body)).map(|event| event.timestamp_ms - START_MS)
        };
        let scheduled = at(|body| matches!(body, EventBody::TaskScheduled(_))).expect("scheduled");
        let started = at(|body| matches!(body, EventBody::TaskStarted(_))).expect("started");
        assert!(scheduled < 10 && started >= 5_000, "{scheduled} {started}");
    });
}

#[test]
fn a_place_is_kept_until_the_call_has_ended_although_nobody_waits_for_it() {
    let mut world = World::new(CALL, ONE);
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b"]).await;
        let found = engine.find(MACHINE, "a").await.expect("a read").expect("the execution");
        engine.stop(found.row.key, None, None).await.expect("stops");
        pass_ms(1).await;
        assert_eq!(gate.open(), ["a"], "the function runs on");
        gate.answer(Ok("{}")).await;
        assert_eq!(gate.open(), ["b"]);
        // A function that never answers: for no longer than Lambda lets one run.
        let found = engine.find(MACHINE, "b").await.expect("a read").expect("the execution");
        engine.stop(found.row.key, None, None).await.expect("stops");
        begin(&engine, &["c"]).await;
        pass_ms(899_000).await;
        assert_eq!(gate.open(), ["b"]);
        pass_ms(2_000).await;
        assert_eq!(gate.open(), ["c"]);
    });
}

#[test]
fn between_attempts_others_have_their_turn() {
    let mut world = World::new(RETRY, ONE);
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b"]).await;
        gate.answer(Err("Bad")).await;
        assert_eq!(gate.open(), ["b"]);
        pass_ms(2_000).await;
        assert_eq!(seen(&engine, "one").await, "b < a");
        gate.answer(Ok("{}")).await;
        assert_eq!(gate.open(), ["a"]);
    });
}

#[test]
fn a_callback_holds_its_place_until_it_has_come() {
    let mut world = World::new(CALLBACK, ONE);
    let token = Mutex::new(String::new());
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b"]).await;
        let parameters = gate.0.lock().expect("no panic")[0].call.parameters.clone();
        let given = parameters.value().get("Payload").and_then(|payload| payload.get("token"));
        *token.lock().expect("no panic") =
            given.and_then(|token| token.as_str()).expect("a token").to_owned();
        gate.answer(Ok("{}")).await;
        assert_eq!((gate.open(), seen(&engine, "one").await), (vec![], "a < b".to_owned()));
    });
    world.live(async |engine, gate| {
        assert_eq!((gate.open(), seen(&engine, "one").await), (vec![], "a < b".to_owned()));
        let token = token.lock().expect("no panic").clone();
        engine.task_succeeded(&token, Document::parse("{}").expect("JSON")).await.expect("taken");
        pass_ms(1).await;
        assert_eq!(gate.open(), ["b"]);
    });
}

#[test]
fn workers_get_a_task_when_it_is_its_turn() {
    let definition: &'static str = Box::leak(super::activity("").into_boxed_str());
    let mut world = World::new(definition, r#"[{"name":"one","task":"work","concurrency":1}]"#);
    world.live(async |engine, _| {
        begin(&engine, &["a", "b"]).await;
        let work: Arc<str> = WORK.into();
        let first = engine.activity_task(&work, None).await.expect("a task");
        let poll =
            tokio::time::timeout(std::time::Duration::from_secs(60), engine.activity_task(&work, None));
        assert!(poll.await.is_err(), "the second waits for its turn");
        let output = Document::parse("{}").expect("JSON");
        engine.task_succeeded(&first.token, output).await.expect("taken");
        engine.activity_task(&work, None).await.expect("a task");
        assert_eq!(seen(&engine, "one").await, "b < ");
    });
}

#[test]
fn executions_take_turns_before_their_first_state() {
    let mut world = World::new(CALL, r#"[{"name":"one","state_machine":"m","concurrency":1}]"#);
    let events = async |engine: &Engine, name: &str| {
        let found = engine.find(MACHINE, name).await.expect("a read").expect("the execution");
        let events = engine.history(found.row.key).await.expect("a history").events;
        events.iter().filter(|event| event.body.is_visible()).count()
    };
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b", "c"]).await;
        assert_eq!((events(&engine, "a").await, events(&engine, "b").await), (4, 1));
        assert_eq!((gate.open(), seen(&engine, "one").await), (vec!["a".to_owned()], "a < b c".to_owned()));
        assert_eq!(status(&engine, "b").await, Status::Running);
    });
    world.live(async |engine, gate| {
        let found = engine.find(MACHINE, "b").await.expect("a read").expect("the execution");
        engine.stop(found.row.key, None, None).await.expect("stops");
        assert_eq!(seen(&engine, "one").await, "a < c");
        gate.answer(Ok("{}")).await;
        assert_eq!((gate.open(), seen(&engine, "one").await), (vec!["c".to_owned()], "c < ".to_owned()));
        gate.answer(Ok("{}")).await;
        assert_eq!(status(&engine, "c").await, Status::Succeeded);
    });
    assert_eq!(world.permits(), 0);
}

#[test]
fn a_redriven_execution_waits_for_its_turn_again() {
    let mut world = World::new(CALL, r#"[{"name":"one","state_machine":"m","concurrency":1}]"#);
    world.live(async |engine, gate| {
        begin(&engine, &["a"]).await;
        gate.answer(Err("Bad")).await;
        begin(&engine, &["b"]).await;
        let found = engine.find(MACHINE, "a").await.expect("a read").expect("the execution");
        engine.redrive(found.row.key, None).await.expect("is redriven");
        pass_ms(1).await;
        assert_eq!((gate.open(), seen(&engine, "one").await), (vec!["b".to_owned()], "b < a".to_owned()));
        gate.answer(Ok("{}")).await;
        assert_eq!(gate.open(), ["a"]);
        gate.answer(Ok("{}")).await;
        assert_eq!(status(&engine, "a").await, Status::Succeeded);
    });
    assert_eq!(world.permits(), 0);
}

#[test]
fn express_executions_are_counted_too() {
    let mut world = World::new(CALL, ONE);
    world.live(async |engine, gate| {
        let express = engine.start_express(request("x", "{}")).await.expect("starts");
        pass_ms(1).await;
        begin(&engine, &["a"]).await;
        assert_eq!(gate.open(), ["x:"].map(|_| gate.open()[0].clone()), "one call");
        assert_eq!(
            seen(&engine, "one").await.split_once(" < ").map(|(_, waits)| waits.to_owned()),
            Some("a".into())
        );
        gate.answer(Ok("{}")).await;
        assert!(matches!(express.outcome().await, Some(Outcome::Succeeded { .. })));
        pass_ms(1).await;
        assert_eq!(gate.open(), ["a"]);
        let waiting = engine.start_express(request("y", "{}")).await.expect("starts");
        gate.answer(Ok("{}")).await;
        gate.answer(Ok("{}")).await;
        assert!(matches!(waiting.outcome().await, Some(Outcome::Succeeded { .. })));
        assert_eq!(seen(&engine, "one").await, "");
    });
    assert_eq!(world.permits(), 0);
}

#[test]
fn each_key_has_its_own_places() {
    let limits = r#"[{"name":"one","task":"charge","concurrency":1,"key":"{% $states.input.customer %}"}]"#;
    let mut world = World::new(CALL, limits);
    world.live(async |engine, gate| {
        for (name, input) in [
            ("a", r#"{"customer":1}"#),
            ("b", r#"{"customer":1}"#),
            ("c", r#"{"customer":"x"}"#),
            ("d", "{}"),
        ] {
            start(&engine, name, input).await.expect("starts");
        }
        pass_ms(1).await;
        assert_eq!(gate.open(), ["a", "c", "d"]);
        assert_eq!(seen(&engine, "one").await, "d < ; 1: a < b; x: c < ");
    });
}

#[test]
fn what_is_set_at_run_time_stands_in_front_until_it_is_removed() {
    let mut world = World::new(CALL, ONE);
    let set =
        |concurrency: u32| LimitDefinition { concurrency: Some(concurrency), ..definitions(ONE).remove(0) };
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b", "c", "d"]).await;
        engine.set_limit(set(3)).await.expect("is set");
        pass_ms(1).await;
        assert_eq!(gate.open(), ["a", "b", "c"]);
        let refused = engine.set_limit(LimitDefinition { concurrency: Some(0), ..set(1) }).await;
        assert!(matches!(refused, Err(SetLimitError::Definition(_))), "{refused:?}");
    });
    world.live(async |engine, gate| {
        assert_eq!(gate.open().len(), 3);
        assert_eq!(engine.limits().await[0].origin, Origin::RunTimeOverFile);
        engine.remove_limit("one").await.expect("is removed");
        assert!(matches!(engine.remove_limit("one").await, Err(SetLimitError::InFile(_))));
        assert!(matches!(engine.remove_limit("other").await, Err(SetLimitError::NotFound(_))));
        // Nobody is thrown out, and nobody comes before there is room again.
        gate.answer(Ok("{}")).await;
        gate.answer(Ok("{}")).await;
        assert_eq!(gate.open().len(), 1);
        gate.answer(Ok("{}")).await;
        assert_eq!(gate.open().len(), 1);
        gate.answer(Ok("{}")).await;
    });
    assert_eq!(world.permits(), 0);
    world.limits = "[]";
    world.live(async |engine, gate| {
        begin(&engine, &["e", "f"]).await;
        assert_eq!(gate.open(), ["e", "f"]);
        engine.set_limit(set(1)).await.expect("is set");
        assert_eq!(engine.limits().await[0].origin, Origin::RunTime);
        begin(&engine, &["g", "h"]).await;
        assert_eq!(gate.open(), ["e", "f", "g"], "those from before are not counted");
    });
    world.live(async |engine, gate| {
        assert_eq!(gate.open(), ["e", "f", "g"]);
        engine.remove_limit("one").await.expect("is removed");
        pass_ms(1).await;
        assert_eq!(gate.open(), ["e", "f", "g", "h"]);
    });
}

#[test]
fn starts_in_a_while() {
    let mut world = World::new(CALL, r#"[{"name":"slow","task":"charge","rate":{"count":2,"per_s":10}}]"#);
    world.live(async |engine, gate| {
        begin(&engine, &["a", "b", "c", "d", "e"]).await;
        assert_eq!(gate.open().len(), 2);
        pass_ms(9_900).await;
        assert_eq!(gate.open().len(), 2);
        pass_ms(200).await;
        assert_eq!(gate.open().len(), 4);
    });
    // After a restart nobody knows when those before it started, and it may have been just before.
    world.live(async |engine, gate| {
        assert_eq!(gate.open().len(), 4, "the calls that were under way are made again");
        pass_ms(9_900).await;
        assert_eq!(gate.open().len(), 4);
        pass_ms(200).await;
        assert_eq!((gate.open().len(), engine.limits().await[0].waiters), (5, 0));
    });
}

/// A process dies at any time; all starts that histories have, over all of them, fit into the rate.
#[test]
fn no_window_has_more_starts_across_crashes() {
    const RATE: &str = r#"[{"name":"slow","task":"charge","rate":{"count":3,"per_s":10}}]"#;
    const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
    const WHOLE: &str = r#"[{"name":"slow","state_machine":"m","rate":{"count":3,"per_s":10}}]"#;
    for (definition, limits) in [(CALL, RATE), (PASS, WHOLE)] {
        for lives_ms in [[1, 1, 1, 60_000], [9_990, 20, 15_000, 60_000], [25_000, 5_000, 10_010, 60_000]] {
            let names: Vec<String> = (0..12).map(|number| number.to_string()).collect();
            let mut world = World::new(definition, limits);
            let starts = Mutex::new(Vec::new());
            for (life, life_ms) in lives_ms.into_iter().enumerate() {
                world.live(async |engine, gate| {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    begin(&engine, &names[3 * life..3 * life + 3]).await;
                    for _ in 0..life_ms / 10 {
                        pass_ms(10).await;
                        while !gate.open().is_empty() {
                            gate.answer(Ok("{}")).await;
                        }
                    }
                    if life == 3 {
                        *starts.lock().expect("no panic") = starts_of(&engine, &names).await;
                    }
                });
            }
            let starts = starts.into_inner().expect("no panic");
            assert_eq!(starts.len(), names.len(), "all have started: {lives_ms:?}");
            for four in starts.windows(4) {
                assert!(four[3] - four[0] >= 10_000, "{lives_ms:?}: {starts:?}");
            }
        }
    }
}

/// When tasks were started, or without one, first states entered; in order.
async fn starts_of(engine: &Engine, names: &[&str]) -> Vec<i64> {
    let mut starts = Vec::new();
    for name in names {
        let found = engine.find(MACHINE, name).await.expect("a read").expect("the execution");
        let events = engine.history(found.row.key).await.expect("a history").events;
        let started = events.iter().find(|event| matches!(event.body, EventBody::TaskStarted(_)));
        let entered = || events.iter().find(|event| matches!(event.body, EventBody::StateEntered { .. }));
        starts.extend(started.or_else(entered).map(|event| event.timestamp_ms));
    }
    starts.sort_unstable();
    starts
}

#[test]
fn what_workers_have_not_taken_is_not_followed_by_more() {
    let definition: &'static str = Box::leak(super::activity("").into_boxed_str());
    let mut world =
        World::new(definition, r#"[{"name":"slow","task":"work","rate":{"count":2,"per_s":10}}]"#);
    let taken = async |engine: &Arc<Engine>| {
        let work: Arc<str> = WORK.into();
        let mut taken = 0;
        while let Ok(Ok(_)) =
            tokio::time::timeout(std::time::Duration::from_millis(500), engine.activity_task(&work, None))
                .await
        {
            taken += 1;
        }
        taken
    };
    world.live(async |engine, _| {
        begin(&engine, &["a", "b", "c", "d", "e"]).await;
        pass_ms(60_000).await;
    });
    world.live(async |engine, _| {
        pass_ms(60_000).await;
        assert_eq!(taken(&engine).await, 2);
        pass_ms(9_000).await;
        assert_eq!(taken(&engine).await, 0);
        pass_ms(2_000).await;
        assert_eq!(taken(&engine).await, 2);
    });
}

#[test]
fn a_map_of_many_does_not_keep_others_waiting() {
    const MAP: &str = r#"{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemsPath":"$.items","ItemProcessor":
        {"StartAt":"T","States":{"T":{"Type":"Task","End":true,"Resource":"arn:aws:lambda:us-east-1:111111111111:function:charge"}}}}}}"#;
    let mut world = World::new(MAP, ONE);
    world.live(async |engine, gate| {
        let many = format!(r#"{{"items":[{}]}}"#, vec!["1"; 200].join(","));
        start(&engine, "many", &many).await.expect("starts");
        start(&engine, "few", r#"{"items":[1]}"#).await.expect("starts");
        pass_ms(1).await;
        let mut order = Vec::new();
        for _ in 0..4 {
            order.extend(gate.open());
            gate.answer(Ok("{}")).await;
        }
        assert_eq!(order, ["many", "few", "many", "many"]);
        let found = engine.find(MACHINE, "many").await.expect("a read").expect("the execution");
        engine.stop(found.row.key, None, None).await.expect("stops");
        gate.answer(Ok("{}")).await;
        assert_eq!(seen(&engine, "one").await, "");
    });
    assert_eq!(world.permits(), 0);
}
