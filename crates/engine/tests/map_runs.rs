//! Map runs, each situation on virtual time: the children are executions of their own, and a crash in the middle neither loses
//! nor repeats what has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stepwright_engine::{
    Clock, Counts, Engine, EngineOptions, Entropy, MapRunDescription, MapRunUpdate, Revision, StartExecution,
    UpdateMapRunError, span_of,
};
use stepwright_machine::{Event, EventBody};
use stepwright_store::memory::Memory;
use stepwright_store::{Execution as Row, ExecutionQuery, Listing, ShardId, Status, Store};
use stepwright_tasks::{BoxFuture, Call, CancellationSignal, Failure, Success, TaskTarget};
use stepwright_testkit::{FixedDefinitions, SimulatedClock, machines};
use stepwright_value::Document;

const START_MS: i64 = 1_730_000_000_000;
const MACHINE: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:m";

/// A process and its store, which outlives it.
struct World {
    store: Arc<Memory>,
    definition: String,
    functions: Arc<Functions>,
    now_ms: i64,
}

/// Answers with its input after `takes_ms`; an input that holds `"bad"` fails.
#[derive(Default)]
struct Functions {
    takes_ms: u64,
    state: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    /// By input.
    made: BTreeMap<String, u32>,
    under_way: u32,
    most: u32,
    /// What was bad goes well from now on.
    are_healed: bool,
}

struct Target(Arc<Functions>);

impl TaskTarget for Target {
    fn call(&self, call: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        let functions = self.0.clone();
        Box::pin(async move {
            {
                let mut calls = functions.state.lock().expect("no panic");
                *calls.made.entry(call.parameters.text().to_owned()).or_default() += 1;
                calls.under_way += 1;
                calls.most = calls.most.max(calls.under_way);
            }
            tokio::time::sleep(Duration::from_millis(functions.takes_ms)).await;
            let mut calls = functions.state.lock().expect("no panic");
            calls.under_way -= 1;
            match call.parameters.text().contains("bad") && !calls.are_healed {
                true => Err(Failure::new("Bad", "bad")),
                false => Ok(Success { output: call.parameters }),
            }
        })
    }
}

impl World {
    fn new(definition: &str, takes_ms: u64) -> World {
        World {
            store: Memory::new(),
            definition: definition.to_owned(),
            functions: Arc::new(Functions { takes_ms, ..Functions::default() }),
            now_ms: START_MS,
        }
    }

    /// One life of the process; whatever runs at its end is lost.
    fn live<F: Future<Output = ()>>(&mut self, life: impl FnOnce(Arc<Engine>) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("runtime");
        self.now_ms = runtime.block_on(async {
            let clock = Arc::new(SimulatedClock::new(self.now_ms));
            let engine = Engine::open(EngineOptions {
                store: self.store.clone(),
                definitions: Arc::new(FixedDefinitions::default().with(MACHINE, self.definition.as_str())),
                targets: Arc::new(Target(self.functions.clone())),
                clock: clock.clone(),
                entropy: Arc::new(Entropy::from_seed(self.now_ms as u64)),
                account: Arc::new(machines::account()),
                calls_max: 10_000,
                cores: None,
                snapshot_after: stepwright_engine::SNAPSHOT_AFTER,
                express_bytes_max: stepwright_engine::EXPRESS_BYTES_MAX,
                retention: stepwright_engine::retention::Retention::default(),
                observer: None,
                history_log: None,
                limits: Vec::new(),
            });
            life(engine.await.expect("opens")).await;
            clock.now_ms()
        });
        self.functions.state.lock().expect("no panic").under_way = 0;
    }

    fn calls(&self) -> BTreeMap<String, u32> {
        self.functions.state.lock().expect("no panic").made.clone()
    }
}

/// A machine that is one distributed Map.
fn map(kind: &str, fields: &str, states: &str) -> String {
    format!(
        r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map","Label":"each",{fields}"ItemProcessor":{{
            "ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"{kind}"}},"StartAt":"A","States":{states}}},"End":true}}}}}}"#
    )
}

