//! `stepwright run` of what needs others: nested executions, workers, holders of task tokens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{ChildStderr, Stdio};

use crate::environment::{Environment, Said, said, told};

const DOUBLE: &str = r#"{"StartAt": "Double", "States": {
  "Double": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, $.n)"}, "End": true}}}"#;
const BROKEN: &str = r#"{"StartAt": "Break", "States": {"Break": {"Type": "Fail", "Error": "Broken"}}}"#;
const REST: &str =
    r#"{"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;

/// A parent that starts `child` in that way.
fn parent(resource: &str, more: &str) -> String {
    format!(
        r#"{{"StartAt": "Nest", "States": {{"Nest": {{"Type": "Task", "Resource": "{resource}", "Parameters": {{
            "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:child", "Input": {{"n": 2}}{more}
        }}, "OutputPath": "$.Output", "End": true}}}}}}"#
    )
}

#[test]
fn nested_executions() {
    let environment = Environment::new();
    environment.write("child.json", DOUBLE);
    for (resource, flag, expected) in [
        ("arn:aws:states:::states:startExecution.sync", "--machine", r#""{\"n\":4}""#),
        ("arn:aws:states:::states:startExecution.sync:2", "--machine", r#"{"n":4}"#),
        ("arn:aws:states:::aws-sdk:sfn:startSyncExecution", "--express-machine", r#""{\"n\":4}""#),
    ] {
        environment.write("parent.json", &parent(resource, ""));
        let Said { out, error, status } = environment.run(&["run", "parent.json", flag, "child=child.json"]);
        assert_eq!((out.trim_end(), status), (expected, 0), "{resource}: {error}");
    }
    environment.write("parent.json", &parent("arn:aws:states:::states:startExecution.sync", ""));
    let said = environment.run(&["run", "parent.json"]);
    assert!(said.error.contains("State Machine Does Not Exist"), "{}", said.error);
    let mock = r#"Nest={"Output": "mocked"}"#;
    let said = environment.run(&["run", "parent.json", "--mock", mock]);
    assert_eq!(said.out, "\"mocked\"\n", "{}", said.error);
}

#[test]
fn what_became_of_those_that_nobody_waits_for() {
    let environment = Environment::new();
    environment.write("broken.json", BROKEN);
    environment.write("parent.json", &parent("arn:aws:states:::states:startExecution", r#", "Name": "c1""#));
    let text = std::fs::read_to_string(environment.path().join("parent.json")).expect("it is there");
    environment.write("parent.json", &text.replace("$.Output", "$.ExecutionArn"));
    let said = environment.run(&["run", "parent.json", "--machine", "child=broken.json"]);
    assert_eq!(
        (said.out.as_str(), said.status),
        ("\"arn:aws:states:us-east-1:123456789012:execution:child:c1\"\n", 0),
        "{}",
        said.error
    );
    assert!(said.error.contains("execution child/c1 failed on {\"n\":2}\n  Broken\n"), "{}", said.error);
}

#[test]
fn machines_that_cannot_be_used() {
    let environment = Environment::new();
    environment.write("child.json", DOUBLE);
    environment.write("bad.json", r#"{"StartAt": "A"}"#);
    for (given, expected) in [
        (&["--machine", "child"][..], "--machine \"child\": it is NAME=FILE"),
        (&["--machine", "a b=child.json"], "the name \"a b\" cannot be used"),
        (&["--machine", "child=child.json"], "there is a state machine of this name already"),
        (&["--machine", "x=nowhere.json"], "nowhere.json does not exist"),
        (&["--machine", "x=bad.json"], "bad.json cannot be executed"),
    ] {
        let said = environment.run(&[&["run", "child.json"], given].concat());
        assert_eq!((said.out.as_str(), said.status), ("", 2), "{given:?}: {}", said.error);
        assert!(said.error.contains(expected), "{given:?}: {}", said.error);
    }
}

#[test]
fn express_executions() {
    let environment = Environment::new();
    environment.write("double.json", DOUBLE);
    let definition = r#"{"StartAt": "Who", "States": {"Who": {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"},
        "OutputPath": "$.id", "End": true}}}"#;
    environment.write("who.json", definition);
    let said = environment.run(&["run", "who.json", "--type", "express", "--name", "one"]);
    let expected = "\"arn:aws:states:us-east-1:123456789012:express:who:one:";
    assert!(said.out.starts_with(expected), "{said:?}");
    environment.write("broken.json", BROKEN);
    let said = environment.run(&["run", "broken.json", "--type", "express"]);
    assert_eq!(told(&said.error).last().map(String::as_str), Some("error Broken"), "{}", said.error);
    assert_eq!(said.status, 1);
}

/// Reads until a line has `wanted`, and gives what follows it up to a blank.
fn word_after(reader: &mut BufReader<ChildStderr>, wanted: &str) -> String {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(reader.read_line(&mut line).expect("a line") > 0, "no {wanted}");
    }
    let rest = line.split_once(wanted).map(|(_, rest)| rest).unwrap_or_default();
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

/// An operation, over HTTP.
fn call(endpoint: &str, operation: &str, body: &str) -> String {
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: AWSStepFunctions.{operation}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

#[test]
fn workers_and_holders_of_tokens_are_let_in() {
    let environment = Environment::new();
    environment.write("rest.json", REST);
    let callback = parent("arn:aws:states:::states:startExecution.waitForTaskToken", r#", "Name": "c1""#);
    let callback = callback.replace(r#""Input": {"n": 2}"#, r#""Input": {"token.$": "$$.Task.Token"}"#);
    let ask = r#"{"StartAt": "Ask", "States": {"Ask": {"Type": "Task",
        "Resource": "arn:aws:states:us-east-1:123456789012:activity:ask", "Next": "Nest"}, "#;
    let definition = callback.replace(r#"{"StartAt": "Nest", "States": {"#, ask);
    environment.write("both.json", &definition.replace("$.Output", "$.answer"));
    let mut child = environment
        .command(&["run", "both.json", "--machine", "child=rest.json", "--listen", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut reader = BufReader::new(child.stderr.take().expect("piped"));
    let endpoint = word_after(&mut reader, "--endpoint-url ");
    let activity = r#"{"activityArn": "arn:aws:states:us-east-1:123456789012:activity:ask"}"#;
    let task = call(&endpoint, "GetActivityTask", activity);
    let token = task.split('"').skip_while(|part| *part != "taskToken").nth(2).expect("a token").to_owned();
    call(&endpoint, "SendTaskSuccess", &format!(r#"{{"taskToken": "{token}", "output": "{{}}"}}"#));
    let token = word_after(&mut reader, "--task-token ");
    let success = format!(r#"{{"taskToken": "{token}", "output": "{{\"answer\": 42}}"}}"#);
    call(&endpoint, "SendTaskSuccess", &success);
    // The nested execution goes on, until somebody stops it.
    word_after(&mut reader, "1 execution that it started still runs");
    let nested = "arn:aws:states:us-east-1:123456789012:execution:child:c1";
    call(&endpoint, "StopExecution", &format!(r#"{{"executionArn": "{nested}"}}"#));
    let said = said(child.wait_with_output().expect("it ends"));
    assert_eq!((said.out.as_str(), said.status), ("42\n", 0));
}
