//! Executions and tasks, as far as the API decides about them.

use serde_json::{Value, json};

use crate::support::{PASS, ROLE, TestServer, text};

const BASE: &str = "arn:aws:states:us-east-1:123456789012";

#[tokio::test]
async fn starting_and_describing() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let request = json!({"stateMachineArn": arn, "name": "x", "input": "{\"a\" : 1.0}"});
    let started = server.ok("StartExecution", request).await;
    let execution_arn = format!("{BASE}:execution:m:x");
    assert_eq!(started["executionArn"], execution_arn);
    let described = server.ok("DescribeExecution", json!({"executionArn": execution_arn})).await;
    assert_eq!(
        described,
        json!({
            "executionArn": execution_arn,
            "stateMachineArn": arn,
            "name": "x",
            "status": "SUCCEEDED",
            "startDate": started["startDate"],
            "stopDate": started["startDate"],
            "input": "{\"a\" : 1.0}",
            "inputDetails": {"included": true},
            "output": "{\"a\" : 1.0}",
            "outputDetails": {"included": true},
            "redriveCount": 0,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        })
    );
    let request = json!({"executionArn": execution_arn, "includedData": "METADATA_ONLY"});
    let metadata = server.ok("DescribeExecution", request).await;
    assert_eq!((metadata.get("input"), metadata.get("output")), (None, None));
    let machine = server.ok("DescribeStateMachineForExecution", json!({"executionArn": execution_arn})).await;
    assert_eq!((&machine["stateMachineArn"], &machine["definition"]), (&json!(arn), &json!(PASS)));
    let default = server.ok("StartExecution", json!({"stateMachineArn": arn})).await;
    let described = server.ok("DescribeExecution", json!({"executionArn": default["executionArn"]})).await;
    assert_eq!(described["input"], "{}");
}

#[tokio::test]
async fn what_cannot_be_started_or_found() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let missing = format!("{BASE}:stateMachine:missing");
    let execution = format!("{BASE}:execution:m:missing");
    let express = format!("{BASE}:express:m:n:r");
    let cases = [
        (
            "StartExecution",
            json!({"stateMachineArn": missing}),
            "StateMachineDoesNotExist",
            format!("State Machine Does Not Exist: '{missing}'"),
        ),
        (
            "StartExecution",
            json!({"stateMachineArn": "x"}),
            "InvalidArn",
            "Invalid Arn: 'Invalid ARN prefix: x'".to_owned(),
        ),
        (
            "StartExecution",
            json!({"stateMachineArn": arn, "name": "a/b"}),
            "InvalidName",
            "Invalid Name: 'a/b'".to_owned(),
        ),
        (
            "DescribeExecution",
            json!({"executionArn": "x"}),
            "InvalidArn",
            "Invalid Arn: 'Invalid ARN prefix: x'".to_owned(),
        ),
        (
            "DescribeExecution",
            json!({"executionArn": execution}),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{execution}'"),
        ),
        (
            "GetExecutionHistory",
            json!({"executionArn": execution}),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{execution}'"),
        ),
        (
            "DescribeExecution",
            json!({"executionArn": express}),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'".to_owned(),
        ),
        (
            "StopExecution",
            json!({"executionArn": express}),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'".to_owned(),
        ),
        (
            "ListExecutions",
            json!({"stateMachineArn": missing}),
            "StateMachineDoesNotExist",
            format!("State Machine Does Not Exist: '{missing}'"),
        ),
        (
            "StartSyncExecution",
            json!({"stateMachineArn": arn}),
            "StateMachineTypeNotSupported",
            "This operation is not supported by this type of state machine".to_owned(),
        ),
        (
            "RedriveExecution",
            json!({"executionArn": execution}),
            "ExecutionDoesNotExist",
            format!("Execution Does Not Exist: '{execution}'"),
        ),
        (
            "TestState",
            json!({"definition": "{}"}),
            "UnsupportedOperationException",
            "TestState is not available yet.".to_owned(),
        ),
    ];
    for (operation, request, name, message) in cases {
        let refused = server.refused(operation, request).await;
        assert_eq!(refused, (name.to_owned(), message), "{operation}");
    }
    for input in ["", "{", "nonsense", "{} {}", "{\"a\":1,}"] {
        let (name, message) =
            server.refused("StartExecution", json!({"stateMachineArn": arn, "input": input})).await;
        assert_eq!(name, "InvalidExecutionInput", "{input}");
        assert!(message.starts_with("Invalid State Machine Execution Input: '"), "{message}");
    }
    let request = json!({"name": "e", "definition": PASS, "roleArn": ROLE, "type": "EXPRESS"});
    let express = text(&server.ok("CreateStateMachine", request).await, "stateMachineArn");
    let refused = server.refused("ListExecutions", json!({"stateMachineArn": express})).await;
    assert_eq!(refused.0, "StateMachineTypeNotSupported");
}

