//! `loggingConfiguration`, `tracingConfiguration` and `encryptionConfiguration`: what is refused, and what is returned.

use serde_json::{Value, json};

use crate::support::{PASS, ROLE, TestServer, text};

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:orders:*";

fn log_to(arn: &str) -> Value {
    json!([{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}])
}

/// Member, what is given, and the error's name and message.
fn refusals() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let logging = "InvalidLoggingConfiguration";
    let encryption = "InvalidEncryptionConfiguration";
    let exactly_one = "Invalid Logging Configuration: Must specify exactly one Log Destination.";
    let not_found = "Invalid Logging Configuration: Log Destination not found.";
    let two = json!([log_to(GROUP)[0], log_to(GROUP)[0]]);
    vec![
        ("loggingConfiguration", json!({"level": "FATAL", "destinations": []}), logging, exactly_one),
        ("loggingConfiguration", json!({"level": "OFF", "destinations": two}), logging, exactly_one),
        (
            "loggingConfiguration",
            json!({"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {}}]}),
            logging,
            "Invalid Logging Configuration: Log Destination is empty.",
        ),
        (
            "loggingConfiguration",
            json!({"level": "ALL", "destinations": log_to(GROUP.trim_end_matches(":*"))}),
            logging,
            "Invalid Logging Configuration: Log Group ARN must be provided with '*' qualifier.",
        ),
        (
            "loggingConfiguration",
            json!({"level": "OFF", "destinations": log_to("orders")}),
            logging,
            not_found,
        ),
        (
            "loggingConfiguration",
            json!({"level": "ALL", "destinations": log_to(&GROUP.replace("orders", "missing"))}),
            logging,
            not_found,
        ),
        (
            "encryptionConfiguration",
            json!({"type": "CUSTOMER_MANAGED_KMS_KEY"}),
            encryption,
            "Invalid Encryption Configuration: kmsKeyId is required for CUSTOMER_MANAGED_KMS_KEY",
        ),
        (
            "encryptionConfiguration",
            json!({"type": "AWS_OWNED_KEY", "kmsKeyId": KEY}),
            encryption,
            "Invalid Encryption Configuration: kmsKeyId cannot be given for AWS_OWNED_KEY",
        ),
        (
            "encryptionConfiguration",
            json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY, "kmsDataKeyReusePeriodSeconds": 59}),
            "ValidationException",
            "1 validation error detected: Value '59' at 'encryptionConfiguration.kmsDataKeyReusePeriodSeconds' failed \
             to satisfy constraint: Member must have value greater than or equal to 60",
        ),
        (
            "encryptionConfiguration",
            json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY, "kmsDataKeyReusePeriodSeconds": 901}),
            "ValidationException",
            "1 validation error detected: Value '901' at 'encryptionConfiguration.kmsDataKeyReusePeriodSeconds' failed \
             to satisfy constraint: Member must have value less than or equal to 900",
        ),
        (
            "encryptionConfiguration",
            json!({"kmsKeyId": KEY}),
            "ValidationException",
            "1 validation error detected: Value null at 'encryptionConfiguration.type' failed to satisfy constraint: \
             Member must not be null",
        ),
    ]
}

#[tokio::test]
async fn refused_alike_on_create_and_update() {
    let mut server = TestServer::start().await;
    let arn = server.machine("m").await;
    for (member, given, name, message) in refusals() {
        let expected = (name.to_owned(), message.to_owned());
        let create = json!({"name": "n", "definition": PASS, "roleArn": ROLE, member: given});
        assert_eq!(server.refused("CreateStateMachine", create).await, expected, "{given}");
        let update = json!({"stateMachineArn": arn, member: given});
        assert_eq!(server.refused("UpdateStateMachine", update).await, expected, "{given}");
        if member == "encryptionConfiguration" {
            let create = json!({"name": "n", member: given});
            assert_eq!(server.refused("CreateActivity", create).await, expected, "{given}");
        }
    }
}

#[tokio::test]
async fn returned_with_defaults() {
    let cases = [
        ("loggingConfiguration", json!({}), json!({"level": "OFF", "includeExecutionData": false})),
        (
            "loggingConfiguration",
            json!({"includeExecutionData": true}),
            json!({"level": "OFF", "includeExecutionData": true}),
        ),
        (
            "loggingConfiguration",
            json!({"level": "ERROR", "destinations": log_to(GROUP)}),
            json!({"level": "ERROR", "includeExecutionData": false, "destinations": log_to(GROUP)}),
        ),
        ("tracingConfiguration", json!({}), json!({"enabled": false})),
        ("tracingConfiguration", json!({"enabled": true}), json!({"enabled": true})),
        ("encryptionConfiguration", json!({"type": "AWS_OWNED_KEY"}), json!({"type": "AWS_OWNED_KEY"})),
        (
            "encryptionConfiguration",
            json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY}),
            json!({"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": KEY, "kmsDataKeyReusePeriodSeconds": 300}),
        ),
        (
            "encryptionConfiguration",
            json!({
                "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/a", "kmsDataKeyReusePeriodSeconds": 900,
            }),
            json!({
                "type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/a", "kmsDataKeyReusePeriodSeconds": 900,
            }),
        ),
    ];
    let mut server = TestServer::start().await;
    let updated = server.machine("updated").await;
    for (number, (member, given, expected)) in cases.into_iter().enumerate() {
        let create =
            json!({"name": format!("m{number}"), "definition": PASS, "roleArn": ROLE, member: given});
        let created = text(&server.ok("CreateStateMachine", create.clone()).await, "stateMachineArn");
        // The same request again is the same machine, defaults or not.
        server.ok("CreateStateMachine", create).await;
        server.ok("UpdateStateMachine", json!({"stateMachineArn": updated, member: given})).await;
        for arn in [&created, &updated] {
            let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
            assert_eq!(described[member], expected, "{given}");
            let started = server.ok("StartExecution", json!({"stateMachineArn": arn})).await;
            let execution = json!({"executionArn": started["executionArn"]});
            let described = server.ok("DescribeStateMachineForExecution", execution).await;
            assert_eq!(described[member], expected, "{given}");
        }
        if member == "encryptionConfiguration" {
            let create = json!({"name": format!("a{number}"), member: given});
            let arn = text(&server.ok("CreateActivity", create).await, "activityArn");
            let described = server.ok("DescribeActivity", json!({"activityArn": arn})).await;
            assert_eq!(described[member], expected, "{given}");
        }
    }
    // One configuration does not touch the others, and what is the same is no new revision.
    let described = server.ok("DescribeStateMachine", json!({"stateMachineArn": updated})).await;
    assert_eq!(described["tracingConfiguration"], json!({"enabled": true}));
    assert_eq!(described["loggingConfiguration"]["level"], "ERROR");
    let again = json!({"stateMachineArn": updated, "tracingConfiguration": {"enabled": true}});
    let again = server.ok("UpdateStateMachine", again).await;
    assert_eq!(again["revisionId"], described["revisionId"]);
}
