//! Redrives: what goes on, state type by state type, and what does not happen again.

use stepwright_machine::{Input, Owner, StepError};

use crate::harness::Mode;
use crate::{Reply, Scenario, lines, plain, run};

const REDRIVE: Input = Input::Redrive { token_hash: None };
const STOP: Input = Input::Stop { error: None, cause: None };

/// A machine with these states that begins with `A`.
fn machine(states: &str) -> String {
    format!(r#"{{"StartAt":"A","States":{{{states}}}}}"#)
}

/// A Task state.
fn task(name: &str, more: &str) -> String {
    format!(
        r#""{name}":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",{more}}}"#
    )
}

/// A scenario that is redriven once.
fn redriven<'a>(definition: &'a str, replies: &'a [(&'static str, Reply)]) -> Scenario<'a> {
    Scenario { definition, replies, inputs: &[REDRIVE], ..Scenario::default() }
}

/// As [`crate::check`], from the first redrive on.
#[track_caller]
fn check_redriven(scenario: Scenario<'_>, expected: &[&str]) {
    for mode in [Mode::Stepwise, Mode::CrashAfterEachStep, Mode::InPieces, Mode::Debugged] {
        let found = lines::of(&run(scenario, mode));
        let from = found.iter().position(|line| line.contains("ExecutionRedriven")).unwrap_or(0);
        assert_eq!(&found[from..], expected, "{mode:?}\nfound:\n    {}", crate::quoted(&found[from..]));
    }
}

#[test]
fn retry_counts_begin_anew() {
    let retry = r#""Retry":[{"ErrorEquals":["E"],"MaxAttempts":1,"IntervalSeconds":1}],"End":true"#;
    let fail = ("A", Reply::Fail("E", "c"));
    let replies = [fail, fail, fail, ("A", Reply::Ok("1"))];
    check_redriven(
        redriven(&machine(&task("A", retry)), &replies),
        &[
            "10<-9 ExecutionRedriven redriveCount=1",
            "11<-10 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "12<-11 LambdaFunctionStarted",
            "13<-12 LambdaFunctionFailed E cause=c",
            "@2s 14<-13 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "15<-14 LambdaFunctionStarted",
            "16<-15 LambdaFunctionSucceeded 1",
            "17<-16 TaskStateExited A 1",
            "18<-17 ExecutionSucceeded 1",
        ],
    );
}

