//! Redrives across lives of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwright_engine::{Definitions, Described, Engine, NotRedrivable, RedriveError};
use stepwright_machine::{EventBody, event::StateKind};
use stepwright_store::{ExecutionKey, Pending, Status, StoreError};
use stepwright_value::Document;

use crate::{MACHINE, START_MS, WORK, World, activity, pass_ms, start};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Fails at once, each time.
const FAIL: &str = r#"{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"E","Cause":"c"}}}"#;

async fn described(engine: &Engine) -> Described {
    engine.find(MACHINE, "e").await.expect("a read").expect("the execution")
}

async fn key(engine: &Engine) -> ExecutionKey {
    described(engine).await.row.key
}

async fn redrive(engine: &Arc<Engine>, token: &str) -> Result<i64, Option<NotRedrivable>> {
    engine.redrive(key(engine).await, Some(token)).await.map_err(|error| match error {
        RedriveError::Refused(reason) => Some(reason),
        RedriveError::Deliver(_) => None,
    })
}

/// Takes the activity's task and fails it.
async fn fail_task(engine: &Arc<Engine>) {
    let token = engine.activity_task(&WORK.into(), None).await.expect("a task").token;
    engine.task_failed(&token, Some("E".into()), Some("c".into())).await.expect("is answered");
}

async fn succeed_task(engine: &Arc<Engine>) {
    let token = engine.activity_task(&WORK.into(), None).await.expect("a task").token;
    engine.task_succeeded(&token, Document::parse("1").expect("JSON")).await.expect("is answered");
}

#[test]
fn an_execution_goes_on_after_a_restart() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        fail_task(&engine).await;
        let ended = described(&engine).await;
        assert_eq!((ended.row.status, ended.row.stop_ms), (Status::Failed, Some(START_MS)));
        assert_eq!(ended.tail.history_len, 6);
    });
    world.live(async |engine| {
        pass_ms(1_000).await;
        assert_eq!(redrive(&engine, "t").await, Ok(START_MS + 1_000));
        let running = described(&engine).await;
        assert_eq!((running.row.status, running.row.stop_ms), (Status::Running, None));
        assert_eq!(running.tail.error, None);
        let listed = &running.row.listed;
        assert_eq!((listed.redrives, listed.redriven_ms), (1, Some(START_MS + 1_000)));
    });
    world.live(async |engine| {
        succeed_task(&engine).await;
        let ended = described(&engine).await;
        assert_eq!((ended.row.status, ended.row.stop_ms), (Status::Succeeded, Some(START_MS + 1_000)));
        assert_eq!((ended.row.listed.redrives, ended.tail.output.as_deref()), (1, Some("1")));
        assert_eq!(redrive(&engine, "other").await, Err(Some(NotRedrivable::Succeeded)));
        assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
        let events = engine.history(key(&engine).await).await.expect("a read").events;
        let entered =
            |body: &EventBody| matches!(body, EventBody::StateEntered { kind: StateKind::Task, .. });
        assert_eq!(events.iter().filter(|event| entered(&event.body)).count(), 1);
    });
}

#[test]
fn a_client_token_stands_for_one_redrive() {
    let mut world = World::new(&activity(""));
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        assert_eq!(redrive(&engine, "t").await, Err(Some(NotRedrivable::Running)));
        fail_task(&engine).await;
        pass_ms(10).await;
        let (one, other) = tokio::join!(redrive(&engine, "t"), redrive(&engine, "t"));
        assert_eq!((one, other), (Ok(START_MS + 10), Ok(START_MS + 10)));
        assert_eq!(redrive(&engine, "u").await, Err(Some(NotRedrivable::Running)));
    });
    world.live(async |engine| {
        pass_ms(MINUTE_MS).await;
        assert_eq!(redrive(&engine, "t").await, Ok(START_MS + 10), "also after a crash");
        fail_task(&engine).await;
        assert_eq!(redrive(&engine, "t").await, Ok(START_MS + 10), "also when it has ended again");
        assert_eq!(described(&engine).await.row.status, Status::Failed);
        pass_ms(14 * MINUTE_MS).await;
        assert_eq!(
            redrive(&engine, "t").await,
            Ok(START_MS + 10 + 15 * MINUTE_MS as i64),
            "forgotten by now"
        );
        assert_eq!(described(&engine).await.row.listed.redrives, 2);
    });
}

