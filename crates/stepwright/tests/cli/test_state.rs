//! `stepwright test-state`.

use crate::environment::{Environment, Said};

const MACHINE: &str = r#"
StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: charge, Payload.$: $.order}
    ResultSelector: {paid.$: $.Payload.paid}
    ResultPath: $.charge
    Retry: [{ErrorEquals: [Busy], IntervalSeconds: 2, MaxAttempts: 1}]
    Catch: [{ErrorEquals: [States.ALL], ResultPath: null, Next: Later}]
    Next: Later
  Later: {Type: Wait, Seconds: 86400, Next: Each}
  Each:
    Type: Map
    ItemProcessor: {StartAt: Item, States: {Item: {Type: Pass, End: true}}}
    End: true
"#;

fn test(arguments: &[&str]) -> Said {
    let environment = Environment::new();
    environment.write("machine.yaml", MACHINE);
    environment.run(&[&["test-state", "--definition", "machine.yaml"], arguments].concat())
}

#[test]
fn outcomes() {
    let busy = r#"{"errorOutput":{"error":"Busy","cause":"later"}}"#;
    let used_up = r#"{"retrierRetryCount":1}"#;
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &[
                "--state",
                "Charge",
                "--input",
                r#"{"order":1}"#,
                "--mock",
                r#"{"Payload":{"paid":true}}"#,
                "--json",
            ],
            0,
            r#"{"output":"{\"order\":1,\"charge\":{\"paid\":true}}","nextState":"Later","status":"SUCCEEDED"}"#,
        ),
        (
            &["-s", "Charge", "-i", r#"{"order":1}"#, "-m", busy, "--json"],
            1,
            r#"{"error":"Busy","cause":"later","status":"RETRIABLE"}"#,
        ),
        (
            &["-s", "Charge", "-i", r#"{"order":1}"#, "-m", busy, "--state-configuration", used_up, "--json"],
            0,
            r#"{"output":"{\"order\":1}","error":"Busy","cause":"later","nextState":"Later","status":"CAUGHT_ERROR"}"#,
        ),
        (&["-s", "Later", "--json"], 0, r#"{"output":"{}","nextState":"Each","status":"SUCCEEDED"}"#),
        (
            &["-s", "Each", "-i", "[1,2]", "-m", "[3,4]", "--json"],
            0,
            r#"{"output":"[3,4]","status":"SUCCEEDED"}"#,
        ),
        (&["-s", "Item", "-i", "[1]", "--json"], 0, r#"{"output":"[1]","status":"SUCCEEDED"}"#),
    ];
    for (arguments, status, expected) in cases {
        let said = test(arguments);
        assert_eq!((said.status, said.out.trim_end()), (*status, *expected), "{arguments:?} {}", said.error);
    }
}

#[test]
fn what_cannot_be_tested() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["-s", "Nowhere"],
            "error: machine.yaml has no state \"Nowhere\"; there is Charge, Later, Each, Item\n",
        ),
        (
            &["-s", "Charge", "-m", r#"{"StatusCode":"x"}"#],
            "error: Mock result schema validation error: Field 'StatusCode' must be a number\n",
        ),
        (&["-s", "Later", "-m", "1"], "error: State type 'Wait' is not supported when a mock is specified\n"),
        (
            &["-s", "Charge", "--state-configuration", "{\"x\":1}"],
            "error: --state-configuration: x is not a member of it\n",
        ),
    ];
    for (arguments, expected) in cases {
        let said = test(arguments);
        assert_eq!(
            (said.status, said.error.as_str(), said.out.as_str()),
            (2, *expected, ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn stages_are_shown_beside_the_output() {
    let said = test(&["-s", "Item", "-i", "[1]", "--inspection-level", "debug"]);
    assert!(said.error.starts_with("input\n  [\n    1\n  ]\nafterInputPath: as before\n"), "{}", said.error);
    assert!(said.error.ends_with("SUCCEEDED\n"), "{}", said.error);
    assert_eq!(said.out, "[\n  1\n]\n");
}
