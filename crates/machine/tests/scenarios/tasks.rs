//! Task states: answers, retries, catchers, deadlines, callbacks, activities.

use stepwright_machine::{Effect, ExecutionKind, Hooks, Input, Outcome, TaskId, history, token};

use crate::harness::{self, Mode, World};
use crate::{Reply, Scenario, check, lines, run};

const RETRY: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
    "Retry":[{"ErrorEquals":["A"],"IntervalSeconds":2,"MaxAttempts":2,"BackoffRate":3},
             {"ErrorEquals":["States.ALL"],"MaxAttempts":1}],
    "Catch":[{"ErrorEquals":["States.TaskFailed"],"ResultPath":"$.error","Next":"C"}],"End":true},
    "C":{"Type":"Pass","End":true}}}"#;

#[test]
fn each_retrier_counts_by_itself() {
    let replies = [
        ("T", Reply::Fail("A", "1")),
        ("T", Reply::Fail("B", "2")),
        ("T", Reply::Fail("A", "3")),
        ("T", Reply::Ok("\"done\"")),
    ];
    check(
        Scenario { definition: RETRY, replies: &replies, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "4<-3 LambdaFunctionStarted",
            "5<-4 LambdaFunctionFailed A cause=1",
            "@2s 6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "7<-6 LambdaFunctionStarted",
            "8<-7 LambdaFunctionFailed B cause=2",
            "@3s 9<-8 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "10<-9 LambdaFunctionStarted",
            "11<-10 LambdaFunctionFailed A cause=3",
            "@9s 12<-11 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "13<-12 LambdaFunctionStarted",
            "14<-13 LambdaFunctionSucceeded \"done\"",
            "15<-14 TaskStateExited T \"done\"",
            "16<-15 ExecutionSucceeded \"done\"",
        ],
    );
}

#[test]
fn used_up_retries_are_caught() {
    let replies = [("T", Reply::Fail("B", "1")), ("T", Reply::Fail("B", "2"))];
    check(
        Scenario { definition: RETRY, input: r#"{"in":1}"#, replies: &replies, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {\"in\":1}",
            "2<-0 TaskStateEntered T {\"in\":1}",
            "3<-2 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {\"in\":1}",
            "4<-3 LambdaFunctionStarted",
            "5<-4 LambdaFunctionFailed B cause=1",
            "@1s 6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {\"in\":1}",
            "7<-6 LambdaFunctionStarted",
            "8<-7 LambdaFunctionFailed B cause=2",
            "9<-8 TaskStateExited T {\"in\":1,\"error\":{\"Error\":\"B\",\"Cause\":\"2\"}}",
            "10<-9 PassStateEntered C {\"in\":1,\"error\":{\"Error\":\"B\",\"Cause\":\"2\"}}",
            "11<-10 PassStateExited C {\"in\":1,\"error\":{\"Error\":\"B\",\"Cause\":\"2\"}}",
            "12<-11 ExecutionSucceeded {\"in\":1,\"error\":{\"Error\":\"B\",\"Cause\":\"2\"}}",
        ],
    );
}

#[test]
fn a_task_times_out() {
    let definition = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage",
        "Parameters":{"QueueUrl":"q","MessageBody":"m"},"TimeoutSeconds":5,"End":true}}}"#;
    check(
        Scenario { definition, replies: &[("T", Reply::Never)], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 TaskScheduled sendMessage {\"QueueUrl\":\"q\",\"MessageBody\":\"m\"} timeoutInSeconds=5",
            "@5s 4<-3 TaskStarted sendMessage",
            "5<-4 TaskTimedOut sendMessage States.Timeout",
            "6<-5 ExecutionFailed States.Timeout",
        ],
    );
    check(
        Scenario { definition, replies: &[("T", Reply::Late(4_999, "{}"))], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 TaskScheduled sendMessage {\"QueueUrl\":\"q\",\"MessageBody\":\"m\"} timeoutInSeconds=5",
            "@4.999s 4<-3 TaskStarted sendMessage",
            "5<-4 TaskSucceeded sendMessage {}",
            "6<-5 TaskStateExited T {}",
            "7<-6 ExecutionSucceeded {}",
        ],
    );
}

const CALLBACK: &str = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters":{"QueueUrl":"q","MessageBody":{"t.$":"States.ArrayLength(States.StringSplit($$.Task.Token, '?'))"}},
    "HeartbeatSeconds":10,"TimeoutSeconds":60,"End":true}}}"#;