const CHILDREN: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:m/each";
const PASS: &str = r#"{"A":{"Type":"Pass","End":true}}"#;
const TASK: &str =
    r#"{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}}"#;

async fn start(engine: &Arc<Engine>, input: &str) {
    let request = StartExecution {
        revision: Revision {
            machine_arn: MACHINE.into(),
            revision_id: "1".into(),
            role_arn: "".into(),
            definition: None,
        },
        name: Some("e".into()),
        input: Document::parse(input).expect("JSON"),
        trace_header: None,
        version_arn: None,
        alias_arn: None,
        started_by: None,
    };
    engine.start(request).await.expect("starts");
}

async fn pass_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Status, and output or error, of the execution.
async fn end(engine: &Engine) -> (Status, String) {
    let found = engine.find(MACHINE, "e").await.expect("a read").expect("the execution");
    let told = found.tail.output.or(found.tail.error).unwrap_or_default();
    (found.row.status, told.to_string())
}

/// The newest map run of the execution.
async fn run(engine: &Engine) -> MapRunDescription {
    let found = engine.find(MACHINE, "e").await.expect("a read").expect("the execution");
    let (runs, _) = engine.map_runs(found.row.key, None, 100).await.expect("a read");
    let arn = runs.last().expect("a run").1.map_run_arn.clone();
    engine.describe_map_run(&arn).await.expect("a read").expect("the run")
}

async fn children(engine: &Engine, map_run_arn: &str) -> Vec<Row> {
    let of = Listing::MapRun { arn: map_run_arn.into(), redriven: None };
    let query = ExecutionQuery { of, status: None, oldest_first: false, after: None, limit: usize::MAX };
    let mut rows = engine.list(query).await.expect("a read").items;
    rows.sort_by_key(|row| span_of(&row.name));
    rows
}

