//! Histories that others measured on AWS and described in public. Each test names where.

use crate::{Reply, Scenario, check, plain};

/// <https://github.com/floci-io/floci/issues/2733> and <https://github.com/floci-io/floci/issues/2965>: what ends from outside
/// leaves one event, which points to none; <https://github.com/floci-io/floci/pull/2782> the same for lines below.
#[test]
fn an_end_from_outside_is_one_event() {
    check(
        plain(
            r#"{"StartAt":"P","TimeoutSeconds":2,"States":{"P":{"Type":"Parallel","Branches":[
                {"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":25,"End":true}}},
                {"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":25,"End":true}}}],"End":true}}}"#,
            "{}",
        ),
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 ParallelStateEntered P {}",
            "3<-2 ParallelStateStarted",
            "4<-3 WaitStateEntered A {}",
            "5<-3 WaitStateEntered B {}",
            "@2s 6<-0 ExecutionTimedOut States.Timeout",
        ],
    );
}

/// <https://github.com/floci-io/floci/issues/2868>: `States.Runtime` in a branch or an iteration ends the execution there and
/// then; nothing is said of the state around it, nor of what ran beside it.
#[test]
fn runtime_errors_end_it_where_they_are() {
    check(
        plain(
            r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
                {"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":9,"End":true}}},
                {"StartAt":"F","States":{"F":{"Type":"Pass","Parameters":{"m.$":"$.nope"},"End":true}}}],
                "Retry":[{"ErrorEquals":["States.ALL"]}],"End":true}}}"#,
            r#"{"x":"a"}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"x\":\"a\"}",
            "2<-0 ParallelStateEntered P {\"x\":\"a\"}",
            "3<-2 ParallelStateStarted",
            "4<-3 WaitStateEntered W {\"x\":\"a\"}",
            "5<-3 PassStateEntered F {\"x\":\"a\"}",
            "6<-5 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'F' (entered at the event id #5). The JSONPath '$.nope' specified for the field 'm.$' could not be found in the input '{\"x\":\"a\"}'",
        ],
    );
    check(
        plain(
            r#"{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{"StartAt":"F","States":{
                "F":{"Type":"Pass","InputPath":"$.nope","End":true}}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],
                "End":true},"C":{"Type":"Pass","End":true}}}"#,
            "[{},2]",
        ),
        &[
            "1<-0 ExecutionStarted [{},2]",
            "2<-0 MapStateEntered M [{},2]",
            "3<-2 MapStateStarted length=2",
            "4<-3 MapIterationStarted M index=0",
            "5<-4 PassStateEntered F {}",
            "6<-5 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'F' (entered at the event id #5). Invalid path '$.nope' : No results for path: $['nope']",
        ],
    );
}

/// The same report: a Parallel state whose own fields fail after its branches have ended.
#[test]
fn a_join_whose_own_fields_fail() {
    check(
        plain(
            r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
                {"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}],"ResultSelector":{"m.$":"$.nope"},"End":true}}}"#,
            "1",
        ),
        &[
            "1<-0 ExecutionStarted 1",
            "2<-0 ParallelStateEntered P 1",
            "3<-2 ParallelStateStarted",
            "4<-3 PassStateEntered A 1",
            "5<-4 PassStateExited A 1",
            "6<-5 ParallelStateSucceeded",
            "7<-6 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'P' (entered at the event id #2). The JSONPath '$.nope' specified for the field 'm.$' could not be found in the input '[1]'",
        ],
    );
}

/// <https://github.com/floci-io/floci> `StepFunctionsMapIterationFailureIntegrationTest` (measured in ap-northeast-1): the
/// iterations in their order, the one that failed in its place, all pointing to the failure.
#[test]
fn iterations_are_aborted_in_their_order() {
    check(
        plain(
            r#"{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"R","States":{
                "R":{"Type":"Choice","Choices":[{"Variable":"$","StringEquals":"fail","Next":"F"}],"Default":"L"},
                "L":{"Type":"Wait","Seconds":15,"End":true},"F":{"Type":"Fail","Error":"Boom"}}},"End":true}}}"#,
            r#"["long","fail","long"]"#,
        ),
        &[
            "1<-0 ExecutionStarted [\"long\",\"fail\",\"long\"]",
            "2<-0 MapStateEntered M [\"long\",\"fail\",\"long\"]",
            "3<-2 MapStateStarted length=3",
            "4<-3 MapIterationStarted M index=0",
            "5<-3 MapIterationStarted M index=1",
            "6<-3 MapIterationStarted M index=2",
            "7<-4 ChoiceStateEntered R \"long\"",
            "8<-7 ChoiceStateExited R \"long\"",
            "9<-8 WaitStateEntered L \"long\"",
            "10<-5 ChoiceStateEntered R \"fail\"",
            "11<-10 ChoiceStateExited R \"fail\"",
            "12<-11 FailStateEntered F \"fail\"",
            "13<-12 MapIterationAborted M index=0",
            "14<-12 WaitStateAborted",
            "15<-12 MapIterationFailed M index=1",
            "16<-12 MapIterationAborted M index=2",
            "17<-12 MapStateFailed",
            "18<-17 ExecutionFailed Boom",
        ],
    );
}

/// <https://github.com/floci-io/floci/issues/2868>: a task whose failure ends its branch is aborted; the catcher of the state
/// around it names its own place when its output fails.
#[test]
fn a_failed_task_of_a_branch_is_aborted() {
    let definition = r#"{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}}}],
        "Catch":[{"ErrorEquals":["Other"],"Next":"C"},{"ErrorEquals":["States.ALL"],"Output":"{% $nope %}","Next":"C"}],
        "End":true},"C":{"Type":"Pass","End":true}}}"#;
    check(
        Scenario { definition, replies: &[("T", Reply::Fail("E", "why"))], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 ParallelStateEntered P {}",
            "3<-2 ParallelStateStarted",
            "4<-3 TaskStateEntered T {}",
            "5<-4 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "6<-5 LambdaFunctionStarted",
            "7<-6 LambdaFunctionFailed E cause=why",
            "8<-7 TaskStateAborted",
            "9<-7 ParallelStateFailed",
            "10<-7 EvaluationFailed States.QueryEvaluationError cause=An error occurred while executing the state 'P' (entered at the event id #2). The JSONata expression '$nope' specified for the field 'Catch[1]/Output' returned nothing (undefined). location=Catch[1]/Output state=P",
            "11<-10 ParallelStateFailed",
            "12<-11 ExecutionFailed States.QueryEvaluationError cause=An error occurred while executing the state 'P' (entered at the event id #2). The JSONata expression '$nope' specified for the field 'Catch[1]/Output' returned nothing (undefined).",
        ],
    );
}