#[test]
fn the_redrivable_period_ends() {
    let mut world = World::new(FAIL);
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(14 * DAY_MS).await;
        redrive(&engine, "a").await.expect("still");
        let again = described(&engine).await;
        assert_eq!((again.row.status, again.row.listed.redrives), (Status::Failed, 1));
        assert_eq!(again.tail.error.as_deref(), Some("E"));
        pass_ms(14 * DAY_MS + 1).await;
        assert_eq!(redrive(&engine, "b").await, Err(Some(NotRedrivable::TooLate)));
        let reason = described(&engine).await.not_redrivable(engine.clock().now_ms());
        assert_eq!(reason, Some(NotRedrivable::TooLate));
    });
}

#[test]
fn an_execution_is_open_for_a_year() {
    let mut world = World::new(FAIL);
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        for number in 0..28 {
            pass_ms(13 * DAY_MS).await;
            redrive(&engine, &number.to_string()).await.expect("within the year");
        }
        pass_ms(13 * DAY_MS).await;
        assert_eq!(redrive(&engine, "last").await, Err(Some(NotRedrivable::TooLong)));
    });
}

#[test]
fn a_full_history_is_not_redriven() {
    let mut world = World::new(
        r#"{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"S"}],
            "Default":"B"},"B":{"Type":"Pass","Next":"A"},"S":{"Type":"Succeed"}}}"#,
    );
    world.live(async |engine| {
        start(&engine, "e", "{}").await.expect("starts");
        pass_ms(1_000).await;
        let ended = described(&engine).await;
        assert_eq!((ended.row.status, ended.tail.history_len), (Status::Failed, 25_000));
        let reason = Some(NotRedrivable::HistoryFull);
        assert_eq!(ended.not_redrivable(engine.clock().now_ms()), reason);
        assert_eq!(redrive(&engine, "t").await, Err(reason));
    });
}

#[test]
fn timers_of_a_redriven_execution_count_anew() {
    let mut world = World::new(
        r#"{"TimeoutSeconds":5,"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$.s","End":true}}}"#,
    );
    world.live(async |engine| {
        start(&engine, "e", r#"{"s":7}"#).await.expect("starts");
        pass_ms(6_000).await;
        assert_eq!(described(&engine).await.row.status, Status::TimedOut);
        redrive(&engine, "t").await.expect("redriven");
    });
    assert_eq!(world.timers().len(), 2);
    world.live(async |engine| {
        pass_ms(4_999).await;
        assert_eq!(described(&engine).await.row.status, Status::Running);
        pass_ms(2).await;
        assert_eq!(described(&engine).await.row.status, Status::TimedOut);
    });
    assert_eq!(world.timers(), []);
}

/// One definition, and an activity that comes later.
struct Later(AtomicBool);

impl Definitions for Later {
    fn definition(&self, _: &str, _: &str) -> Pending<'_, Result<Option<String>, StoreError>> {
        let after_a_wait = activity("").replace(
            r#"{"StartAt":"T","States":{"#,
            r#"{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","Next":"T"},"#,
        );
        Box::pin(std::future::ready(Ok(Some(after_a_wait))))
    }

    fn has_activity(&self, activity_arn: &str) -> Pending<'_, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(activity_arn != WORK || self.0.load(Ordering::Relaxed))))
    }
}

#[test]
fn an_activity_that_is_not_there_fails_the_execution_until_it_is() {
    for input in ["0", "5"] {
        let mut world = World::new("");
        let definitions = Arc::new(Later(AtomicBool::new(false)));
        world.definitions = Some(definitions.clone());
        world.live(async |engine| {
            start(&engine, "e", input).await.expect("starts");
            pass_ms(6_000).await;
            let ended = described(&engine).await;
            assert_eq!(ended.tail.error.as_deref(), Some("States.Runtime"));
            let cause = format!(
                "An error occurred while executing the state 'T' (entered at the event id #4). The activity {WORK} does not exist."
            );
            assert_eq!(ended.tail.cause.as_deref(), Some(&*cause));
            definitions.0.store(true, Ordering::Relaxed);
            redrive(&engine, "t").await.expect("is redriven");
            succeed_task(&engine).await;
            assert_eq!(described(&engine).await.row.status, Status::Succeeded);
        });
    }
}
