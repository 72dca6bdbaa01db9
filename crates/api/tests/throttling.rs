//! Throttling over HTTP, and changing it there.

use std::sync::Arc;

use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use stepwright_api::own::throttling::ThrottlingEndpoint;
use stepwright_server::Options;

use crate::support::{Answer, Client, TestServer};

async fn send(client: &mut Client, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    client.request(request.body(Full::new(body.into())).unwrap()).await
}

#[tokio::test]
async fn an_operation_takes_as_many_requests_as_its_bucket_holds() {
    let mut server = TestServer::with_tenants(Options::default(), |api| {
        vec![Arc::new(ThrottlingEndpoint(api.throttling().clone()))]
    })
    .await;
    let machine = server.machine("m").await;
    let mut client = Client::connect(server.address).await;
    for _ in 0..200 {
        server.ok("ListTagsForResource", json!({"resourceArn": machine})).await;
    }
    let set = send(&mut client, Method::PUT, "/throttling", json!({"profile": "aws"})).await;
    assert_eq!(
        (set.status, &set.json()["operations"]["StopExecution"]),
        (200, &json!({"bucket": 1000, "refill_per_s": 200}))
    );
    let one = json!({"bucket": 2, "refill_per_s": 1});
    let set = send(&mut client, Method::PUT, "/throttling/StartExecution", one.clone()).await;
    assert_eq!((set.status, &set.json()["operations"]["StartExecution"]), (200, &one));
    for _ in 0..2 {
        server.ok("StartExecution", json!({"stateMachineArn": machine})).await;
    }
    let refused = server.send("StartExecution", json!({"stateMachineArn": machine}).to_string()).await;
    assert_eq!(
        (refused.status, refused.error()),
        (400, ("ThrottlingException".to_owned(), "Rate exceeded".to_owned()))
    );
    assert_eq!(refused.json()["__type"], "com.amazon.coral.availability#ThrottlingException");
    // Other operations are not concerned.
    server.ok("ListExecutions", json!({"stateMachineArn": machine})).await;
    let off = send(&mut client, Method::DELETE, "/throttling/StartExecution", Value::Null).await;
    assert_eq!(off.json()["operations"]["StartExecution"], Value::Null);
    server.ok("StartExecution", json!({"stateMachineArn": machine})).await;
    send(&mut client, Method::PUT, "/throttling", json!({"profile": "aws"})).await;
    for _ in 0..100 {
        server.ok("ListTagsForResource", json!({"resourceArn": machine})).await;
    }
    let (name, _) = server.refused("ListTagsForResource", json!({"resourceArn": machine})).await;
    assert_eq!(name, "ThrottlingException");
    for (method, path, body, status) in [
        (Method::PUT, "/throttling", json!({"profile": "azure"}), 400),
        (Method::PUT, "/throttling/Nothing", one.clone(), 400),
        (Method::PUT, "/throttling/TestState", json!({"bucket": 0, "refill_per_s": 1}), 400),
        (Method::POST, "/throttling", Value::Null, 405),
        (Method::GET, "/throttling/TestState", Value::Null, 405),
        (Method::GET, "/throttling/a/b", Value::Null, 404),
    ] {
        let answer = send(&mut client, method, path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        assert!(answer.json()["error"].is_string());
    }
}
