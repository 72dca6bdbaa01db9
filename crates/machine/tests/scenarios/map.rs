//! Parallel and Map states.

use crate::{Reply, Scenario, check, plain};

#[test]
fn branches_run_beside_each_other() {
    check(
        plain(
            r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
            {"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":2,"End":true}}},
            {"StartAt":"B","States":{"B":{"Type":"Pass","Result":"b","End":true}}}],"ResultPath":"$.r","End":true}}}"#,
            r#"{"x":1}"#,
        ),
        &[
            "1<-0 ExecutionStarted {\"x\":1}",
            "2<-0 ParallelStateEntered P {\"x\":1}",
            "3<-2 ParallelStateStarted",
            "4<-3 WaitStateEntered A {\"x\":1}",
            "5<-3 PassStateEntered B {\"x\":1}",
            "6<-5 PassStateExited B \"b\"",
            "@2s 7<-4 WaitStateExited A {\"x\":1}",
            "8<-7 ParallelStateSucceeded",
            "9<-7 ParallelStateExited P {\"x\":1,\"r\":[{\"x\":1},\"b\"]}",
            "10<-9 ExecutionSucceeded {\"x\":1,\"r\":[{\"x\":1},\"b\"]}",
        ],
    );
}

#[test]
fn a_failed_branch_aborts_the_others() {
    let definition = r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[
        {"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":2,"End":true}}},
        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","End":true}}}],
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}"#;
    check(
        Scenario { definition, replies: &[("T", Reply::Fail("E", "why"))], ..Scenario::default() },
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 ParallelStateEntered P {}",
            "3<-2 ParallelStateStarted",
            "4<-3 WaitStateEntered A {}",
            "5<-3 TaskStateEntered T {}",
            "6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "7<-6 LambdaFunctionStarted",
            "8<-7 LambdaFunctionFailed E cause=why",
            "9<-8 WaitStateAborted",
            "10<-8 TaskStateAborted",
            "11<-8 ParallelStateFailed",
            "12<-11 ParallelStateExited P {\"Error\":\"E\",\"Cause\":\"why\"}",
            "13<-12 PassStateEntered C {\"Error\":\"E\",\"Cause\":\"why\"}",
            "14<-13 PassStateExited C {\"Error\":\"E\",\"Cause\":\"why\"}",
            "15<-14 ExecutionSucceeded {\"Error\":\"E\",\"Cause\":\"why\"}",
        ],
    );
}

#[test]
fn slots_of_a_map_are_filled_again() {
    check(
        plain(
            r#"{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},
            "ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$.v","End":true}}},"End":true}}}"#,
            "[2,1,1]",
        ),
        &[
            "1<-0 ExecutionStarted [2,1,1]",
            "2<-0 MapStateEntered M [2,1,1]",
            "3<-2 MapStateStarted length=3",
            "4<-3 MapIterationStarted M index=0",
            "5<-3 MapIterationStarted M index=1",
            "6<-4 WaitStateEntered W {\"i\":0,\"v\":2}",
            "7<-5 WaitStateEntered W {\"i\":1,\"v\":1}",
            "@1s 8<-7 WaitStateExited W {\"i\":1,\"v\":1}",
            "9<-8 MapIterationSucceeded M index=1",
            "10<-8 MapIterationStarted M index=2",
            "11<-10 WaitStateEntered W {\"i\":2,\"v\":1}",
            "@2s 12<-6 WaitStateExited W {\"i\":0,\"v\":2}",
            "13<-12 MapIterationSucceeded M index=0",
            "14<-11 WaitStateExited W {\"i\":2,\"v\":1}",
            "15<-14 MapIterationSucceeded M index=2",
            "16<-15 MapStateSucceeded",
            "17<-15 MapStateExited M [{\"i\":0,\"v\":2},{\"i\":1,\"v\":1},{\"i\":2,\"v\":1}]",
            "18<-17 ExecutionSucceeded [{\"i\":0,\"v\":2},{\"i\":1,\"v\":1},{\"i\":2,\"v\":1}]",
        ],
    );
}

#[test]
fn a_map_over_nothing() {
    check(
        plain(
            r#"{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Pass","End":true}}},"End":true}}}"#,
            "[]",
        ),
        &[
            "1<-0 ExecutionStarted []",
            "2<-0 MapStateEntered M []",
            "3<-2 MapStateStarted length=0",
            "4<-3 MapStateSucceeded",
            "5<-3 MapStateExited M []",
            "6<-5 ExecutionSucceeded []",
        ],
    );
}

