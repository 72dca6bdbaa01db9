//! Tests of what the crate does with real processes and a real HTTP endpoint. One binary, so that it links once.

mod endpoint;
mod local;
mod throughput;

use std::time::Duration;

use stepwright_tasks::{Call, Resource, Success};
use stepwright_value::Document;

/// A call as the engine makes it.
fn call(resource: &str, parameters: &str) -> Call {
    Call {
        resource: Resource::parse(resource).expect("a resource"),
        parameters: Document::parse(parameters).expect("JSON"),
        idempotency_token: "token".to_owned(),
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m:e".to_owned(),
        state_name: "S".to_owned(),
        role_arn: None,
        region: "us-east-1".to_owned(),
        account_id: "123456789012".to_owned(),
    }
}

/// The result's text.
fn text(success: Success) -> String {
    success.output.text().to_owned()
}

const INVOKE: &str = "arn:aws:states:::lambda:invoke";

/// Waits for something that other tasks or processes bring about, and fails when it does not come.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("not in time: {what}"));
}
