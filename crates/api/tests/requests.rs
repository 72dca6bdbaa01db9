//! What each operation answers beyond the model's constraints: names, ARNs, filters, quotas, repeated requests.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};
use stepwright_api::{QuotaLimits, Quotas};
use stepwright_server::{Options, Server};

use crate::support::{Client, PASS, ROLE, TestServer, api_with, text};

const BASE: &str = "arn:aws:states:us-east-1:123456789012";

#[tokio::test]
async fn arns_of_another_kind_are_refused() {
    let mut server = TestServer::start().await;
    let label = "ValidationException: This operation does not support labeled state machine ARNs".to_owned();
    let prefix = |arn: &str| format!("InvalidArn: Invalid Arn: 'Invalid ARN prefix: {arn}'");
    let kind =
        |kind: &str| format!("InvalidArn: Invalid Arn: 'Resource type not valid in this context: {kind}'");
    let machine = format!("{BASE}:stateMachine:m");
    let labelled = format!("{BASE}:stateMachine:m/label");
    let execution = format!("{BASE}:execution:m:e");
    let express = format!("{BASE}:express:m:e:r");
    let cases = [
        ("StartExecution", "stateMachineArn", labelled.clone(), label.clone()),
        ("StartSyncExecution", "stateMachineArn", labelled.clone(), label.clone()),
        ("ListExecutions", "stateMachineArn", labelled.clone(), label.clone()),
        ("DeleteStateMachine", "stateMachineArn", labelled.clone(), label.clone()),
        ("UpdateStateMachine", "stateMachineArn", labelled.clone(), label.clone()),
        ("PublishStateMachineVersion", "stateMachineArn", labelled.clone(), label.clone()),
        ("ListStateMachineVersions", "stateMachineArn", labelled.clone(), label.clone()),
        ("ListStateMachineAliases", "stateMachineArn", labelled.clone(), label.clone()),
        ("StartExecution", "stateMachineArn", "m".to_owned(), prefix("m")),
        ("StartExecution", "stateMachineArn", execution.clone(), kind("execution")),
        ("DescribeExecution", "executionArn", machine.clone(), kind("stateMachine")),
        ("DescribeExecution", "executionArn", express.clone(), kind("express")),
        ("DescribeStateMachineForExecution", "executionArn", express.clone(), kind("express")),
        ("GetExecutionHistory", "executionArn", express.clone(), kind("express")),
        ("StopExecution", "executionArn", express.clone(), kind("express")),
        ("RedriveExecution", "executionArn", express.clone(), kind("express")),
        ("ListMapRuns", "executionArn", express, kind("express")),
        ("DescribeMapRun", "mapRunArn", execution.clone(), kind("execution")),
        ("DescribeActivity", "activityArn", machine.clone(), kind("stateMachine")),
        ("GetActivityTask", "activityArn", machine, kind("stateMachine")),
        ("ListTagsForResource", "resourceArn", execution, kind("execution")),
    ];
    for (operation, member, arn, expected) in cases {
        let mut request = json!({ member: arn });
        if operation == "UpdateStateMachine" {
            request["definition"] = json!(PASS);
        }
        let (name, message) = server.refused(operation, request).await;
        assert_eq!(format!("{name}: {message}"), expected, "{operation} {arn}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let mut server = TestServer::start().await;
    let machine = server.machine("m").await;
    let (version, alias) = (format!("{machine}:7"), format!("{machine}:nobody"));
    let gone = format!("{BASE}:stateMachine:gone");
    let execution = format!("{BASE}:execution:m:gone");
    let cases = [
        (
            "DescribeStateMachine",
            "stateMachineArn",
            &gone,
            "StateMachineDoesNotExist: State Machine Does Not Exist: ",
        ),
        (
            "DescribeStateMachine",
            "stateMachineArn",
            &version,
            "StateMachineDoesNotExist: State Machine Does Not Exist: ",
        ),
        (
            "StartExecution",
            "stateMachineArn",
            &version,
            "StateMachineDoesNotExist: State Machine Does Not Exist: ",
        ),
        (
            "StartExecution",
            "stateMachineArn",
            &alias,
            "StateMachineDoesNotExist: State Machine Does Not Exist: ",
        ),
        (
            "ListExecutions",
            "stateMachineArn",
            &gone,
            "StateMachineDoesNotExist: State Machine Does Not Exist: ",
        ),
        ("ListExecutions", "stateMachineArn", &version, "ResourceNotFound: Resource not found: "),
        ("ListExecutions", "stateMachineArn", &alias, "ResourceNotFound: Resource not found: "),
        (
            "DescribeStateMachineAlias",
            "stateMachineAliasArn",
            &alias,
            "ResourceNotFound: Resource not found: ",
        ),
        ("ListTagsForResource", "resourceArn", &alias, "ResourceNotFound: Resource not found: "),
        (
            "DescribeExecution",
            "executionArn",
            &execution,
            "ExecutionDoesNotExist: Execution Does Not Exist: ",
        ),
        ("StopExecution", "executionArn", &execution, "ExecutionDoesNotExist: Execution Does Not Exist: "),
        (
            "GetExecutionHistory",
            "executionArn",
            &execution,
            "ExecutionDoesNotExist: Execution Does Not Exist: ",
        ),
    ];
    for (operation, member, arn, expected) in cases {
        let (name, message) = server.refused(operation, json!({ member: arn })).await;
        assert_eq!(format!("{name}: {message}"), format!("{expected}'{arn}'"), "{operation}");
    }
    // To delete what is not there is no error.
    server.ok("DeleteStateMachine", json!({"stateMachineArn": gone})).await;
    server.ok("DeleteStateMachineVersion", json!({"stateMachineVersionArn": version})).await;
}

#[tokio::test]
async fn filters_for_map_runs_need_one() {
    let mut server = TestServer::start().await;
    let machine = server.machine("m").await;
    for (filter, value) in [("statusFilter", "PENDING_REDRIVE"), ("redriveFilter", "REDRIVEN")] {
        let request = json!({"stateMachineArn": machine, filter: value});
        let (name, message) = server.refused("ListExecutions", request).await;
        assert_eq!(name, "ValidationException");
        assert!(message.starts_with("mapRunArn must be specified when "), "{message}");
        let map_run = format!("{BASE}:mapRun:m/label:1");
        server.ok("ListExecutions", json!({"mapRunArn": map_run, filter: value})).await;
        let both = json!({"mapRunArn": map_run, "stateMachineArn": machine});
        assert_eq!(server.refused("ListExecutions", both).await.0, "ValidationException");
    }
}

#[tokio::test]
async fn a_repeated_creation_has_to_say_the_same() {
    let mut server = TestServer::start().await;
    let base = json!({
        "name": "m", "definition": PASS, "roleArn": ROLE, "publish": true, "versionDescription": "d",
        "tags": [{"key": "k", "value": "v"}],
    });
    let first = server.ok("CreateStateMachine", base.clone()).await;
    let with = |member: &str, value: Value| {
        let mut request = base.clone();
        request[member] = value;
        request
    };
    for same in [
        base.clone(),
        with("roleArn", json!("arn:aws:iam::123456789012:role/other")),
        with("tags", json!([])),
        with("type", json!("STANDARD")),
    ] {
        assert_eq!(server.ok("CreateStateMachine", same).await, first);
    }
    for other in [
        with("definition", json!(format!(" {PASS}"))),
        with("type", json!("EXPRESS")),
        with("versionDescription", json!("e")),
        with("tracingConfiguration", json!({"enabled": true})),
        json!({"name": "m", "definition": PASS, "roleArn": ROLE}),
    ] {
        assert_eq!(server.refused("CreateStateMachine", other).await.0, "StateMachineAlreadyExists");
    }
    let versions =
        server.ok("ListStateMachineVersions", json!({"stateMachineArn": first["stateMachineArn"]})).await;
    assert_eq!(versions["stateMachineVersions"].as_array().map(Vec::len), Some(1));
    let tags = server.ok("ListTagsForResource", json!({"resourceArn": first["stateMachineArn"]})).await;
    assert_eq!(tags["tags"], base["tags"]);
}

#[tokio::test]
async fn a_distributed_map_is_described_by_its_label() {
    let mut server = TestServer::start().await;
    let processor = json!({"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P", "States": {"P": {"Type": "Pass"}}});
    let map = json!({"Type": "Map", "Label": "Items", "ItemProcessor": processor, "End": true});
    let outer =
        json!({"Type": "Parallel", "Branches": [{"StartAt": "M", "States": {"M": map}}], "End": true});
    let definition = json!({"StartAt": "O", "States": {"O": outer}}).to_string();
    let request = json!({"name": "m", "definition": definition, "roleArn": ROLE});
    let arn = text(&server.ok("CreateStateMachine", request).await, "stateMachineArn");
    for included in ["ALL_DATA", "METADATA_ONLY"] {
        let request = json!({"stateMachineArn": format!("{arn}/Items"), "includedData": included});
        let described = server.ok("DescribeStateMachine", request).await;
        assert_eq!((&described["label"], &described["name"]), (&json!("Items"), &json!("m")));
        assert_eq!(serde_json::from_str::<Value>(&text(&described, "definition")).unwrap(), processor);
    }
    let request = json!({"stateMachineArn": format!("{arn}/Others")});
    assert_eq!(server.refused("DescribeStateMachine", request).await.0, "StateMachineDoesNotExist");
}

/// Requests that race are answered alike, and have effect once.
#[tokio::test]
async fn simultaneous_requests_have_one_effect() {
    let mut server = TestServer::start().await;
    let machine = server.machine("there").await;
    let version = server.ok("PublishStateMachineVersion", json!({"stateMachineArn": machine})).await;
    let routing = json!([{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]);
    let changed = json!({"stateMachineArn": machine, "definition": format!(" {PASS}")});
    server.ok("UpdateStateMachine", changed).await;
    let requests = [
        ("CreateStateMachine", json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true})),
        ("CreateActivity", json!({"name": "a"})),
        ("CreateStateMachineAlias", json!({"name": "live", "routingConfiguration": routing})),
        ("PublishStateMachineVersion", json!({"stateMachineArn": machine})),
        ("StartExecution", json!({"stateMachineArn": machine.replace(":there", ":waiting"), "name": "e"})),
    ];
    server.machine("waiting").await;
    for (operation, request) in requests {
        let answers = (0..12).map(|_| {
            let (address, request) = (server.address, request.clone());
            tokio::spawn(async move {
                let answer = Client::connect(address).await.call(operation, request.to_string()).await;
                (answer.status, answer.body)
            })
        });
        let answers: Vec<_> = answers.collect();
        let mut seen: Vec<(u16, String)> = Vec::new();
        for answer in answers {
            seen.push(answer.await.unwrap());
        }
        seen.dedup();
        assert_eq!(seen.len(), 1, "{operation}: {seen:?}");
        assert_eq!(seen[0].0, 200, "{operation}: {seen:?}");
    }
}

#[tokio::test]
async fn a_repeated_update_gives_the_first_answer() {
    let mut server = TestServer::start().await;
    let machine = server.machine("m").await;
    let request = json!({"stateMachineArn": machine, "definition": format!(" {PASS}"), "publish": true});
    let first = server.ok("UpdateStateMachine", request.clone()).await;
    assert_eq!(server.ok("UpdateStateMachine", request).await, first);
}

/// Clients put `sync-` in front of the host for some operations; every host has all of them.
#[tokio::test]
async fn both_hosts_serve_all_operations() {
    let server = TestServer::start().await;
    let mut client = Client::connect(server.address).await;
    for host in
        ["states.us-east-1.amazonaws.com", "sync-states.us-east-1.amazonaws.com", "sync-localhost:8083"]
    {
        for (operation, body) in
            [("ListStateMachines", "{}"), ("StartSyncExecution", r#"{"stateMachineArn":"m"}"#)]
        {
            let request = Request::post("/")
                .header("host", host)
                .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
                .body(Full::from(body))
                .unwrap();
            let answer = client.request(request).await;
            let refused = (answer.status != 200).then(|| answer.error().0);
            let expected = (operation == "StartSyncExecution").then(|| "InvalidArn".to_owned());
            assert_eq!(refused, expected, "{host} {operation}");
            assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
        }
    }
}

#[tokio::test]
async fn quotas_are_kept() {
    let limits = QuotaLimits { state_machines: 2, activities: 1, versions: 2, aliases: 1 };
    let (api, _) = api_with(Quotas::new(limits)).await;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Arc::new(Server::bind(any_port, vec![api], Options::default()).await.unwrap());
    let running = server.clone();
    tokio::spawn(async move { running.run().await });
    let mut client = Client::connect(server.local_address()).await;
    let machine = |name: &str| json!({"name": name, "definition": PASS, "roleArn": ROLE}).to_string();
    let b = format!("{BASE}:stateMachine:b");
    let publish = |comment: &str| {
        let definition = PASS.replacen('{', &format!(r#"{{"Comment":"{comment}","#), 1);
        json!({"stateMachineArn": b, "definition": definition, "publish": true}).to_string()
    };
    let alias = |name: &str| {
        let routing = json!([{"stateMachineVersionArn": format!("{b}:1"), "weight": 100}]);
        json!({"name": name, "routingConfiguration": routing}).to_string()
    };
    for (operation, request, expected) in [
        ("CreateStateMachine", machine("a"), None),
        ("CreateStateMachine", machine("b"), None),
        ("CreateStateMachine", machine("b"), None),
        ("CreateStateMachine", machine("c"), Some("StateMachineLimitExceeded")),
        (
            "DeleteStateMachine",
            json!({"stateMachineArn": format!("{BASE}:stateMachine:a")}).to_string(),
            None,
        ),
        ("CreateStateMachine", machine("c"), None),
        ("UpdateStateMachine", publish("1"), None),
        ("UpdateStateMachine", publish("2"), None),
        ("UpdateStateMachine", publish("2"), None),
        ("UpdateStateMachine", publish("3"), Some("ServiceQuotaExceededException")),
        ("CreateStateMachineAlias", alias("a"), None),
        ("CreateStateMachineAlias", alias("a"), None),
        ("CreateStateMachineAlias", alias("b"), Some("ServiceQuotaExceededException")),
        ("CreateActivity", json!({"name": "a"}).to_string(), None),
        ("CreateActivity", json!({"name": "a"}).to_string(), None),
        ("CreateActivity", json!({"name": "b"}).to_string(), Some("ActivityLimitExceeded")),
    ] {
        let answer = client.call(operation, request.clone()).await;
        let refused = (answer.status != 200).then(|| answer.error().0);
        assert_eq!(refused.as_deref(), expected, "{operation} {request}");
    }
}

/// Requests that are signed for another region, or with an account's id as key, have ARNs and listings of their own.
#[tokio::test]
async fn regions_and_accounts_are_kept_apart() {
    let server = TestServer::start().await;
    let mut client = Client::connect(server.address).await;
    let mut call = async |credential: &str, operation: &str, body: Value| {
        let mut request = Request::post("/")
            .header("host", "localhost")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"));
        if !credential.is_empty() {
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential={credential}/states/aws4_request, SignedHeaders=host, Signature=0"
            );
            request = request.header("authorization", authorization);
        }
        let answer = client.request(request.body(Full::from(body.to_string())).unwrap()).await;
        assert_eq!(answer.status, 200, "{credential} {operation}: {}", answer.body);
        answer.json()
    };
    let scopes = [
        ("", "arn:aws:states:us-east-1:123456789012"),
        ("test/20260101/eu-west-1", "arn:aws:states:eu-west-1:123456789012"),
        ("111122223333/20260101/us-east-1", "arn:aws:states:us-east-1:111122223333"),
        ("111122223333/20260101/cn-north-1", "arn:aws-cn:states:cn-north-1:111122223333"),
    ];
    for (scope, base) in scopes {
        let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE});
        let created = call(scope, "CreateStateMachine", request).await;
        assert_eq!(created["stateMachineArn"], format!("{base}:stateMachine:m"));
        let activity = call(scope, "CreateActivity", json!({"name": "a"})).await;
        assert_eq!(activity["activityArn"], format!("{base}:activity:a"));
    }
    for (scope, base) in scopes.into_iter().chain([
        // What is no region and no account is of the server's.
        ("test/20260101/NO_REGION", "arn:aws:states:us-east-1:123456789012"),
        ("11112222333x/20260101/us-east-1", "arn:aws:states:us-east-1:123456789012"),
    ]) {
        let listed = call(scope, "ListStateMachines", json!({})).await;
        let arns: Vec<&Value> = listed["stateMachines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|machine| &machine["stateMachineArn"])
            .collect();
        assert_eq!(arns, [&json!(format!("{base}:stateMachine:m"))], "{scope}");
    }
}

#[tokio::test]
async fn tags_are_checked() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let tag = |key: &str, value: &str| json!([{"key": "fine", "value": ""}, {"key": key, "value": value}]);
    for (key, value) in [("a b_.:/=+-@9é", ""), ("k", "x y"), ("awsome", "aws:")] {
        server.ok("TagResource", json!({"resourceArn": arn, "tags": tag(key, value)})).await;
    }
    for (tags, expected) in [
        (tag("a#b", ""), "Value 'a#b' at 'tags.2.member.key' failed to satisfy constraint"),
        (tag("a", "<"), "Value '<' at 'tags.2.member.value' failed to satisfy constraint"),
        (tag("aws:a", ""), "aws: prefixed tag key names are not allowed for external use."),
        (tag("AWS:a", ""), "aws: prefixed tag key names are not allowed for external use."),
    ] {
        for (operation, request) in [
            ("TagResource", json!({"resourceArn": arn, "tags": tags})),
            ("CreateActivity", json!({"name": "a", "tags": tags})),
            ("CreateStateMachine", json!({"name": "n", "definition": PASS, "roleArn": ROLE, "tags": tags})),
        ] {
            let (name, message) = server.refused(operation, request).await;
            assert_eq!(name, "ValidationException");
            assert!(message.contains(expected), "{operation}: {message}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_alias_keeps_its_date() {
    let mut server = TestServer::start().await;
    let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true});
    let version = server.ok("CreateStateMachine", request).await["stateMachineVersionArn"].clone();
    let routing = json!([{"stateMachineVersionArn": version, "weight": 100}]);
    let request = json!({"name": "live", "routingConfiguration": routing});
    let alias = text(&server.ok("CreateStateMachineAlias", request).await, "stateMachineAliasArn");
    let update = json!({"stateMachineAliasArn": alias, "description": "d"});
    let first = server.ok("UpdateStateMachineAlias", update.clone()).await;
    assert_eq!(server.ok("UpdateStateMachineAlias", update).await, first);
}

#[tokio::test]
async fn page_tokens_hold_for_one_question() {
    let mut server = TestServer::start().await;
    for name in ["a", "b", "c"] {
        server.machine(name).await;
        server.ok("CreateActivity", json!({"name": name})).await;
    }
    let page = server.ok("ListStateMachines", json!({"maxResults": 1})).await;
    let token = text(&page, "nextToken");
    assert_eq!(server.refused("ListActivities", json!({"nextToken": token})).await.0, "InvalidToken");
    let changed = format!("{}A", &token[..token.len() - 1]);
    for wrong in [changed.as_str(), "x", "AAAA"] {
        let refused = server.refused("ListStateMachines", json!({"nextToken": wrong})).await;
        assert_eq!(refused, ("InvalidToken".to_owned(), "Invalid Token: 'Invalid token'".to_owned()));
    }
    // What comes and goes before the cursor does not shift the page.
    server.ok("DeleteStateMachine", json!({"stateMachineArn": format!("{BASE}:stateMachine:a")})).await;
    server.machine("aa").await;
    let rest = server.ok("ListStateMachines", json!({"nextToken": token})).await;
    let names: Vec<_> =
        rest["stateMachines"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["aa", "b", "c"]);
}