#[test]
fn failures_of_children_are_tolerated_up_to_a_limit() {
    let definition = |limits: &str| {
        format!(
            r#"{{"StartAt":"M","States":{{"M":{{"Type":"Map",{limits}"Label":"L","ItemBatcher":{{"MaxItemsPerBatch":2}},
            "ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},"StartAt":"C","States":{{
            "C":{{"Type":"Choice","Choices":[{{"Variable":"$.Items[0]","NumericEquals":3,"Next":"F"}}],"Default":"P"}},
            "F":{{"Type":"Fail","Error":"E"}},"P":{{"Type":"Pass","End":true}}}}}},
            "Catch":[{{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],"Next":"X"}}],"End":true}},"X":{{"Type":"Pass","End":true}}}}}}"#
        )
    };
    check(
        plain(&definition(r#""ToleratedFailureCount":2,"#), "[1,2,3,4,5]"),
        &[
            "1<-0 ExecutionStarted [1,2,3,4,5]",
            "2<-0 MapStateEntered M [1,2,3,4,5]",
            "3<-2 MapStateStarted length=5",
            "4<-3 MapRunStarted mapRunArn=arn:aws:states:us-east-1:111111111111:mapRun:machine/L:ebb8d348-7252-4b0e-b791-2b2c5890493e",
            "5<-4 MapRunSucceeded",
            "6<-5 MapStateSucceeded",
            "7<-4 MapStateExited M [{\"Items\":[1,2]},{\"Status\":\"FAILED\",\"Error\":\"E\"},{\"Items\":[5]}]",
            "8<-7 ExecutionSucceeded [{\"Items\":[1,2]},{\"Status\":\"FAILED\",\"Error\":\"E\"},{\"Items\":[5]}]",
        ],
    );
    check(
        plain(&definition(""), "[1,2,3,4,5]"),
        &[
            "1<-0 ExecutionStarted [1,2,3,4,5]",
            "2<-0 MapStateEntered M [1,2,3,4,5]",
            "3<-2 MapStateStarted length=5",
            "4<-3 MapRunStarted mapRunArn=arn:aws:states:us-east-1:111111111111:mapRun:machine/L:ebb8d348-7252-4b0e-b791-2b2c5890493e",
            "5<-4 MapRunFailed States.ExceedToleratedFailureThreshold cause=The specified tolerated failure threshold was exceeded",
            "6<-5 MapStateFailed",
            "7<-6 MapStateExited M {\"Error\":\"States.ExceedToleratedFailureThreshold\",\"Cause\":\"The specified tolerated failure threshold was exceeded\"}",
            "8<-7 PassStateEntered X {\"Error\":\"States.ExceedToleratedFailureThreshold\",\"Cause\":\"The specified tolerated failure threshold was exceeded\"}",
            "9<-8 PassStateExited X {\"Error\":\"States.ExceedToleratedFailureThreshold\",\"Cause\":\"The specified tolerated failure threshold was exceeded\"}",
            "10<-9 ExecutionSucceeded {\"Error\":\"States.ExceedToleratedFailureThreshold\",\"Cause\":\"The specified tolerated failure threshold was exceeded\"}",
        ],
    );
}

#[test]
fn inner_lines_read_outer_variables() {
    check(
        plain(
            r#"{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"x":1},"Next":"M"},
            "M":{"Type":"Map","Items":[10,20],"MaxConcurrency":1,"ItemProcessor":{"StartAt":"B","States":{
            "B":{"Type":"Pass","Assign":{"y":"{% $x + $states.input %}"},"Next":"C"},"C":{"Type":"Pass","Output":"{% $y %}","End":true}}},
            "Assign":{"total":"{% $sum($states.result) + $x %}"},"Next":"Z"},"Z":{"Type":"Succeed","Output":"{% $total %}"}}}"#,
            "{}",
        ),
        &[
            "1<-0 ExecutionStarted {}",
            "2<-0 PassStateEntered A {}",
            "3<-2 PassStateExited A {} assignedVariables={\"x\":\"1\"}",
            "4<-3 MapStateEntered M {}",
            "5<-4 MapStateStarted length=2",
            "6<-5 MapIterationStarted M index=0",
            "7<-6 PassStateEntered B 10",
            "8<-7 PassStateExited B 10 assignedVariables={\"y\":\"11\"}",
            "9<-8 PassStateEntered C 10",
            "10<-9 PassStateExited C 11",
            "11<-10 MapIterationSucceeded M index=0",
            "12<-10 MapIterationStarted M index=1",
            "13<-12 PassStateEntered B 20",
            "14<-13 PassStateExited B 20 assignedVariables={\"y\":\"21\"}",
            "15<-14 PassStateEntered C 20",
            "16<-15 PassStateExited C 21",
            "17<-16 MapIterationSucceeded M index=1",
            "18<-17 MapStateSucceeded",
            "19<-17 MapStateExited M [11,21] assignedVariables={\"total\":\"33\"}",
            "20<-19 SucceedStateEntered Z [11,21]",
            "21<-20 SucceedStateExited Z 33",
            "22<-21 ExecutionSucceeded 33",
        ],
    );
}
