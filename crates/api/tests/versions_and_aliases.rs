//! Versions and aliases.

use serde_json::{Value, json};

use crate::support::{PASS, ROLE, TestServer, text};

async fn published(server: &mut TestServer) -> (String, String) {
    let request = json!({"name": "m", "definition": PASS, "roleArn": ROLE, "publish": true});
    let created = server.ok("CreateStateMachine", request).await;
    (text(&created, "stateMachineArn"), text(&created, "stateMachineVersionArn"))
}

async fn update(server: &mut TestServer, arn: &str, comment: u32) -> Value {
    let definition = PASS.replacen('{', &format!(r#"{{"Comment":"{comment}","#), 1);
    server.ok("UpdateStateMachine", json!({"stateMachineArn": arn, "definition": definition})).await
}

#[tokio::test]
async fn versions_are_numbered_and_idempotent() {
    let mut server = TestServer::start().await;
    let (arn, first) = published(&mut server).await;
    assert_eq!(first, format!("{arn}:1"));
    let again = server.ok("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    assert_eq!(again["stateMachineVersionArn"], first);
    let same = json!({"stateMachineArn": arn, "definition": PASS, "publish": true});
    let unchanged = server.ok("UpdateStateMachine", same).await;
    assert_eq!((unchanged.get("revisionId"), &unchanged["stateMachineVersionArn"]), (None, &json!(first)));

    let old = update(&mut server, &arn, 2).await;
    let request = json!({"stateMachineArn": arn, "description": "two"});
    let second = server.ok("PublishStateMachineVersion", request).await;
    assert_eq!(second["stateMachineVersionArn"], format!("{arn}:2"));
    let described =
        server.ok("DescribeStateMachine", json!({"stateMachineArn": second["stateMachineVersionArn"]})).await;
    assert_eq!(described["stateMachineArn"], second["stateMachineVersionArn"]);
    assert_eq!((&described["description"], &described["revisionId"]), (&json!("two"), &old["revisionId"]));
    let listed =
        server.ok("ListStateMachineVersions", json!({"stateMachineArn": arn, "maxResults": 1})).await;
    assert_eq!(listed["stateMachineVersions"][0]["stateMachineVersionArn"], format!("{arn}:2"));
    let request = json!({"stateMachineArn": arn, "nextToken": listed["nextToken"]});
    let rest = server.ok("ListStateMachineVersions", request).await;
    assert_eq!(rest["stateMachineVersions"].as_array().map(Vec::len), Some(1));

    let new = update(&mut server, &arn, 3).await;
    let request = json!({"stateMachineArn": arn, "revisionId": old["revisionId"]});
    let message = format!(
        "Failed to publish the State Machine version for revision {}. The current State Machine revision is {}.",
        text(&old, "revisionId"),
        text(&new, "revisionId")
    );
    let refused = server.refused("PublishStateMachineVersion", request).await;
    assert_eq!(refused, ("ConflictException".to_owned(), message));

    // Numbers are not used again.
    for version in ["1", "2", "2"] {
        let request = json!({"stateMachineVersionArn": format!("{arn}:{version}")});
        server.ok("DeleteStateMachineVersion", request).await;
    }
    let third = server.ok("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    assert_eq!(third["stateMachineVersionArn"], format!("{arn}:3"));
}

#[tokio::test]
async fn aliases_route_to_versions() {
    let mut server = TestServer::start().await;
    let (arn, first) = published(&mut server).await;
    let routing = json!([{"stateMachineVersionArn": first, "weight": 100}]);
    let request = json!({"name": "live", "description": "d", "routingConfiguration": routing});
    let created = server.ok("CreateStateMachineAlias", request.clone()).await;
    let alias = text(&created, "stateMachineAliasArn");
    assert_eq!(alias, format!("{arn}:live"));
    assert_eq!(server.ok("CreateStateMachineAlias", request.clone()).await, created);
    let other = json!({"name": "live", "routingConfiguration": routing});
    assert_eq!(server.refused("CreateStateMachineAlias", other).await.0, "ConflictException");

    let started = server.ok("StartExecution", json!({"stateMachineArn": alias})).await;
    let described = server.ok("DescribeExecution", json!({"executionArn": started["executionArn"]})).await;
    assert_eq!(described["stateMachineArn"], arn);
    assert_eq!(
        (&described["stateMachineAliasArn"], &described["stateMachineVersionArn"]),
        (&json!(alias), &json!(first))
    );
    let listed = server.ok("ListExecutions", json!({"stateMachineArn": alias})).await;
    assert_eq!(listed["executions"].as_array().map(Vec::len), Some(1));

    let refused = server.refused("DeleteStateMachineVersion", json!({"stateMachineVersionArn": first})).await;
    assert_eq!(
        refused,
        (
            "ConflictException".to_owned(),
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [live]".to_owned()
        )
    );
    update(&mut server, &arn, 2).await;
    let second = server.ok("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    let second = text(&second, "stateMachineVersionArn");
    let request = json!({
        "stateMachineAliasArn": alias,
        "routingConfiguration": [{"stateMachineVersionArn": second, "weight": 100}],
    });
    server.ok("UpdateStateMachineAlias", request).await;
    let described = server.ok("DescribeStateMachineAlias", json!({"stateMachineAliasArn": alias})).await;
    assert_eq!(described["routingConfiguration"][0]["stateMachineVersionArn"], second);
    assert_eq!(described["description"], "d");
    for (filter, count) in [(&arn, 1), (&second, 1), (&first, 0)] {
        let listed = server.ok("ListStateMachineAliases", json!({"stateMachineArn": filter})).await;
        assert_eq!(listed["stateMachineAliases"].as_array().map(Vec::len), Some(count), "{filter}");
    }
    server.ok("DeleteStateMachineVersion", json!({"stateMachineVersionArn": first})).await;
    server.ok("DeleteStateMachineAlias", json!({"stateMachineAliasArn": alias})).await;
    let refused = server.refused("DescribeStateMachineAlias", json!({"stateMachineAliasArn": alias})).await;
    assert_eq!(refused, ("ResourceNotFound".to_owned(), format!("Resource not found: '{alias}'")));
}

#[tokio::test]
async fn routing_configurations_are_checked() {
    let mut server = TestServer::start().await;
    let (arn, first) = published(&mut server).await;
    update(&mut server, &arn, 2).await;
    let second = text(
        &server.ok("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await,
        "stateMachineVersionArn",
    );
    let item = |version: &str, weight: i32| json!({"stateMachineVersionArn": version, "weight": weight});
    let cases = [
        (
            json!([item(&first, 50), item(&first, 50)]),
            format!(
                "Routing configuration must contain distinct state machine version ARNs. Received: [{first}, {first}]"
            ),
        ),
        (
            json!([item(&arn, 70), item(&second, 30)]),
            format!(
                "Routing configuration must contain state machine version ARNs. Received: [{arn}, {second}]"
            ),
        ),
        (
            json!([item(&first, 70), item(&second, 29)]),
            "Sum of routing configuration weights must equal 100. Received: [70, 29]".to_owned(),
        ),
    ];
    for (routing, message) in cases {
        let request = json!({"name": "a", "routingConfiguration": routing});
        let refused = server.refused("CreateStateMachineAlias", request).await;
        assert_eq!(refused, ("ValidationException".to_owned(), message));
    }
    let request = json!({"name": "a", "routingConfiguration": [item(&format!("{arn}:9"), 100)]});
    assert_eq!(server.refused("CreateStateMachineAlias", request).await.0, "ResourceNotFound");
}
