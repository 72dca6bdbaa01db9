//! State machines: creating, updating, describing, listing, deleting.

use serde_json::{Value, json};
use stepwright_store::CatalogKind;

use crate::support::{PASS, ROLE, TestServer, text};

const MISSING: &str = "arn:aws:logs:us-east-1:123456789012:log-group:missing:*";
const BASE: &str = "arn:aws:states:us-east-1:123456789012";

fn create(name: &str) -> Value {
    json!({"name": name, "definition": PASS, "roleArn": ROLE})
}

fn with(mut request: Value, member: &str, value: Value) -> Value {
    request[member] = value;
    request
}

#[tokio::test]
async fn creating_is_idempotent_for_the_same_content() {
    let mut server = TestServer::start().await;
    let first = server.ok("CreateStateMachine", create("m")).await;
    assert_eq!(first["stateMachineArn"], format!("{BASE}:stateMachine:m"));
    let again = [
        create("m"),
        with(create("m"), "roleArn", json!("arn:aws:iam::123456789012:role/other")),
        with(create("m"), "type", json!("STANDARD")),
        with(create("m"), "loggingConfiguration", json!({"level": "OFF"})),
        with(create("m"), "tags", json!([{"key": "k", "value": "v"}])),
    ];
    for request in again {
        assert_eq!(server.ok("CreateStateMachine", request).await, first);
    }
    let others = [
        with(create("m"), "definition", json!(format!(" {PASS}"))),
        with(create("m"), "type", json!("EXPRESS")),
        with(create("m"), "tracingConfiguration", json!({"enabled": true})),
    ];
    for request in others {
        let expected = format!("State Machine Already Exists: '{BASE}:stateMachine:m'");
        let refused = server.refused("CreateStateMachine", request).await;
        assert_eq!(refused, ("StateMachineAlreadyExists".to_owned(), expected));
    }
}

#[tokio::test]
async fn what_cannot_be_created() {
    let mut server = TestServer::start().await;
    let group = |arn: &str| json!({"cloudWatchLogsLogGroup": {"logGroupArn": arn}});
    let cases = [
        (with(create("m"), "name", json!("a b")), "InvalidName", "Invalid Name: 'a b'"),
        (
            with(create("m"), "definition", json!("{}")),
            "InvalidDefinition",
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
        ),
        (with(create("m"), "roleArn", json!("x")), "InvalidArn", "Invalid Role Arn: 'x'"),
        (
            with(create("m"), "versionDescription", json!("x")),
            "ValidationException",
            "Version description can only be set when publish is true",
        ),
        (
            with(create("m"), "loggingConfiguration", json!({"level": "ALL"})),
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        ),
        (
            with(
                create("m"),
                "loggingConfiguration",
                json!({"level": "ALL", "destinations": [group(MISSING)]}),
            ),
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Log Destination not found.",
        ),
    ];
    for (request, name, message) in cases {
        let refused = server.refused("CreateStateMachine", request).await;
        assert_eq!(refused, (name.to_owned(), message.to_owned()));
    }
    let tags: Vec<Value> = (0..51).map(|number| json!({"key": number.to_string()})).collect();
    let (name, _) = server.refused("CreateStateMachine", with(create("m"), "tags", json!(tags))).await;
    assert_eq!(name, "TooManyTags");
    assert_eq!(server.ok("ListStateMachines", json!({})).await, json!({"stateMachines": []}));
}

#[tokio::test]
async fn describing_fills_in_defaults() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(
        described,
        json!({
            "stateMachineArn": arn,
            "name": "m",
            "status": "ACTIVE",
            "definition": PASS,
            "roleArn": ROLE,
            "type": "STANDARD",
            "creationDate": described["creationDate"],
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
            "tracingConfiguration": {"enabled": false},
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        })
    );
    let request = with(create("n"), "loggingConfiguration", json!({"destinations": []}));
    let arn = text(&server.ok("CreateStateMachine", request).await, "stateMachineArn");
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    let logging = json!({"destinations": [], "includeExecutionData": false, "level": "OFF"});
    assert_eq!(described["loggingConfiguration"], logging);
    let missing = format!("{BASE}:stateMachine:missing");
    assert_eq!(
        server.refused("DescribeStateMachine", json!({"stateMachineArn": missing})).await,
        ("StateMachineDoesNotExist".to_owned(), format!("State Machine Does Not Exist: '{missing}'"))
    );
}

#[tokio::test]
async fn updating_makes_revisions() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let refused = server.refused("UpdateStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(refused.0, "MissingRequiredParameter");
    assert_eq!(
        refused.1,
        "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified"
    );
    // The same content is no new revision.
    let same = server.ok("UpdateStateMachine", json!({"stateMachineArn": arn, "definition": PASS})).await;
    assert_eq!(same.get("revisionId"), None);
    let other = PASS.replace("Pass", "Succeed");
    let updated = server.ok("UpdateStateMachine", json!({"stateMachineArn": arn, "definition": other})).await;
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(described["revisionId"], updated["revisionId"]);
    assert_eq!((&described["definition"], &described["roleArn"]), (&json!(other), &json!(ROLE)));
    let role = "arn:aws:iam::123456789012:role/other";
    let again = server.ok("UpdateStateMachine", json!({"stateMachineArn": arn, "roleArn": role})).await;
    assert_ne!(again["revisionId"], updated["revisionId"]);
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!((&described["definition"], &described["roleArn"]), (&json!(other), &json!(role)));
    let missing = format!("{BASE}:stateMachine:missing");
    let request = json!({"stateMachineArn": missing, "roleArn": role});
    assert_eq!(server.refused("UpdateStateMachine", request).await.0, "StateMachineDoesNotExist");
}

