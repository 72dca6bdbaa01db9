//! EXPRESS executions: their limit, that nothing of them is stored, and what is kept for inspection.

use stepwright_engine::StartError;
use stepwright_machine::{Outcome, Status, history};

use super::{MACHINE, World, pass_ms, request, start};

const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","End":true}}}"#;

fn types(ended: &stepwright_engine::RecentExpress) -> Vec<String> {
    ended.history.events().iter().filter_map(history::type_name).collect()
}

#[test]
fn five_minutes_are_the_limit() {
    let mut world = World::new(WAIT);
    world.live(async |engine| {
        for (seconds, expected) in [("299", "WaitStateExited"), ("301", "WaitStateEntered")] {
            let started = engine.start_express(request("e", seconds)).await.expect("starts");
            let (arn, start_ms) = (started.execution_arn.clone(), started.start_ms);
            let outcome = started.outcome().await.expect("an outcome");
            let ended = engine.recent_express_execution(&arn).expect("kept");
            assert_eq!((ended.status, ended.name()), (outcome.status(), "e"));
            assert!(types(&ended).iter().any(|name| name == expected), "{:?}", types(&ended));
            match seconds {
                "299" => assert!(matches!(outcome, Outcome::Succeeded { .. })),
                _ => {
                    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
                    assert_eq!(ended.stop_ms - start_ms, 300_000);
                    assert_eq!(types(&ended).last().map(String::as_str), Some("ExecutionTimedOut"));
                }
            }
        }
    });
}

#[test]
fn a_shorter_limit_of_the_machine_counts() {
    let mut world = World::new(&WAIT.replacen('{', r#"{"TimeoutSeconds":2,"#, 1));
    world.live(async |engine| {
        let started = engine.start_express(request("e", "9")).await.expect("starts");
        let arn = started.execution_arn.clone();
        assert!(matches!(started.outcome().await, Some(Outcome::TimedOut(_))));
        let ended = engine.recent_express_execution(&arn).expect("kept");
        assert_eq!(ended.stop_ms - ended.start_ms, 2_000);
    });
}

#[test]
fn nothing_is_stored_and_the_newest_are_kept_first() {
    let mut world = World::new(WAIT);
    world.live(async |engine| {
        let first = engine.start_express(request("same", "1")).await.expect("starts");
        let second = engine.start_express(request("same", "0")).await.expect("starts: names are not unique");
        assert_ne!(first.execution_arn, second.execution_arn);
        let (first_arn, second_arn) = (first.execution_arn.clone(), second.execution_arn.clone());
        assert!(engine.recent_express_execution(&first_arn).is_none(), "it runs");
        // Nobody waits for the first one; it goes on all the same.
        drop(first);
        second.outcome().await.expect("an outcome");
        pass_ms(1_100).await;
        let arns = |machine_arn: Option<&str>| -> Vec<_> {
            let recent = engine.recent_express(machine_arn, 9);
            recent.iter().map(|ended| ended.execution_arn.clone()).collect()
        };
        assert_eq!(arns(None), [first_arn.clone(), second_arn]);
        assert_eq!(arns(Some(MACHINE)).len(), 2);
        assert!(arns(Some("another")).is_empty());
        let ended = engine.recent_express_execution(&first_arn).expect("kept");
        assert_eq!(
            types(&ended),
            ["ExecutionStarted", "WaitStateEntered", "WaitStateExited", "ExecutionSucceeded"]
        );
        assert!(!ended.history.is_truncated());
        assert_eq!(engine.gauges().map(|(_, count)| count), [0; 5]);
        // A STANDARD execution is not among them.
        start(&engine, "standard", "0").await.expect("starts");
        pass_ms(10).await;
        assert_eq!(arns(None).len(), 2);
    });
    assert_eq!(world.timers(), []);
    world.live(async |engine| assert!(engine.recent_express(None, 9).is_empty()));
}

/// Grows by what each item of its input leads to.
const GROWING: &str = r#"{"QueryLanguage":"JSONata","StartAt":"W","States":{
    "W":{"Type":"Wait","Seconds":1,"Next":"M"},
    "M":{"Type":"Map","Items":"{% [1..100] %}","ItemSelector":"{% $states.input %}","End":true,
         "ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Wait","Seconds":10,"Output":1,"End":true}}}}}}"#;

fn payload(bytes: usize) -> String {
    format!("\"{}\"", "x".repeat(bytes))
}

#[test]
fn memory_is_bounded_whatever_they_hold() {
    let mut world = World::new(r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9,"End":true}}}"#);
    world.express_bytes_max = 8 << 20;
    world.live(async |engine| {
        for (bytes, least, most) in [(0, 1_500, 1_700), (250_000, 8, 20), (0, 1_500, 1_700)] {
            let mut running = Vec::new();
            let refused = loop {
                match engine.start_express(request("e", &payload(bytes))).await {
                    Ok(started) => running.push(started),
                    Err(error) => break error,
                }
            };
            assert!(matches!(refused, StartError::TooMany), "{refused}");
            assert!((least..most).contains(&running.len()), "{bytes}: {}", running.len());
            // All of it is given back.
            for started in running {
                assert!(matches!(started.outcome().await, Some(Outcome::Succeeded { .. })));
            }
        }
    });
}

#[test]
fn one_that_outgrows_the_memory_fails() {
    let mut world = World::new(GROWING);
    world.express_bytes_max = 8 << 20;
    world.live(async |engine| {
        let small = engine.start_express(request("small", &payload(10))).await.expect("starts");
        let large = engine.start_express(request("large", &payload(100_000))).await.expect("starts");
        let arn = large.execution_arn.clone();
        let Some(Outcome::Failed(failure)) = large.outcome().await else { panic!("it fails") };
        assert_eq!(failure.error.as_deref(), Some("States.Runtime"));
        assert!(failure.cause.as_deref().is_some_and(|cause| cause.contains("memory")), "{failure:?}");
        assert_eq!(engine.recent_express_execution(&arn).expect("kept").status, Status::Failed);
        assert!(matches!(small.outcome().await, Some(Outcome::Succeeded { .. })));
    });
    assert_eq!(world.timers(), []);
}
