//! Ends from outside, redrives, and what a debugger does.

use stepwright_machine::Input;

use crate::{Reply, Scenario, check, plain};

const NESTED: &str = r#"{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"ItemProcessor":{"StartAt":"T","States":{
    "T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}}},"End":true}}}"#;

#[test]
fn stop() {
    let inputs =
        [Input::Stop { error: Some("E".into()), cause: None }, Input::Stop { error: None, cause: None }];
    check(
        Scenario { definition: NESTED, input: "[1,2,3]", inputs: &inputs, ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted [1,2,3]",
            "2<-0 MapStateEntered M [1,2,3]",
            "3<-2 MapStateStarted length=3",
            "4<-3 MapIterationStarted M index=0",
            "5<-3 MapIterationStarted M index=1",
            "6<-4 TaskStateEntered T 1",
            "7<-6 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 1",
            "8<-5 TaskStateEntered T 2",
            "9<-8 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 2",
            "10<-0 ExecutionAborted E",
        ],
    );
}

#[test]
fn whoever_runs_it_cannot_go_on() {
    let fail = Input::Fail { error: "States.Runtime".into(), cause: Some("No room.".into()) };
    check(
        Scenario { definition: NESTED, input: "[1]", inputs: &[fail.clone(), fail], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted [1]",
            "2<-0 MapStateEntered M [1]",
            "3<-2 MapStateStarted length=1",
            "4<-3 MapIterationStarted M index=0",
            "5<-4 TaskStateEntered T 1",
            "6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 1",
            "7<-6 ExecutionFailed States.Runtime cause=No room.",
        ],
    );
}

#[test]
fn the_machine_times_out() {
    check(
        plain(
            r#"{"TimeoutSeconds":5,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}}"#,
            "{}",
        ),
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 WaitStateEntered W {}",
            "@5s 3<-0 ExecutionTimedOut States.Timeout",
        ],
    );
}

#[test]
fn a_redrive_repeats_what_failed() {
    let replies = [
        ("T", Reply::Ok("1")),
        ("T", Reply::Fail("E", "why")),
        ("T", Reply::Ok("2")),
        ("T", Reply::Ok("3")),
        ("T", Reply::Ok("4")),
    ];
    let inputs = [Input::Redrive { token_hash: None }];
    check(
        Scenario { definition: NESTED, input: "[1,2,3]", replies: &replies, inputs: &inputs },
        &[
            "1<-0 ExecutionStarted [1,2,3]",
            "2<-0 MapStateEntered M [1,2,3]",
            "3<-2 MapStateStarted length=3",
            "4<-3 MapIterationStarted M index=0",
            "5<-3 MapIterationStarted M index=1",
            "6<-4 TaskStateEntered T 1",
            "7<-6 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 1",
            "8<-5 TaskStateEntered T 2",
            "9<-8 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 2",
            "10<-7 LambdaFunctionStarted",
            "11<-10 LambdaFunctionSucceeded 1",
            "12<-11 TaskStateExited T 1",
            "13<-12 MapIterationSucceeded M index=0",
            "14<-12 MapIterationStarted M index=2",
            "15<-14 TaskStateEntered T 3",
            "16<-15 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 3",
            "17<-9 LambdaFunctionStarted",
            "18<-17 LambdaFunctionFailed E cause=why",
            "19<-18 MapIterationFailed M index=1",
            "20<-18 TaskStateAborted",
            "21<-18 MapIterationAborted M index=2",
            "22<-18 TaskStateAborted",
            "23<-18 MapStateFailed",
            "24<-23 ExecutionFailed E cause=why",
            "25<-24 ExecutionRedriven redriveCount=1",
            "26<-25 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 2",
            "27<-25 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 3",
            "28<-26 LambdaFunctionStarted",
            "29<-28 LambdaFunctionSucceeded 3",
            "30<-29 TaskStateExited T 3",
            "31<-30 MapIterationSucceeded M index=1",
            "32<-27 LambdaFunctionStarted",
            "33<-32 LambdaFunctionSucceeded 4",
            "34<-33 TaskStateExited T 4",
            "35<-34 MapIterationSucceeded M index=2",
            "36<-35 MapStateSucceeded",
            "37<-35 MapStateExited M [1,3,4]",
            "38<-37 ExecutionSucceeded [1,3,4]",
        ],
    );
}