#[test]
fn a_fail_state_is_entered_again() {
    let definition = machine(r#""A":{"Type":"Pass","Next":"F"},"F":{"Type":"Fail","Error":"E"}"#);
    check_redriven(
        Scenario { inputs: &[REDRIVE, REDRIVE], ..plain(&definition, "{}") },
        &[
            "6<-5 ExecutionRedriven redriveCount=1",
            "7<-6 FailStateEntered F {}",
            "8<-7 ExecutionFailed E",
            "9<-8 ExecutionRedriven redriveCount=2",
            "10<-9 FailStateEntered F {}",
            "11<-10 ExecutionFailed E",
        ],
    );
}

#[test]
fn a_choice_is_evaluated_again() {
    let definition = machine(
        r#""A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"B"}]},"B":{"Type":"Pass","End":true}"#,
    );
    check_redriven(
        redriven(&definition, &[]),
        &[
            "4<-3 ExecutionRedriven redriveCount=1",
            "5<-4 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'A' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.",
        ],
    );
}

#[test]
fn a_wait_waits_again_and_the_execution_has_its_time_again() {
    let states = r#""A":{"Type":"Wait","SecondsPath":"$.s","End":true}"#;
    let definition = format!(r#"{{"TimeoutSeconds":5,"StartAt":"A","States":{{{states}}}}}"#);
    let scenario = plain(&definition, r#"{"s":7}"#);
    check_redriven(
        Scenario { inputs: &[REDRIVE], ..scenario },
        &["4<-3 ExecutionRedriven redriveCount=1", "@10s 5<-0 ExecutionTimedOut States.Timeout"],
    );
}

#[test]
fn a_wait_for_a_time_that_has_passed_is_over() {
    let states = r#""A":{"Type":"Wait","Timestamp":"2024-10-27T03:33:28Z","End":true}"#;
    let definition = format!(r#"{{"TimeoutSeconds":5,"StartAt":"A","States":{{{states}}}}}"#);
    for mode in [Mode::Stepwise, Mode::CrashAfterEachStep] {
        let mut world = run(plain(&definition, "{}"), mode);
        world.now_ms += 60_000;
        world.step(REDRIVE, &mut |_| vec![]);
        let found = lines::of(&world);
        assert_eq!(found[4..], ["5<-4 WaitStateExited A {}", "6<-5 ExecutionSucceeded {}"]);
    }
}

#[test]
fn a_result_that_was_too_large_is_made_anew() {
    let branch = format!(r#"{{"StartAt":"T","States":{{{}}}}}"#, task("T", r#""End":true"#));
    let other = branch.replace("\"T\"", "\"U\"");
    let definition =
        machine(&format!(r#""A":{{"Type":"Parallel","Branches":[{branch},{other}],"End":true}}"#));
    let large: &str = Box::leak(format!("\"{}\"", "x".repeat(200_000)).into_boxed_str());
    let replies =
        [("T", Reply::Ok(large)), ("U", Reply::Ok(large)), ("T", Reply::Ok("1")), ("U", Reply::Ok("2"))];
    check_redriven(
        redriven(&definition, &replies),
        &[
            "16<-15 ExecutionRedriven redriveCount=1",
            "17<-16 ParallelStateStarted",
            "18<-17 TaskStateEntered T {}",
            "19<-18 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "20<-17 TaskStateEntered U {}",
            "21<-20 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "22<-19 LambdaFunctionStarted",
            "23<-22 LambdaFunctionSucceeded 1",
            "24<-23 TaskStateExited T 1",
            "25<-21 LambdaFunctionStarted",
            "26<-25 LambdaFunctionSucceeded 2",
            "27<-26 TaskStateExited U 2",
            "28<-27 ParallelStateSucceeded",
            "29<-27 ParallelStateExited A [1,2]",
            "30<-29 ExecutionSucceeded [1,2]",
        ],
    );
}

#[test]
fn what_runs_or_has_succeeded_is_not_redriven() {
    let definition = machine(&task("A", r#""End":true"#));
    for reply in [Reply::Never, Reply::Ok("1")] {
        let replies = [("A", reply)];
        let scenario = Scenario { replies: &replies, ..plain(&definition, "{}") };
        let mut world = run(scenario, Mode::Stepwise);
        let refused = world.execution.step(REDRIVE, world.now_ms, &mut || 0);
        assert_eq!(refused, Err(StepError::NotRedrivable));
    }
}

#[test]
fn the_last_ten_client_tokens_are_known() {
    let definition = machine(r#""A":{"Type":"Fail"}"#);
    for mode in [Mode::Stepwise, Mode::CrashAfterEachStep, Mode::InPieces, Mode::Debugged] {
        let mut world = run(plain(&definition, "{}"), mode);
        for number in 0..12 {
            world.now_ms += 1_000;
            world.step(Input::Redrive { token_hash: Some([number; 32]) }, &mut |_| vec![]);
        }
        let known: Vec<u8> =
            (0..13).filter(|number| world.execution.redriven_with(&[*number; 32]).is_some()).collect();
        assert_eq!(known, (2..12).collect::<Vec<u8>>());
        assert_eq!(world.execution.redrive_count(), 12);
        assert_eq!(world.execution.redriven_with(&[11; 32]), world.execution.redrive_ms());
    }
}

#[test]
fn aborted_during_a_retry_wait() {
    let definition = format!(
        r#"{{"TimeoutSeconds":5,"StartAt":"A","States":{{{}}}}}"#,
        task("A", r#""Retry":[{"ErrorEquals":["E"],"IntervalSeconds":60}],"End":true"#)
    );
    let replies = [("A", Reply::Fail("E", "c")), ("A", Reply::Ok("1"))];
    check_redriven(
        redriven(&definition, &replies),
        &[
            "7<-6 ExecutionRedriven redriveCount=1",
            "8<-7 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "9<-8 LambdaFunctionStarted",
            "10<-9 LambdaFunctionSucceeded 1",
            "11<-10 TaskStateExited A 1",
            "12<-11 ExecutionSucceeded 1",
        ],
    );
}

#[test]
fn aborted_in_the_middle_of_a_task() {
    let replies = [("A", Reply::Never), ("A", Reply::Ok("1"))];
    let definition = machine(&task("A", r#""TimeoutSeconds":9,"End":true"#));
    // The machine runs until its task times out.
    check_redriven(
        redriven(&definition, &replies),
        &[
            "7<-6 ExecutionRedriven redriveCount=1",
            "8<-7 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {} timeoutInSeconds=9",
            "9<-8 LambdaFunctionStarted",
            "10<-9 LambdaFunctionSucceeded 1",
            "11<-10 TaskStateExited A 1",
            "12<-11 ExecutionSucceeded 1",
        ],
    );
    let definition = machine(&task("A", r#""End":true"#));
    check_redriven(
        Scenario { inputs: &[STOP, REDRIVE], ..redriven(&definition, &replies) },
        &[
            "5<-4 ExecutionRedriven redriveCount=1",
            "6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "7<-6 LambdaFunctionStarted",
            "8<-7 LambdaFunctionSucceeded 1",
            "9<-8 TaskStateExited A 1",
            "10<-9 ExecutionSucceeded 1",
        ],
    );
}

#[test]
fn one_that_was_held_when_it_was_stopped_is_let_go() {
    let definition = machine(&task("A", r#""End":true"#));
    let replies = [("A", Reply::Never), ("A", Reply::Ok("1"))];
    let pause = Input::Hold { owner: Owner::Debugger, line: None };
    check_redriven(
        Scenario { inputs: &[pause, STOP, REDRIVE], ..redriven(&definition, &replies) },
        &[
            "5<-4 ExecutionRedriven redriveCount=1",
            "6<-5 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "7<-6 LambdaFunctionStarted",
            "8<-7 LambdaFunctionSucceeded 1",
            "9<-8 TaskStateExited A 1",
            "10<-9 ExecutionSucceeded 1",
        ],
    );
}

#[test]
fn only_branches_that_did_not_end_go_on() {
    let branches = format!(
        r#"{{"StartAt":"X","States":{{"X":{{"Type":"Pass","Result":1,"End":true}}}}}},{{"StartAt":"Z","States":{{{},{}}}}},{{"StartAt":"Y","States":{{{}}}}}"#,
        task("Z", r#""Next":"Q""#),
        task("Q", r#""End":true"#),
        task("Y", r#""End":true"#)
    );
    let definition = machine(&format!(r#""A":{{"Type":"Parallel","Branches":[{branches}],"End":true}}"#));
    let replies = [
        ("Z", Reply::Ok("2")),
        ("Y", Reply::Fail("E", "c")),
        ("Q", Reply::Never),
        ("Y", Reply::Ok("3")),
        ("Q", Reply::Ok("4")),
    ];
    check_redriven(
        redriven(&definition, &replies),
        &[
            "21<-20 ExecutionRedriven redriveCount=1",
            "22<-21 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 2",
            "23<-21 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {}",
            "24<-22 LambdaFunctionStarted",
            "25<-24 LambdaFunctionSucceeded 4",
            "26<-25 TaskStateExited Q 4",
            "27<-23 LambdaFunctionStarted",
            "28<-27 LambdaFunctionSucceeded 3",
            "29<-28 TaskStateExited Y 3",
            "30<-29 ParallelStateSucceeded",
            "31<-29 ParallelStateExited A [1,4,3]",
            "32<-31 ExecutionSucceeded [1,4,3]",
        ],
    );
}

#[test]
fn a_map_goes_on_with_items_that_had_not_begun() {
    let processor = format!(r#"{{"StartAt":"T","States":{{{}}}}}"#, task("T", r#""End":true"#));
    let definition = machine(&format!(
        r#""A":{{"Type":"Map","MaxConcurrency":1,"ItemProcessor":{processor},"End":true}}"#
    ));
    let replies = [
        ("T", Reply::Ok("1")),
        ("T", Reply::Fail("E", "c")),
        ("T", Reply::Fail("E", "c")),
        ("T", Reply::Ok("2")),
        ("T", Reply::Ok("3")),
    ];
    let scenario = Scenario { input: "[7,8,9]", ..redriven(&definition, &replies) };
    check_redriven(
        Scenario { inputs: &[REDRIVE, REDRIVE], ..scenario },
        &[
            "20<-19 ExecutionRedriven redriveCount=1",
            "21<-20 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 8",
            "22<-21 LambdaFunctionStarted",
            "23<-22 LambdaFunctionFailed E cause=c",
            "24<-23 MapIterationFailed A index=1",
            "25<-23 TaskStateAborted",
            "26<-23 MapStateFailed",
            "27<-26 ExecutionFailed E cause=c",
            "28<-27 ExecutionRedriven redriveCount=2",
            "29<-28 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 8",
            "30<-29 LambdaFunctionStarted",
            "31<-30 LambdaFunctionSucceeded 2",
            "32<-31 TaskStateExited T 2",
            "33<-32 MapIterationSucceeded A index=1",
            "34<-32 MapIterationStarted A index=2",
            "35<-34 TaskStateEntered T 9",
            "36<-35 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 9",
            "37<-36 LambdaFunctionStarted",
            "38<-37 LambdaFunctionSucceeded 3",
            "39<-38 TaskStateExited T 3",
            "40<-39 MapIterationSucceeded A index=2",
            "41<-40 MapStateSucceeded",
            "42<-40 MapStateExited A [1,2,3]",
            "43<-42 ExecutionSucceeded [1,2,3]",
        ],
    );
}

#[test]
fn lines_within_lines() {
    let inner = format!(r#"{{"StartAt":"T","States":{{{}}}}}"#, task("T", r#""End":true"#));
    let parallel = format!(
        r#""P":{{"Type":"Parallel","Branches":[{inner},{{"StartAt":"X","States":{{"X":{{"Type":"Pass","End":true}}}}}}],"End":true}}"#
    );
    let definition = machine(&format!(
        r#""A":{{"Type":"Map","ItemProcessor":{{"StartAt":"P","States":{{{parallel}}}}},"End":true}}"#
    ));
    let replies = [("T", Reply::Ok("1")), ("T", Reply::Fail("E", "c")), ("T", Reply::Ok("2"))];
    check_redriven(
        Scenario { input: "[7,8]", ..redriven(&definition, &replies) },
        &[
            "31<-30 ExecutionRedriven redriveCount=1",
            "32<-31 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f 8",
            "33<-32 LambdaFunctionStarted",
            "34<-33 LambdaFunctionSucceeded 2",
            "35<-34 TaskStateExited T 2",
            "36<-35 ParallelStateSucceeded",
            "37<-35 ParallelStateExited P [2,8]",
            "38<-37 MapIterationSucceeded A index=1",
            "39<-38 MapStateSucceeded",
            "40<-38 MapStateExited A [[1,7],[2,8]]",
            "41<-40 ExecutionSucceeded [[1,7],[2,8]]",
        ],
    );
}

#[test]
fn what_was_caught_is_not_repeated() {
    let branch = format!(r#"{{"StartAt":"T","States":{{{}}}}}"#, task("T", r#""End":true"#));
    let catch = r#""Catch":[{"ErrorEquals":["E"],"Next":"B"}]"#;
    let parallel = format!(
        r#""A":{{"Type":"Parallel","Branches":[{branch},{branch2}],{catch},"End":true}}"#,
        branch2 = branch.replace("\"T\"", "\"U\"")
    );
    let definition = machine(&format!("{parallel},{}", task("B", r#""ResultPath":null,"End":true"#)));
    let replies = [
        ("T", Reply::Fail("E", "c")),
        ("U", Reply::Never),
        ("B", Reply::Fail("F", "d")),
        ("B", Reply::Ok("1")),
    ];
    check_redriven(
        redriven(&definition, &replies),
        &[
            "19<-18 ExecutionRedriven redriveCount=1",
            "20<-19 LambdaFunctionScheduled arn:aws:lambda:us-east-1:111111111111:function:f {\"Error\":\"E\",\"Cause\":\"c\"}",
            "21<-20 LambdaFunctionStarted",
            "22<-21 LambdaFunctionSucceeded 1",
            "23<-22 TaskStateExited B {\"Error\":\"E\",\"Cause\":\"c\"}",
            "24<-23 ExecutionSucceeded {\"Error\":\"E\",\"Cause\":\"c\"}",
        ],
    );
}

#[test]
fn a_state_whose_own_fields_fail_fails_again() {
    let branch = r#"{"StartAt":"X","States":{"X":{"Type":"Pass","Result":1,"End":true}}}"#;
    let definition = machine(&format!(
        r#""A":{{"Type":"Parallel","Branches":[{branch}],"ResultSelector":{{"a.$":"$.none"}},"End":true}}"#
    ));
    check_redriven(
        redriven(&definition, &[]),
        &[
            "8<-7 ExecutionRedriven redriveCount=1",
            "9<-5 ParallelStateSucceeded",
            "10<-9 ExecutionFailed States.Runtime cause=An error occurred while executing the state 'A' (entered at the event id #2). The JSONPath '$.none' specified for the field 'a.$' could not be found in the input '[1]'",
        ],
    );
}