#[test]
fn callbacks_that_do_not_come() {
    let replies = [("T", Reply::Submitted("{\"id\":1}"))];
    // What comes after the end changes nothing.
    let output = stepwright_value::Document::parse("[1]").expect("JSON");
    let inputs = [Input::TaskSucceeded { task: TaskId(1), output }];
    check(
        Scenario { definition: CALLBACK, replies: &replies, inputs: &inputs, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 TaskScheduled sendMessage.waitForTaskToken {\"QueueUrl\":\"q\",\"MessageBody\":{\"t\":1}} timeoutInSeconds=60 heartbeatInSeconds=10",
            "4<-3 TaskStarted sendMessage.waitForTaskToken",
            "5<-4 TaskSubmitted sendMessage.waitForTaskToken {\"id\":1}",
            "@10s 6<-5 TaskTimedOut sendMessage.waitForTaskToken States.HeartbeatTimeout",
            "7<-6 ExecutionFailed States.HeartbeatTimeout",
        ],
    );
}

#[test]
fn heartbeats_move_the_deadline() {
    for mode in [Mode::Stepwise, Mode::CrashAfterEachStep, Mode::InPieces, Mode::Debugged] {
        let program = harness::compile(CALLBACK).expect("definition");
        let mut world = World::new(program, harness::identity("{}", ExecutionKind::Standard), mode);
        let task = TaskId(1);
        world.step(Input::Start, &mut |_| vec![]);
        let events = world.events.len();
        for second in [8, 16, 24] {
            world.now_ms = harness::START_MS + second * 1000;
            world.step(Input::Heartbeat { task }, &mut |_| vec![]);
        }
        assert_eq!(world.events.len(), events, "heartbeats leave no events");
        world.run_on(&mut |_| vec![]);
        let end = lines::of(&world).pop().unwrap_or_default();
        assert_eq!(end, "6<-5 ExecutionFailed States.HeartbeatTimeout");
        assert_eq!(world.now_ms - harness::START_MS, 34_000);
    }
}

#[test]
fn tokens_are_known_by_their_hash() {
    let definition = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters":{"QueueUrl":"q","MessageBody.$":"$$.Task.Token"},"End":true}}}"#;
    let world = run(Scenario { definition, ..Scenario::default() }, Mode::CrashAfterEachStep);
    let Some(Effect::Dispatch(call)) = world.effects.first() else { panic!("{:?}", world.effects) };
    let text = call.parameters.value().get("MessageBody").and_then(|text| text.as_str()).expect("token");
    assert_eq!(world.execution.task_for_token(&token::hash(text)), Some(call.task));
    assert_eq!(world.execution.task_for_token(&token::hash("x")), None);
    assert_eq!(token::TaskToken::parse(text).map(|token| token.task), Some(call.task));
    // Made again after a crash, the call is the same.
    let again = world.execution.outstanding();
    assert_eq!(again, vec![Effect::Dispatch(call.clone())]);
}

#[test]
fn activities() {
    let definition = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:us-east-1:111111111111:activity:a",
        "TimeoutSeconds":30,"HeartbeatSeconds":10,"End":true}}}"#;
    // Nobody takes it.
    check(
        Scenario { definition, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 ActivityScheduled arn:aws:states:us-east-1:111111111111:activity:a {} timeoutInSeconds=30 heartbeatInSeconds=10",
            "@30s 4<-3 ActivityTimedOut States.Timeout",
            "5<-4 ExecutionFailed States.Timeout",
        ],
    );
    let untimed = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:us-east-1:111111111111:activity:a","End":true}}}"#;
    let task = TaskId(1);
    let output = stepwright_value::Document::parse("{\"r\":1}").expect("JSON");
    let inputs = [
        Input::ActivityStarted { task, worker_name: Some("w".into()), token_hash: [7; 32] },
        Input::ActivityStarted { task, worker_name: Some("late".into()), token_hash: [8; 32] },
        Input::TaskSucceeded { task, output },
    ];
    check(
        Scenario { definition: untimed, inputs: &inputs, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 ActivityScheduled arn:aws:states:us-east-1:111111111111:activity:a {}",
            "4<-3 ActivityStarted workerName=w",
            "5<-4 ActivitySucceeded {\"r\":1}",
            "6<-5 TaskStateExited T {\"r\":1}",
            "7<-6 ExecutionSucceeded {\"r\":1}",
        ],
    );
}

#[test]
fn an_activity_that_is_not_there() {
    let arn = "arn:aws:states:us-east-1:111111111111:activity:a";
    let definition = format!(
        r#"{{"StartAt":"W","States":{{"W":{{"Type":"Pass","Next":"T"}},"T":{{"Type":"Task","Resource":"{arn}",
            "Retry":[{{"ErrorEquals":["States.ALL"]}}],"Catch":[{{"ErrorEquals":["States.ALL"],"Next":"W"}}],"End":true}}}}}}"#
    );
    for (missing, expected) in [
        (vec![arn.into()], "ExecutionFailed"),
        (vec!["arn:aws:states:us-east-1:111111111111:activity:other".into()], "ActivityScheduled"),
    ] {
        let program = harness::compile(&definition).expect("definition");
        let identity = harness::identity("{}", ExecutionKind::Standard);
        let mut execution = World::new(program, identity, Mode::Stepwise).execution;
        let hooks = Hooks { missing_activities: &missing, ..Hooks::default() };
        let step = execution.step_with(Input::Start, harness::START_MS, &mut || 7, hooks).expect("a step");
        let last = step.events.last().expect("events");
        assert_eq!((history::type_name(last).as_deref(), last.id), (Some(expected), 5));
        if let Some(Outcome::Failed(failure)) = execution.outcome() {
            assert_eq!(failure.name(), "States.Runtime");
            let cause = format!(
                "An error occurred while executing the state 'T' (entered at the event id #4). The activity {arn} does not exist."
            );
            assert_eq!(failure.cause.as_deref(), Some(&*cause));
        }
    }
}