fn numbers(count: u64) -> String {
    format!("[{}]", (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}

#[test]
fn every_item_is_an_execution_of_its_own() {
    for kind in ["STANDARD", "EXPRESS"] {
        for states in [PASS, TASK] {
            let mut world = World::new(&map(kind, "", states), 20);
            world.live(async |engine| {
                start(&engine, &numbers(1_000)).await;
                pass_ms(1_000).await;
                assert_eq!(end(&engine).await, (Status::Succeeded, numbers(1_000)), "{kind}");
                let described = run(&engine).await;
                let all = Counts { succeeded: 1_000, total: 1_000, ..Counts::default() };
                assert_eq!((described.items, described.executions), (all, all), "{kind}");
                assert_eq!(described.record.status, Status::Succeeded);
                let rows = children(&engine, &described.record.map_run_arn).await;
                let items: Vec<u64> =
                    rows.iter().filter_map(|row| span_of(&row.name)).map(|it| it.first).collect();
                assert_eq!(items, (0..1_000).collect::<Vec<u64>>());
                let child = engine.find(CHILDREN, &rows[7].name).await.expect("a read").expect("it");
                assert_eq!((&*child.head.input, child.tail.output.as_deref()), ("7", Some("7")));
                let events = engine.history(child.row.key).await.expect("a read").events;
                assert_eq!(events.is_empty(), kind == "EXPRESS");
                assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
            });
        }
    }
}

#[test]
fn no_more_children_at_a_time_than_wished_and_that_can_be_changed() {
    for kind in ["STANDARD", "EXPRESS"] {
        let mut world = World::new(&map(kind, r#""MaxConcurrency":3,"#, TASK), 1_000);
        let functions = world.functions.clone();
        world.live(async |engine| {
            start(&engine, &numbers(200)).await;
            pass_ms(2_500).await;
            let described = run(&engine).await;
            let expected = Counts { running: 3, succeeded: 6, total: 200, ..Counts::default() };
            assert_eq!((described.items, described.items.pending()), (expected, 191), "{kind}");
            let update = MapRunUpdate { max_concurrency: Some(50), ..MapRunUpdate::default() };
            engine.update_map_run(&described.record.map_run_arn, update).await.expect("open");
            pass_ms(600).await;
            assert_eq!(run(&engine).await.items.running, 50);
        });
        assert_eq!(functions.state.lock().expect("no panic").most, 50);
        // The change is durable.
        world.live(async |engine| {
            pass_ms(10).await;
            let described = run(&engine).await;
            assert_eq!((described.limits.max_concurrency, described.items.running), (50, 50), "{kind}");
            pass_ms(10_000).await;
            assert_eq!(end(&engine).await, (Status::Succeeded, numbers(200)), "{kind}");
            let map_run_arn = run(&engine).await.record.map_run_arn;
            let late = engine.update_map_run(&map_run_arn, MapRunUpdate::default()).await;
            assert!(matches!(late, Err(UpdateMapRunError::Completed)));
        });
    }
}

#[test]
fn a_crash_in_the_middle_neither_loses_nor_repeats_what_has_ended() {
    for kind in ["STANDARD", "EXPRESS"] {
        let mut world = World::new(&map(kind, r#""MaxConcurrency":10,"#, TASK), 100);
        let mut ended = Vec::new();
        world.live(async |engine| {
            start(&engine, &numbers(100)).await;
            pass_ms(350).await;
            let rows = children(&engine, &run(&engine).await.record.map_run_arn).await;
            ended = rows.into_iter().filter(|row| row.status == Status::Succeeded).collect();
            assert_eq!(ended.len(), 30, "{kind}");
        });
        world.live(async |engine| {
            pass_ms(5_000).await;
            assert_eq!(end(&engine).await, (Status::Succeeded, numbers(100)), "{kind}");
            let described = run(&engine).await;
            let all = Counts { succeeded: 100, total: 100, ..Counts::default() };
            assert_eq!((described.items, described.executions), (all, all), "{kind}");
            let rows = children(&engine, &described.record.map_run_arn).await;
            assert!(ended.iter().all(|row| rows.contains(row)), "what has ended stays as it was");
        });
        let calls = world.calls();
        let repeated: Vec<_> = calls.values().filter(|count| **count > 1).collect();
        assert_eq!((calls.len(), repeated.len()), (100, 10), "{kind}: those that were under way");
        let dispatches = stepwright_testkit::now(world.store.dispatches(ShardId(0)));
        assert_eq!(dispatches.expect("at once").expect("a read"), []);
    }
}

#[test]
fn failures_are_tolerated_up_to_a_limit_and_then_the_others_are_stopped() {
    let input = |bad: u64| {
        let item = |number: u64| if number < bad { format!("\"bad {number}\"") } else { number.to_string() };
        format!("[{}]", (0..100).map(item).collect::<Vec<_>>().join(","))
    };
    for kind in ["STANDARD", "EXPRESS"] {
        for (tolerance, bad, is_tolerated) in [
            ("", 1, false),
            (r#""ToleratedFailureCount":5,"#, 5, true),
            (r#""ToleratedFailureCount":5,"#, 6, false),
            (r#""ToleratedFailurePercentage":10,"#, 10, true),
            (r#""ToleratedFailurePercentage":9.5,"#, 10, false),
        ] {
            let mut world = World::new(&map(kind, &format!("{tolerance}\"MaxConcurrency\":20,"), TASK), 100);
            world.live(async |engine| {
                start(&engine, &input(bad)).await;
                pass_ms(5_000).await;
                let (status, told) = end(&engine).await;
                let described = run(&engine).await;
                if is_tolerated {
                    assert_eq!(status, Status::Succeeded, "{kind} {tolerance}");
                    assert_eq!((described.items.succeeded, described.items.failed), (100 - bad, bad));
                } else {
                    assert_eq!(
                        (status, &*told),
                        (Status::Failed, "States.ExceedToleratedFailureThreshold"),
                        "{kind} {tolerance}"
                    );
                    assert_eq!(described.record.status, Status::Failed);
                    assert_eq!(described.items.running, 0);
                }
                assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
            });
        }
    }
}

#[test]
fn a_tolerance_that_is_lowered_ends_the_run() {
    let definition = map("STANDARD", r#""ToleratedFailureCount":5,"MaxConcurrency":2,"#, TASK);
    let mut world = World::new(&definition, 100);
    world.live(async |engine| {
        start(&engine, r#"["bad",1,2,3,4,5,6,7,8]"#).await;
        pass_ms(250).await;
        let update = MapRunUpdate { tolerated_failure_count: Some(0), ..MapRunUpdate::default() };
        let map_run_arn = run(&engine).await.record.map_run_arn;
        engine.update_map_run(&map_run_arn, update).await.expect("open");
        pass_ms(10).await;
        assert_eq!(end(&engine).await.0, Status::Failed);
        let items = run(&engine).await.items;
        assert_eq!((items.failed, items.aborted, items.succeeded, items.pending()), (1, 2, 3, 3));
    });
}

#[test]
fn stopping_the_execution_aborts_run_and_children() {
    for kind in ["STANDARD", "EXPRESS"] {
        for crashes in [false, true] {
            let mut world = World::new(&map(kind, r#""MaxConcurrency":10,"#, TASK), 1_000);
            world.live(async |engine| {
                start(&engine, &numbers(100)).await;
                pass_ms(1_500).await;
                let found = engine.find(MACHINE, "e").await.expect("a read").expect("the execution");
                engine.stop(found.row.key, None, None).await.expect("runs");
                if !crashes {
                    pass_ms(10).await;
                }
            });
            world.live(async |engine| {
                pass_ms(10).await;
                let described = run(&engine).await;
                assert_eq!(described.record.status, Status::Aborted, "{kind}");
                let items = described.items;
                assert_eq!((items.succeeded, items.running), (10, 0), "{kind} {crashes}");
                let rows = children(&engine, &described.record.map_run_arn).await;
                assert!(rows.iter().all(|row| row.status != Status::Running), "{kind}");
                assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
            });
        }
    }
}

#[test]
fn batches_selectors_and_members_of_objects() {
    let rows = [
        (
            r#""ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"b":1}},"#,
            "[1,2,3]",
            r#"[{"BatchInput":{"b":1},"Items":[1,2]},{"BatchInput":{"b":1},"Items":[3]}]"#,
        ),
        (
            r#""ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},"#,
            "[5,6]",
            r#"[{"i":0,"v":5},{"i":1,"v":6}]"#,
        ),
        (r#""ItemSelector":{"k.$":"$$.Map.Item.Key"},"#, r#"{"x":1,"y":2}"#, r#"[{"k":"x"},{"k":"y"}]"#),
        ("", "[]", "[]"),
    ];
    for (fields, input, expected) in rows {
        for kind in ["STANDARD", "EXPRESS"] {
            let mut world = World::new(&map(kind, fields, PASS), 0);
            world.live(async |engine| {
                start(&engine, input).await;
                pass_ms(10).await;
                assert_eq!(end(&engine).await, (Status::Succeeded, expected.to_owned()), "{fields}");
            });
        }
    }
}

#[test]
fn what_cannot_be_selected_or_is_too_large_fails_the_run() {
    let large = format!("[{}]", vec![format!("\"{}\"", "x".repeat(100_000)); 2].join(","));
    let rows = [
        (r#""ItemSelector":{"v.$":"$$.Map.Item.Value.none"},"#, "[1]", "States.Runtime"),
        (r#""ItemSelector":{"v.$":"$[0]","w.$":"$[1]"},"#, large.as_str(), "States.DataLimitExceeded"),
    ];
    for (fields, input, error) in rows {
        let mut world = World::new(&map("STANDARD", fields, PASS), 0);
        world.live(async |engine| {
            start(&engine, input).await;
            pass_ms(10).await;
            let ended = end(&engine).await;
            assert_eq!(ended, (Status::Failed, error.to_owned()), "{fields}");
            assert_eq!(run(&engine).await.record.status, Status::Failed);
        });
    }
}

#[test]
fn a_run_inside_a_child() {
    let inner = map("EXPRESS", "", PASS);
    let inner = inner.trim_start_matches(r#"{"StartAt":"M","States":{"M":"#).trim_end_matches("}}");
    let inner = inner.replace("each", "inner").replace("\"A\"", "\"B\"");
    let mut world = World::new(&map("STANDARD", "", &format!(r#"{{"A":{inner}}}"#)), 0);
    world.live(async |engine| {
        start(&engine, "[[1,2],[3]]").await;
        pass_ms(10).await;
        assert_eq!(end(&engine).await, (Status::Succeeded, "[[1,2],[3]]".to_owned()));
        let outer = run(&engine).await.record.map_run_arn;
        let child = children(&engine, &outer).await.remove(0);
        let (runs, more) = engine.map_runs(child.key, None, 10).await.expect("a read");
        assert_eq!((runs.len(), more), (1, false));
        let record = &runs[0].1;
        assert!(record.map_run_arn.contains(":mapRun:m/inner:"), "{}", record.map_run_arn);
        assert!(record.execution_arn.contains(":execution:m/each:"), "{}", record.execution_arn);
    });
}

#[test]
fn a_state_that_is_tried_again_has_a_new_run() {
    let retry = r#""Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}],"#;
    let mut world = World::new(&map("EXPRESS", retry, TASK), 10);
    world.live(async |engine| {
        start(&engine, r#"["bad"]"#).await;
        pass_ms(3_000).await;
        assert_eq!(end(&engine).await.0, Status::Failed);
        let found = engine.find(MACHINE, "e").await.expect("a read").expect("the execution");
        let (first, more) = engine.map_runs(found.row.key, None, 1).await.expect("a read");
        assert!(more);
        let (second, more) = engine.map_runs(found.row.key, Some(first[0].0.run), 1).await.expect("a read");
        assert!(!more);
        assert_ne!(first[0].1.map_run_arn, second[0].1.map_run_arn);
        assert!(first[0].1.start_ms < second[0].1.start_ms);
    });
}

#[test]
fn a_redriven_run_keeps_what_has_succeeded() {
    let items: Vec<String> =
        (0..10).map(|n| if n < 3 { format!("\"bad {n}\"") } else { n.to_string() }).collect();
    let input = format!("[{}]", items.join(","));
    for kind in ["STANDARD", "EXPRESS"] {
        for crashes in [false, true] {
            let fields = r#""ToleratedFailureCount":2,"MaxConcurrency":2,"#;
            let mut world = World::new(&map(kind, fields, TASK), 100);
            world.live(async |engine| {
                start(&engine, &input).await;
                pass_ms(1_000).await;
                assert_eq!(end(&engine).await.0, Status::Failed);
                let items = run(&engine).await.items;
                assert_eq!((items.failed, items.succeeded + items.aborted), (3, 1), "{kind}");
            });
            world.functions.state.lock().expect("no panic").are_healed = true;
            let mut key = None;
            world.live(async |engine| {
                let found = engine.find(MACHINE, "e").await.expect("a read").expect("the execution");
                key = Some(found.row.key);
                engine.redrive(found.row.key, None).await.expect("it can be");
                pass_ms(if crashes { 150 } else { 2_000 }).await;
            });
            world.live(async |engine| {
                pass_ms(2_000).await;
                assert_eq!(end(&engine).await, (Status::Succeeded, input.clone()), "{kind} {crashes}");
                let described = run(&engine).await;
                let all = Counts { succeeded: 10, total: 10, ..Counts::default() };
                assert_eq!((described.items, described.executions), (all, all), "{kind}");
                assert_eq!(described.record.redrive_count, 1);
                assert!(described.record.redrive_ms > Some(described.record.start_ms));
                let rows = children(&engine, &described.record.map_run_arn).await;
                let redriven: Vec<u32> = rows.iter().map(|row| row.listed.redrives).collect();
                assert_eq!(redriven[..3], [1, 1, 1], "{kind}");
                let history = engine.history(key.expect("a key")).await.expect("a read").events;
                let is_redrive = |event: &Event| matches!(event.body, EventBody::MapRunRedriven { .. });
                assert_eq!(history.iter().filter(|event| is_redrive(event)).count(), 1);
            });
        }
    }
}
