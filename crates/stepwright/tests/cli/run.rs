//! `stepwright run` in a pipe.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::environment::{Environment, Said, said, told};

const DOUBLE: &str = r#"{
  "StartAt": "Double",
  "States": {
    "Double": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, $.n)", "text": "ä"}, "Next": "Enough"},
    "Enough": {
      "Type": "Choice",
      "Choices": [{"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Done"}],
      "Default": "Double"
    },
    "Done": {"Type": "Succeed"}
  }
}"#;

#[test]
fn the_output_and_the_progress() {
    let environment = Environment::new();
    environment.write("double.asl.json", DOUBLE);
    let Said { out, error, status } =
        environment.run(&["run", "double.asl.json", "--input", r#"{"n": 6.0}"#]);
    assert_eq!((out.as_str(), status), ("{\"n\":12,\"text\":\"ä\"}\n", 0), "{error}");
    assert_eq!(
        told(&error),
        [
            "enter Double (Pass)",
            "exit Double",
            "enter Enough (Choice)",
            "exit Enough next Done",
            "enter Done (Succeed)",
            "exit Done",
            "SUCCEEDED 8 events",
        ]
    );
    assert!(error.starts_with("  +0.0"), "{error}");
}

#[test]
fn inputs_come_from_many_places() {
    let environment = Environment::new();
    environment.write("pass.json", r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#);
    environment.write("pass.yaml", "StartAt: A\nStates:\n  A:\n    Type: Succeed\n");
    environment.write("in.json", "{\"from\": \"file\"}\n");
    for (arguments, input, expected) in [
        (&["run", "pass.json"][..], "", "{}\n"),
        (&["run", "pass.yaml", "-i", "[1]"], "", "[1]\n"),
        (&["run", "pass.json", "-i", "@in.json"], "", "{\"from\":\"file\"}\n"),
        (&["run", "pass.json", "-i", "-"], "\"stdin\"", "\"stdin\"\n"),
        (&["run", "-", "-i", "1"], r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#, "1\n"),
    ] {
        let Said { out, error, status } = environment.run_with_input(arguments, input);
        assert_eq!((out.as_str(), status), (expected, 0), "{arguments:?}: {error}");
    }
}

#[test]
fn an_input_that_is_not_json_is_shown() {
    let environment = Environment::new();
    environment.write("pass.json", r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#);
    environment.write("in.json", "{\n  \"a\": x\n}");
    let said = environment.run(&["run", "pass.json", "-i", "@in.json"]);
    let expected = "\
error: in.json is not JSON
 --> in.json:2:8
  |
2 |   \"a\": x
  |        ^ expected value

";
    assert_eq!(said, Said { out: String::new(), error: expected.to_owned(), status: 2 });
    let said = environment.run(&["run", "pass.json", "-i", "in.json"]);
    assert!(said.error.contains("did you mean --input @in.json?"), "{}", said.error);
    let said = environment.run(&["run", "pass.json", "-i", "@nowhere.json"]);
    assert_eq!((said.error.as_str(), said.status), ("error: nowhere.json does not exist\n", 2));
    let said = environment.run(&["run", "nowhere.json"]);
    assert_eq!((said.error.as_str(), said.status), ("error: nowhere.json does not exist\n", 2));
    let large = format!("\"{}\"", "x".repeat(262_144));
    let said = environment.run_with_input(&["run", "pass.json", "-i", "-"], &large);
    let expected = "error: <stdin> has 262146 bytes; an input has at most 262144\n";
    assert_eq!((said.error.as_str(), said.status), (expected, 2));
}

#[test]
fn a_definition_with_errors_does_not_run() {
    let environment = Environment::new();
    environment.write("bad.json", r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}"#);
    let said = environment.run(&["run", "bad.json"]);
    assert_eq!((said.out.as_str(), said.status), ("", 2));
    assert!(said.error.contains("error[SW0403]"), "{}", said.error);
    assert!(said.error.ends_with("bad.json cannot be executed\n"), "{}", said.error);
}

const FAIL: &str = r#"{
  "StartAt": "Both",
  "States": {
    "Both": {"Type": "Parallel", "End": true, "Branches": [
      {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 600, "End": true}}},
      {"StartAt": "Break", "States": {"Break": {"Type": "Fail", "Error": "Broken", "Cause": "two\nlines"}}}
    ]}
  }
}"#;

#[test]
fn a_failure_says_where_and_why() {
    let environment = Environment::new();
    environment.write("fail.json", FAIL);
    let said = environment.run(&["run", "fail.json"]);
    assert_eq!((said.out.as_str(), said.status), ("", 1));
    let told = told(&said.error);
    let expected = [
        "FAILED 8 events",
        "state Both[1] > Break",
        "/States/Both/Branches[1]/States/Break",
        "error Broken",
        "cause two",
        "lines",
    ];
    assert!(told.ends_with(&expected.map(str::to_owned)), "{told:#?}");
}

#[test]
fn json_is_the_history_and_a_result() {
    let environment = Environment::new();
    environment.write("double.asl.json", DOUBLE);
    let said = environment.run(&["run", "double.asl.json", "-i", r#"{"n": 6}"#, "--json"]);
    assert_eq!((said.error.as_str(), said.status), ("", 0));
    let types: Vec<String> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line)["type"].to_string())
        .collect();
    let expected = [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ChoiceStateEntered",
        "ChoiceStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
        "Result",
    ];
    assert_eq!(types, expected.map(|name| format!("{name:?}")));
    let last = said.out.lines().last();
    assert_eq!(last, Some(r#"{"type":"Result","status":"SUCCEEDED","output":{"n":12,"text":"ä"}}"#));

    environment.write("fail.json", FAIL);
    let said = environment.run(&["run", "fail.json", "--json"]);
    let expected = r#"{"type":"Result","status":"FAILED","error":"Broken","cause":"two\nlines","state":"Both[1] > Break","pointer":"/States/Both/Branches[1]/States/Break"}"#;
    assert_eq!((said.out.lines().last(), said.status), (Some(expected), 1));
}

#[test]
fn functions_run_as_processes() {
    let environment = Environment::new();
    environment.write(
        "stepwright.toml",
        "[functions.greet]\nruntime = \"python3\"\nhandler = \"greet.handler\"\ncode = \"functions\"\n",
    );
    environment.write(
        "functions/greet.py",
        "class Shy(Exception):\n    pass\n\ndef handler(event, context):\n    if event.get('shy'):\n        \
         raise Shy('not today')\n    return 'hello ' + event['name']\n",
    );
    environment.write(
        "greet.asl.json",
        r#"{"StartAt": "Greet", "States": {"Greet": {"Type": "Task", "End": true,
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:greet"}}}"#,
    );
    let said = environment.run(&["run", "greet.asl.json", "-i", r#"{"name": "you"}"#]);
    assert_eq!((said.out.as_str(), said.status), ("\"hello you\"\n", 0), "{}", said.error);
    let said = environment.run(&["run", "greet.asl.json", "-i", r#"{"shy": true}"#]);
    let told = told(&said.error);
    for line in ["state Greet", "error Shy", "cause not today", "fail Greet Shy: not today"] {
        let is_line = |told: &String| told == line || told.replace(": Shy", " Shy") == line;
        assert!(told.iter().any(is_line), "{line}: {told:#?}");
    }
    assert_eq!(said.status, 1);
}

const WAIT: &str =
    r#"{"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;

#[test]
fn an_interrupt_stops_the_execution() {
    let environment = Environment::new();
    environment.write("wait.json", WAIT);
    let mut child = environment
        .command(&["run", "wait.json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut reader = BufReader::new(child.stderr.take().expect("piped"));
    let mut error = String::new();
    while !error.contains("wait    Rest") {
        assert!(reader.read_line(&mut error).expect("a line") > 0, "{error}");
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill").success());
    std::io::Read::read_to_string(&mut reader, &mut error).expect("the rest");
    let status = said(child.wait_with_output().expect("it ends")).status;
    let told = told(&error);
    let expected =
        ["abort Rest", "ABORTED 3 events", "state Rest", "/States/Rest", "cause Stopped by the user."];
    assert!(told.ends_with(&expected.map(str::to_owned)), "{told:#?}");
    assert_eq!(status, 1);
}