#[tokio::test]
async fn listing_goes_by_name_in_pages() {
    let mut server = TestServer::start().await;
    for name in ["b", "c", "a"] {
        server.machine(name).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        answer["stateMachines"].as_array().unwrap().iter().map(|item| text(item, "name")).collect()
    };
    let all = server.ok("ListStateMachines", json!({"maxResults": 0})).await;
    assert_eq!((names(&all), all.get("nextToken")), (vec!["a".to_owned(), "b".into(), "c".into()], None));
    let first = server.ok("ListStateMachines", json!({"maxResults": 2})).await;
    assert_eq!(names(&first), ["a", "b"]);
    let second =
        server.ok("ListStateMachines", json!({"maxResults": 2, "nextToken": first["nextToken"]})).await;
    assert_eq!((names(&second), second.get("nextToken")), (vec!["c".to_owned()], None));
    for (operation, token) in
        [("ListStateMachines", json!("nonsense")), ("ListActivities", first["nextToken"].clone())]
    {
        let refused = server.refused(operation, json!({"nextToken": token})).await;
        assert_eq!(refused, ("InvalidToken".to_owned(), "Invalid Token: 'Invalid token'".to_owned()));
    }
}

#[tokio::test]
async fn deleting_waits_for_executions() {
    let mut server = TestServer::start().await;
    let idle = server.machine("idle").await;
    server.ok("DeleteStateMachine", json!({"stateMachineArn": idle})).await;
    server.ok("DeleteStateMachine", json!({"stateMachineArn": idle})).await;
    let refused = server.refused("DescribeStateMachine", json!({"stateMachineArn": idle})).await;
    assert_eq!(refused.0, "StateMachineDoesNotExist");

    let busy = server.machine("waiting").await;
    let started = server.ok("StartExecution", json!({"stateMachineArn": busy})).await;
    server.ok("DeleteStateMachine", json!({"stateMachineArn": busy})).await;
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": busy})).await;
    assert_eq!(described["status"], "DELETING");
    for (operation, request) in [
        ("StartExecution", json!({"stateMachineArn": busy})),
        ("CreateStateMachine", create("waiting")),
        ("UpdateStateMachine", json!({"stateMachineArn": busy, "roleArn": ROLE})),
    ] {
        assert_eq!(server.refused(operation, request).await.0, "StateMachineDeleting", "{operation}");
    }
    server.ok("StopExecution", json!({"executionArn": started["executionArn"]})).await;
    // In the background, soon.
    while server.ok("ListStateMachines", json!({})).await != json!({"stateMachines": []}) {
        tokio::task::yield_now().await;
    }
    server.ok("CreateStateMachine", create("waiting")).await;
    for (arn, name) in [
        ("x".to_owned(), "InvalidArn"),
        (format!("{BASE}:activity:x"), "InvalidArn"),
        (format!("{BASE}:stateMachine:x/label"), "ValidationException"),
    ] {
        assert_eq!(
            server.refused("DeleteStateMachine", json!({"stateMachineArn": arn})).await.0,
            name,
            "{arn}"
        );
    }
}

#[tokio::test]
async fn a_deleted_machine_leaves_nothing_in_the_catalogue() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    for number in 0..40 {
        let definition = format!(
            r#"{{"Comment":"{number}","StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}}"#
        );
        let request = json!({"stateMachineArn": arn, "definition": definition, "publish": true});
        let version = text(&server.ok("UpdateStateMachine", request).await, "stateMachineVersionArn");
        let routing = json!([{"stateMachineVersionArn": version, "weight": 100}]);
        let request = json!({"name": format!("a{number}"), "routingConfiguration": routing});
        server.ok("CreateStateMachineAlias", request).await;
    }
    let tags = json!([{"key": "k", "value": "v"}]);
    server.ok("TagResource", json!({"resourceArn": arn, "tags": tags})).await;
    server.machine("other").await;
    server.ok("DeleteStateMachine", json!({"stateMachineArn": arn})).await;
    let names = |answer: &Value| -> Vec<String> {
        answer["stateMachines"].as_array().unwrap().iter().map(|item| text(item, "name")).collect()
    };
    while names(&server.ok("ListStateMachines", json!({})).await).len() > 1 {
        tokio::task::yield_now().await;
    }
    let expected = [CatalogKind::StateMachine, CatalogKind::Revision];
    assert_eq!(server.records().await, expected, "those of the other one");
}

#[tokio::test]
async fn definitions_are_validated() {
    let mut server = TestServer::start().await;
    let good = server.ok("ValidateStateMachineDefinition", json!({"definition": PASS})).await;
    assert_eq!(good, json!({"result": "OK", "diagnostics": [], "truncated": false}));
    let bad = server.ok("ValidateStateMachineDefinition", json!({"definition": "{}"})).await;
    let diagnostic = json!({
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "These fields are required: [States]",
        "location": "/",
    });
    assert_eq!(bad, json!({"result": "FAIL", "diagnostics": [diagnostic], "truncated": false}));
}
