//! States that cannot do their work, and the limits.

use crate::harness::Mode;
use crate::{Reply, Scenario, check, lines, plain, run};

#[test]
fn runtime_errors_are_never_caught() {
    check(
        plain(
            r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"$.no","End":true}}}],
            "Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}"#,
            "{}",
        ),
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 ParallelStateEntered P {}",
            "3<-2 ParallelStateStarted",
            "4<-3 PassStateEntered A {}",
            "5<-4 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'A' (entered at the event id #4). Invalid path '$.no' : No results for path: $['no']",
        ],
    );
}

#[test]
fn evaluation_errors_are_caught() {
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage",
        "Arguments":{"QueueUrl":"q","MessageBody":"m"},"Output":{"a":"{% $states.result.nothing %}"},
        "Catch":[{"ErrorEquals":["States.QueryEvaluationError"],"Output":"{% $states.errorOutput.Error %}","Next":"C"}],"End":true},
        "C":{"Type":"Pass","End":true}}}"#;
    check(
        Scenario { definition, replies: &[("T", Reply::Ok("{}"))], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 TaskStateEntered T {}",
            "3<-2 TaskScheduled sendMessage {\"QueueUrl\":\"q\",\"MessageBody\":\"m\"}",
            "4<-3 TaskStarted sendMessage",
            "5<-4 TaskSucceeded sendMessage {}",
            "6<-5 EvaluationFailed States.QueryEvaluationError cause=An error occurred while executing the state 'T' (entered at the event id #2). The JSONata expression '$states.result.nothing' specified for the field 'Output/a' returned nothing (undefined). location=Output/a state=T",
            "7<-6 TaskStateExited T \"States.QueryEvaluationError\"",
            "8<-7 PassStateEntered C \"States.QueryEvaluationError\"",
            "9<-8 PassStateExited C \"States.QueryEvaluationError\"",
            "10<-9 ExecutionSucceeded \"States.QueryEvaluationError\"",
        ],
    );
}

#[test]
fn a_result_has_its_place() {
    check(
        plain(
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"ResultPath":"$.a.b","End":true}}}"#,
            r#"{"a":5}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"a\":5}",
            "2<-0 PassStateEntered A {\"a\":5}",
            "3<-2 ExecutionFailed States.ResultPathMatchFailure cause=An error occurred while executing the state 'A' (entered at the event id #2). Unable to apply ReferencePath $.a.b to input {\"a\":5}",
        ],
    );
}

#[test]
fn large_results() {
    let definition =
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"End":true}}}"#;
    let input = format!("\"{}\"", "x".repeat(140_000));
    let world = run(plain(definition, &input), Mode::CrashAfterEachStep);
    let last = lines::of(&world).pop().unwrap_or_default();
    assert_eq!(
        last,
        "3<-2 ExecutionFailed States.DataLimitExceeded cause=The state/task 'A' returned a result with a size exceeding the \
         maximum number of bytes service limit."
    );
}

#[test]
fn event_25000_is_the_failure() {
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}"#;
    let world = run(plain(definition, "{}"), Mode::Stepwise);
    let lines = lines::of(&world);
    assert_eq!(lines.len(), 25_000);
    assert_eq!(
        lines[24_999],
        "25000<-24999 ExecutionFailed States.Runtime cause=The execution reached the maximum number of history events (25000)."
    );
}

#[test]
fn what_is_too_deep_to_be_read_back_fails() {
    let definition = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$"},"Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}"#;
    let world = run(plain(definition, "1"), Mode::CrashAfterEachStep);
    let last = lines::of(&world).pop().unwrap_or_default();
    assert!(last.contains("States.Runtime"), "{last}");
    assert!(last.ends_with("The output is nested deeper than the limit of 512 levels."), "{last}");
}
