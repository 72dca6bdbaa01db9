//! Activities and tags.

use serde_json::json;
use stepwright_api::backend::ActivityTask;
use stepwright_value::Document;

use crate::support::{TestServer, text};

#[tokio::test]
async fn activities() {
    let mut server = TestServer::start().await;
    let created = server.ok("CreateActivity", json!({"name": "a.b-c_1"})).await;
    assert_eq!(server.ok("CreateActivity", json!({"name": "a.b-c_1"})).await, created);
    let arn = text(&created, "activityArn");
    assert_eq!(
        server.ok("DescribeActivity", json!({"activityArn": arn})).await,
        json!({
            "activityArn": arn,
            "name": "a.b-c_1",
            "creationDate": created["creationDate"],
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        })
    );
    let key = json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "k"});
    let request = json!({"name": "a.b-c_1", "encryptionConfiguration": key});
    assert_eq!(server.refused("CreateActivity", request).await.0, "ActivityAlreadyExists");
    for name in ["a\u{1f}", "\u{0}a", "a~b", "a/b"] {
        let refused = server.refused("CreateActivity", json!({"name": name})).await;
        assert_eq!(refused, ("InvalidName".to_owned(), format!("Invalid Name: '{name}'")));
    }
    assert_eq!(
        server.ok("ListActivities", json!({})).await,
        json!({"activities": [{"activityArn": arn, "name": "a.b-c_1", "creationDate": created["creationDate"]}]})
    );
    for _ in 0..2 {
        server.ok("DeleteActivity", json!({"activityArn": arn})).await;
    }
    for operation in ["DescribeActivity", "GetActivityTask"] {
        let refused = server.refused(operation, json!({"activityArn": arn})).await;
        assert_eq!(refused, ("ActivityDoesNotExist".to_owned(), format!("Activity Does Not Exist: '{arn}'")));
    }
}

#[tokio::test]
async fn workers_get_tasks() {
    let mut server = TestServer::start().await;
    let arn = text(&server.ok("CreateActivity", json!({"name": "a"})).await, "activityArn");
    let task = ActivityTask { token: "t".to_owned(), input: Document::from_stored_text("[1 ]") };
    server.backend.tasks.lock().unwrap().push_back(task);
    server.backend.task_added.notify_one();
    let task = server.ok("GetActivityTask", json!({"activityArn": arn, "workerName": "w"})).await;
    assert_eq!(task, json!({"taskToken": "t", "input": "[1 ]"}));
}

#[tokio::test]
async fn tags() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let set = json!([tag("b", "1"), tag("a", ""), tag("b", "2")]);
    server.ok("TagResource", json!({"resourceArn": arn, "tags": set})).await;
    let listed = server.ok("ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(listed, json!({"tags": [tag("b", "2"), tag("a", "")]}));
    server.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": ["b", "b", "c"]})).await;
    server.ok("UntagResource", json!({"resourceArn": arn, "tagKeys": []})).await;
    let listed = server.ok("ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(listed, json!({"tags": [tag("a", "")]}));
    let many: Vec<_> = (0..50).map(|number| tag(&number.to_string(), "")).collect();
    assert_eq!(
        server.refused("TagResource", json!({"resourceArn": arn, "tags": many})).await.0,
        "TooManyTags"
    );
    let version = server.ok("PublishStateMachineVersion", json!({"stateMachineArn": arn})).await;
    let version = text(&version, "stateMachineVersionArn");
    let refused = server.refused("TagResource", json!({"resourceArn": version, "tags": []})).await;
    assert_eq!(refused, ("ResourceNotFound".to_owned(), format!("Resource not found: '{version}'")));
    // Tags go with their resource.
    server.ok("DeleteStateMachine", json!({"stateMachineArn": arn})).await;
    let arn = server.machine("m").await;
    let listed = server.ok("ListTagsForResource", json!({"resourceArn": arn})).await;
    assert_eq!(listed, json!({"tags": []}));
}