#[tokio::test]
async fn names_are_taken_once() {
    let mut server = TestServer::start().await;
    let arn = server.machine("waiting").await;
    let request = |input: &str| json!({"stateMachineArn": arn, "name": "x", "input": input});
    let first = server.ok("StartExecution", request("{}")).await;
    assert_eq!(server.ok("StartExecution", request("{}")).await, first);
    let expected = format!("Execution Already Exists: '{BASE}:execution:waiting:x'");
    let refused = server.refused("StartExecution", request("1")).await;
    assert_eq!(refused, ("ExecutionAlreadyExists".to_owned(), expected));
    let stop = json!({"executionArn": first["executionArn"], "error": "E", "cause": "C"});
    let stopped = server.ok("StopExecution", stop.clone()).await;
    assert_eq!(server.ok("StopExecution", stop).await, stopped);
    let described = server.ok("DescribeExecution", json!({"executionArn": first["executionArn"]})).await;
    assert_eq!(
        (&described["status"], &described["error"], &described["cause"]),
        (&json!("ABORTED"), &json!("E"), &json!("C"))
    );
    assert_eq!(described["redriveStatus"], "REDRIVABLE");
}

#[tokio::test]
async fn executions_of_a_deleted_machine_are_not_redriven() {
    let mut server = TestServer::start().await;
    let arn = server.machine("waiting").await;
    let started = server.ok("StartExecution", json!({"stateMachineArn": arn})).await;
    let execution = json!({"executionArn": started["executionArn"]});
    server.ok("StopExecution", execution.clone()).await;
    server.ok("DeleteStateMachine", json!({"stateMachineArn": arn})).await;
    let described = server.ok("DescribeExecution", execution.clone()).await;
    assert_eq!(
        (&described["redriveStatus"], &described["redriveStatusReason"]),
        (&json!("NOT_REDRIVABLE"), &json!("State machine is in DELETING status"))
    );
    let refused = server.refused("RedriveExecution", execution).await;
    let expected = ("ExecutionNotRedrivable", "State machine is in DELETING status");
    assert_eq!((refused.0.as_str(), refused.1.as_str()), expected);
}

#[tokio::test]
async fn executions_are_listed_newest_first_in_pages() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    for number in 0..5 {
        server.ok("StartExecution", json!({"stateMachineArn": arn, "name": number.to_string()})).await;
    }
    let names = |answer: &Value| -> String {
        answer["executions"].as_array().unwrap().iter().map(|item| text(item, "name")).collect()
    };
    let first = server.ok("ListExecutions", json!({"stateMachineArn": arn, "maxResults": 3})).await;
    assert_eq!(names(&first), "432");
    let request = json!({"stateMachineArn": arn, "maxResults": 3, "nextToken": first["nextToken"]});
    let second = server.ok("ListExecutions", request).await;
    assert_eq!((names(&second).as_str(), second.get("nextToken")), ("10", None));
    // A token is for its own question.
    let request = json!({"stateMachineArn": arn, "statusFilter": "FAILED", "nextToken": first["nextToken"]});
    assert_eq!(server.refused("ListExecutions", request).await.0, "InvalidToken");
    assert_eq!(server.refused("ListExecutions", json!({})).await.0, "ValidationException");
}

#[tokio::test]
async fn histories_come_in_pages_both_ways() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let started = server.ok("StartExecution", json!({"stateMachineArn": arn})).await;
    for (reverse, expected) in
        [(false, [vec![1, 2], vec![3, 4], vec![5]]), (true, [vec![5, 4], vec![3, 2], vec![1]])]
    {
        let mut token = Value::Null;
        for ids in expected {
            let request = json!({
                "executionArn": started["executionArn"], "maxResults": 2, "reverseOrder": reverse, "nextToken": token,
            });
            let page = server.ok("GetExecutionHistory", request).await;
            let events: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
            assert_eq!(page["events"], json!(events));
            token = page["nextToken"].clone();
        }
        assert_eq!(token, Value::Null);
    }
}

#[tokio::test]
async fn task_tokens() {
    let mut server = TestServer::start().await;
    server.ok("SendTaskSuccess", json!({"taskToken": "good", "output": "1"})).await;
    server.ok("SendTaskFailure", json!({"taskToken": "good", "error": "E"})).await;
    server.ok("SendTaskHeartbeat", json!({"taskToken": "good"})).await;
    for (token, name) in [("gone", "TaskDoesNotExist"), ("late", "TaskTimedOut"), ("other", "InvalidToken")] {
        assert_eq!(server.refused("SendTaskHeartbeat", json!({"taskToken": token})).await.0, name);
    }
    let request = json!({"taskToken": "good", "output": "nonsense"});
    assert_eq!(server.refused("SendTaskSuccess", request).await.0, "InvalidOutput");
}
