//! Executions that are forgotten: after their time, and with their machine; also when the process ends in the middle of it.

use std::sync::Arc;

use stepwright_engine::retention::{RetentionDefinition, RuleDefinition};
use stepwright_engine::{Definitions, Engine, MachineFacts};
use stepwright_store::faulty::{Durable, Fault, Faulty, FaultyOptions};
use stepwright_store::memory::Memory;
use stepwright_store::{CatalogKind, ExecutionKey, Pending, ShardId, Status, Store, StoreError};
use stepwright_testkit::now;

use crate::{MACHINE, START_MS, WORK, World, activity, pass_ms, start, status};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Waits as long as its input says.
const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","End":true}}}"#;
/// A map run whose children have map runs.
const MAPS: &str = r#"{"StartAt":"O","States":{"O":{"Type":"Map","Label":"outer","End":true,"ItemProcessor":{
    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{
    "I":{"Type":"Map","Label":"inner","End":true,"ItemProcessor":{
    "ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"P",
    "States":{"P":{"Type":"Pass","End":true}}}}}}}}}"#;

async fn is_there(engine: &Engine, name: &str) -> bool {
    engine.find(MACHINE, name).await.expect("a read").is_some()
}

/// Whether the store has nothing of any execution.
fn is_empty(store: &Memory) -> bool {
    let shard = ShardId(0);
    let no_segments = |sequence| {
        let key = ExecutionKey::new(shard, sequence).expect("a key");
        now(store.segments(key, 1)).expect("at once").expect("a read").is_empty()
    };
    now(store.machines("", None, 1)).expect("at once").expect("a read").is_empty()
        && now(store.records(CatalogKind::MapRun, "", None, 1)).expect("at once").expect("a read").is_empty()
        && now(store.timers(shard)).expect("at once").expect("a read").is_empty()
        && now(store.dispatches(shard)).expect("at once").expect("a read").is_empty()
        && (1..100).all(no_segments)
}

#[test]
fn what_has_ended_goes_after_90_days_and_its_name_is_free() {
    let mut world = World::new(WAIT);
    world.live(async |engine| {
        start(&engine, "short", "1").await.expect("starts");
        start(&engine, "long", "15552000").await.expect("starts");
        pass_ms(1_000 + 90 * DAY_MS).await;
        assert!(is_there(&engine, "short").await, "for 90 days");
        pass_ms(2 * 3_600_000).await;
        assert!(!is_there(&engine, "short").await);
        start(&engine, "short", "1").await.expect("the name is free");
        assert_eq!(status(&engine, "long").await, Status::Running);
        // It was started 180 days ago when it ends, and is kept from then on.
        pass_ms(90 * DAY_MS).await;
        assert_eq!(status(&engine, "long").await, Status::Succeeded);
        pass_ms(89 * DAY_MS).await;
        assert!(is_there(&engine, "long").await && !is_there(&engine, "short").await);
        pass_ms(2 * DAY_MS).await;
    });
    assert!(is_empty(&world.store));
}

/// One definition, and these facts of its machine.
struct Facts(Option<MachineFacts>);

impl Definitions for Facts {
    fn definition(&self, _: &str, _: &str) -> Pending<'_, Result<Option<String>, StoreError>> {
        Box::pin(std::future::ready(Ok(Some(WAIT.to_owned()))))
    }

    fn machine(&self, _: &str) -> Pending<'_, Result<Option<MachineFacts>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

#[test]
fn facts_of_the_machine_decide() {
    let brief =
        RuleDefinition { state_machine: Some("m".into()), tag: Some("brief".into()), keep: "10s".into() };
    let retention = RetentionDefinition { keep: Some("forever".into()), rules: vec![brief] };
    let facts = MachineFacts::default;
    for (facts, is_kept) in [
        (Some(MachineFacts { tags: vec![("brief".into(), "".into())], ..facts() }), false),
        (Some(facts()), true),
        // An earlier machine of the same name had it.
        (Some(MachineFacts { created_ms: START_MS + 5_000, ..facts() }), false),
        (Some(MachineFacts { created_ms: START_MS + 1_000, ..facts() }), true),
        // There is no machine; and one that somebody else sees to.
        (None, false),
        (Some(MachineFacts { is_deleting: true, created_ms: START_MS + 5_000, ..facts() }), true),
    ] {
        let mut world = World::new(WAIT);
        world.retention = retention.clone();
        world.definitions = Some(Arc::new(Facts(facts.clone())));
        world.live(async |engine| {
            start(&engine, "ends", "1").await.expect("starts");
            start(&engine, "runs", "1000000").await.expect("starts");
            pass_ms(12 * 3_600_000).await;
            assert_eq!(is_there(&engine, "ends").await, is_kept, "{facts:?}");
            assert!(is_there(&engine, "runs").await, "{facts:?}");
        });
    }
}

#[test]
fn many_go_in_several_units_and_others_stay() {
    let mut world = World::new(WAIT);
    world.retention.keep = Some("1h".into());
    world.live(async |engine| {
        for number in 0..700 {
            let seconds = if number % 3 == 0 { "100000" } else { "1" };
            start(&engine, &number.to_string(), seconds).await.expect("starts");
        }
        pass_ms(2 * 3_600_000).await;
        for number in 0..700 {
            assert_eq!(is_there(&engine, &number.to_string()).await, number % 3 == 0, "{number}");
        }
    });
}

/// Until nothing is left of the machine, or the process has ended.
async fn forget(engine: Arc<Engine>) {
    while engine.failure_reason().is_none() {
        match engine.forget_machine(&MACHINE.into()).await {
            Ok(true) => return,
            Ok(false) => engine.pause().await,
            Err(_) => return,
        }
    }
}

#[test]
fn what_runs_is_aborted_before_it_is_forgotten() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        for number in 0..300 {
            start(&engine, &number.to_string(), "{}").await.expect("starts");
        }
        let token = engine.activity_task(&WORK.into(), None).await.expect("a task").token;
        forget(engine.clone()).await;
        assert!(engine.task_failed(&token, None, None).await.is_err());
        start(&engine, "1", "{}").await.expect("the name is free");
        forget(engine).await;
    });
    assert!(is_empty(&world.store));
}

/// However far it came, and whatever was durable of the last unit: the next process goes on with it.
#[test]
fn a_deletion_that_a_crash_has_left_is_gone_on_with() {
    let mut world = World::new(MAPS);
    world.live(async |engine| {
        start(&engine, "e", "[[1,2],[3]]").await.expect("starts");
        pass_ms(10_000).await;
        assert_eq!(status(&engine, "e").await, Status::Succeeded);
    });
    let before = world.store.clone();
    for fault in
        [Fault::Crash(Durable::Nothing), Fault::Crash(Durable::Everything), Fault::Fail(Durable::Nothing)]
    {
        let mut flush = 1;
        loop {
            let plan = [(flush, fault)].into();
            let disk = Faulty::on(&before, FaultyOptions { plan, ..FaultyOptions::default() });
            world.disk = disk.clone();
            world.live(forget);
            let is_struck = disk.is_lost();
            world.store = disk.survivors();
            world.disk = world.store.clone();
            world.live(forget);
            assert!(is_empty(&world.store), "{fault:?} at flush {flush}");
            if !is_struck {
                break;
            }
            flush += 1;
        }
        assert!(flush > 5, "there were {flush} units");
    }
}
