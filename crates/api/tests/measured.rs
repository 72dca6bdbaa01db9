//! What others recorded of AWS's answers, or quote from them in public; and what else the same rule decides.

use serde_json::json;

use crate::support::{PASS, ROLE, TestServer, text};

/// Recordings described in public: an alias that is not there, and one that is made again.
#[tokio::test]
async fn aliases() {
    let mut server = TestServer::start().await;
    let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true});
    let version = text(&server.ok("CreateStateMachine", request).await, "stateMachineVersionArn");
    let machine = version.trim_end_matches(":1").to_owned();
    let routing = json!([{"stateMachineVersionArn": version, "weight": 100}]);
    let gone = json!({"stateMachineAliasArn": format!("{machine}:gone")});
    assert_eq!(server.ok("DeleteStateMachineAlias", gone).await, json!({}));
    let request = json!({"stateMachineAliasArn": format!("{machine}:gone"), "routingConfiguration": routing});
    let refused = server.refused("UpdateStateMachineAlias", request).await;
    let message = "Request references a resource that does not exist.".to_owned();
    assert_eq!(refused, ("ResourceNotFound".to_owned(), message));

    let alias = json!({"name": "live", "routingConfiguration": routing});
    let arn = server.ok("CreateStateMachineAlias", alias.clone()).await;
    assert_eq!(server.ok("CreateStateMachineAlias", alias).await, arn);
    let other = json!({"name": "live", "description": "another", "routingConfiguration": routing});
    let refused = server.refused("CreateStateMachineAlias", other).await;
    let message = "Failed to create alias because an alias with the same name and a different routing configuration \
                   already exists.";
    assert_eq!(refused, ("ConflictException".to_owned(), message.to_owned()));
    let live = json!({"stateMachineAliasArn": arn["stateMachineAliasArn"]});
    for _ in 0..2 {
        server.ok("DeleteStateMachineAlias", live.clone()).await;
    }
}

/// A version cannot be updated; a new description gets a version of its own
/// (<https://github.com/getmoto/moto> `test_create_state_machine_with_version_description`, verified on AWS).
#[tokio::test]
async fn versions() {
    let mut server = TestServer::start().await;
    let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true, "versionDescription": "first"});
    let created = server.ok("CreateStateMachine", request).await;
    let (machine, version) = (text(&created, "stateMachineArn"), text(&created, "stateMachineVersionArn"));
    for qualified in [version, format!("{machine}:live")] {
        let request = json!({"stateMachineArn": qualified, "definition": PASS});
        let message = format!("State Machine Does Not Exist: '{qualified}'");
        let refused = server.refused("UpdateStateMachine", request).await;
        assert_eq!(refused, ("StateMachineDoesNotExist".to_owned(), message));
    }
    for (description, expected) in [(None, "first"), (Some("first"), "first"), (Some("second"), "second")] {
        let request = json!({"stateMachineArn": machine, "definition": PASS, "publish": true, "versionDescription": description});
        let updated = server.ok("UpdateStateMachine", request).await;
        let request = json!({"stateMachineArn": updated["stateMachineVersionArn"]});
        assert_eq!(text(&server.ok("DescribeStateMachine", request).await, "description"), expected);
    }
}

/// <https://github.com/cloudquery/cloudquery/pull/7911> quotes the first; the others are recordings described in public: texts that
/// are no JSON are refused in the words of AWS's reader.
#[tokio::test]
async fn words() {
    let mut server = TestServer::start().await;
    let machine = server.machine("m").await;
    let refused = server.refused("ListExecutions", json!({})).await;
    assert_eq!(refused.1, "Must provide a StateMachine ARN or MapRun ARN");
    for (input, why) in [
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
        ),
        ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
    ] {
        let request = json!({"stateMachineArn": machine, "input": input});
        let refused = server.refused("StartExecution", request).await;
        let message = format!("Invalid State Machine Execution Input: '{why}'");
        assert_eq!(refused, ("InvalidExecutionInput".to_owned(), message));
    }
    // The token is looked at before the output.
    for (token, error) in [("good", "InvalidOutput"), ("gone", "TaskDoesNotExist"), ("none", "InvalidToken")]
    {
        let request = json!({"taskToken": token, "output": "not json"});
        assert_eq!(server.refused("SendTaskSuccess", request).await.0, error);
    }
}
