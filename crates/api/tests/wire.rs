//! The protocol: error answers, limits, time-outs, shutdown.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use serde_json::json;
use stepwright_api::Server;
use stepwright_api::server::{BindError, Limits, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Client, TestServer, api};

#[tokio::test]
async fn what_is_not_a_request_is_refused_and_the_connection_goes_on() {
    let mut server = TestServer::start().await;
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    let cases: &[(&str, &[u8], &str)] = &[
        ("NoSuchOperation", b"{}", "UnknownOperationException"),
        ("ListStateMachines", b"{", "SerializationException"),
        ("ListStateMachines", b"[]", "SerializationException"),
        ("ListStateMachines", b"\xff\xfe", "SerializationException"),
        ("ListStateMachines", b"{\"nextToken\":\"\xff\"}", "SerializationException"),
        ("ListStateMachines", br#"{"maxResults":"1"}"#, "SerializationException"),
        ("ListStateMachines", br#"{"maxResults":1e99}"#, "SerializationException"),
        ("ListStateMachines", br#"{"nextToken":{}}"#, "SerializationException"),
        ("TagResource", br#"{"resourceArn":"x","tags":[["k","v"]]}"#, "SerializationException"),
        ("ListStateMachines", deep.as_bytes(), "SerializationException"),
    ];
    for (operation, body, expected) in cases {
        let answer = server.send(operation, body.to_vec()).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, *expected), "{operation}");
    }
    for body in ["", "{}", r#"{"unknown":[{}],"nextToken":null}"#] {
        let answer = server.send("ListStateMachines", body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"stateMachines":[]}"#), "{body}");
        assert_eq!(answer.headers["content-type"], "application/x-amz-json-1.0");
        assert_eq!(answer.headers["x-amzn-requestid"].len(), 36);
    }
}

#[tokio::test]
async fn constraints_are_reported_in_the_services_words() {
    let mut server = TestServer::start().await;
    let long = "a".repeat(81);
    let arn = "arn:aws:states:us-east-1:123456789012:stateMachine:a:1";
    let item = |weight: i32| json!({"stateMachineVersionArn": arn, "weight": weight});
    let cases = [
        ("StartExecution", json!({}), "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null".to_owned()),
        ("StartExecution", json!({"stateMachineArn": arn, "name": long}), format!("1 validation error detected: Value '{long}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80")),
        ("StartExecution", json!({"stateMachineArn": arn, "name": ""}), "1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        ("StartExecution", json!({"stateMachineArn": arn, "input": "1".repeat(262_145)}), "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144".to_owned()),
        ("ListExecutions", json!({"maxResults": 1001}), "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000".to_owned()),
        ("ListExecutions", json!({"statusFilter": "NONE"}), "1 validation error detected: Value 'NONE' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE]".to_owned()),
        ("CreateStateMachineAlias", json!({"name": "123", "routingConfiguration": [item(100)]}), r"1 validation error detected: Value '123' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$".to_owned()),
        ("CreateStateMachineAlias", json!({"name": "a", "routingConfiguration": [item(101)]}), "1 validation error detected: Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value less than or equal to 100".to_owned()),
        ("CreateStateMachineAlias", json!({"name": "a", "routingConfiguration": [item(50), item(30), item(20)]}), format!("1 validation error detected: Value '[RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight=50), RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight=30), RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight=20)]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2")),
        ("TagResource", json!({"tags": [{"key": ""}]}), "2 validation errors detected: Value null at 'resourceArn' failed to satisfy constraint: Member must not be null; Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
    ];
    for (operation, request, expected) in cases {
        let (name, message) = server.refused(operation, request).await;
        assert_eq!((name.as_str(), message.as_str()), ("ValidationException", expected.as_str()));
    }
}

#[tokio::test]
async fn probes_and_other_paths() {
    let server = TestServer::start().await;
    let mut client = Client::connect(server.address).await;
    for (path, status, body) in [
        ("/healthz", 200, "ok\n"),
        ("/readyz", 200, "ready\n"),
        ("/metrics", 200, ""),
        ("/x", 404, "not found\n"),
    ] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
    }
}

#[tokio::test]
async fn pages_of_others_are_refused_on_an_open_port() {
    let server = TestServer::start().await;
    let mut client = Client::connect(server.address).await;
    let request = Request::post("/")
        .header("host", "localhost")
        .header("origin", "https://example.com")
        .header("x-amz-target", "AWSStepFunctions.ListStateMachines")
        .body(Full::from("{}"))
        .unwrap();
    let answer = client.request(request).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (403, "AccessDeniedException"));
}

#[tokio::test]
async fn beyond_loopback_needs_credentials() {
    let (api, _) = api().await;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::bind(everywhere, api, Options::default()).await;
    assert!(matches!(refused, Err(BindError::NeedsCredentials(_))));
}

#[tokio::test]
async fn requests_may_be_pipelined() {
    let server = TestServer::start().await;
    let one = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.ListActivities\r\ncontent-length: 2\r\n\r\n{}";
    let last = one.replace("host: x", "host: x\r\nconnection: close");
    let answers = exchange(server.address, format!("{one}{one}{last}").as_bytes()).await;
    assert_eq!(answers.matches(r#"{"activities":[]}"#).count(), 3, "{answers}");
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused() {
    let limits = Limits { body_bytes_max: 100_000, ..Limits::default() };
    let server = TestServer::with(Options { limits, ..Options::default() }).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.ListActivities\r\n";
    let announced = format!("{head}content-length: 100001\r\nconnection: close\r\n\r\n");
    let answer = exchange(server.address, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("RequestEntityTooLargeException"), "{answer}");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    let answer = exchange(server.address, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let limits = Limits {
        head_timeout: Duration::from_millis(30),
        body_timeout: Duration::from_millis(30),
        ..Limits::default()
    };
    let server = TestServer::with(Options { limits, ..Options::default() }).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AWSStepFunctions.ListActivities\r\n";
    // A body that does not come, a head that does not end, a connection that says nothing.
    let answer = exchange(server.address, format!("{head}content-length: 10\r\n\r\n{{").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    exchange(server.address, head.as_bytes()).await;
    exchange(server.address, b"").await;
}

#[tokio::test]
async fn connections_are_bounded() {
    let limits = Limits { connections_max: 2, ..Limits::default() };
    let mut server = TestServer::with(Options { limits, ..Options::default() }).await;
    let created = server.ok("CreateActivity", json!({"name": "a"})).await;
    // Idle connections, one after the other, of which each makes room for the next.
    let mut idle = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        idle.push(stream);
    }
    for stream in &mut idle[..3] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    }
    // Connections that work stay; a further one waits until there is an idle one.
    let body = json!({"activityArn": created["activityArn"]}).to_string();
    let mut polls = Vec::new();
    for _ in 0..2 {
        let (mut worker, body) = (Client::connect(server.address).await, body.clone());
        polls.push(tokio::spawn(async move { worker.call("GetActivityTask", body).await }));
    }
    while server.backend.polls() < 2 {
        tokio::task::yield_now().await;
    }
    let mut late = TcpStream::connect(server.address).await.unwrap();
    late.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let early = tokio::time::timeout(Duration::from_millis(30), late.read_to_string(&mut answer)).await;
    assert!(early.is_err());
    polls.pop().unwrap().abort();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn shutdown_answers_long_polls_and_waits_for_requests() {
    let mut server = TestServer::start().await;
    let created = server.ok("CreateActivity", json!({"name": "a"})).await;
    let mut worker = Client::connect(server.address).await;
    let body = json!({"activityArn": created["activityArn"]}).to_string();
    let poll = tokio::spawn(async move { worker.call("GetActivityTask", body).await });
    // The poll has to have arrived, which an answer on a later connection does not prove: wait for it to be counted.
    while server.backend.polls() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(server.server.shut_down().await);
    let answer = poll.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// Sends bytes and reads what comes until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is as good as an end.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
