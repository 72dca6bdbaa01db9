//! The protocol: error answers, limits, time-outs, shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stepwright_server::endpoint::Reply;
use stepwright_server::{Answering, BindError, Call, Limits, Options, Place, Server, Tenant, WriteLimits};
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
async fn beyond_loopback_needs_credentials() {
    let (api, _) = api().await;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = Server::bind(everywhere, vec![api], Options::default()).await;
    assert!(matches!(refused, Err(BindError::NeedsCredentials(_))));
}

#[tokio::test]
async fn requests_may_be_pipelined() {
    let server = TestServer::start().await;
    let one = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.ListActivities\r\ncontent-length: 2\r\n\r\n{}";
    let last = one.replace("host: localhost", "host: localhost\r\nconnection: close");
    let answers = exchange(server.address, format!("{one}{one}{last}").as_bytes()).await;
    assert_eq!(answers.matches(r#"{"activities":[]}"#).count(), 3, "{answers}");
}

#[tokio::test]
async fn bodies_that_are_too_long_are_refused() {
    let limits = Limits { body_bytes_max: 100_000, ..Limits::default() };
    let server = TestServer::with(Options { limits, ..Options::default() }).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.ListActivities\r\n";
    let announced = format!("{head}content-length: 100001\r\n\r\n");
    let answer = exchange(server.address, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("RequestEntityTooLargeException"), "{answer}");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    let answer = exchange(server.address, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // A client that sends all before it reads gets to know it too.
    let mut client = Client::connect(server.address).await;
    let answer = client.call("ListActivities", " ".repeat(20 << 20)).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (413, "RequestEntityTooLargeException"));
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let limits = Limits {
        head_timeout: Duration::from_millis(30),
        body_timeout: Duration::from_millis(30),
        ..Limits::default()
    };
    let server = TestServer::with(Options { limits, ..Options::default() }).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.ListActivities\r\n";
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
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await.unwrap();
        idle.push(stream);
    }
    for stream in &mut idle[..3] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    }
    // Connections that work stay. For a further one, the oldest long poll is answered as if its time were over.
    let body = json!({"activityArn": created["activityArn"]}).to_string();
    let mut polls = Vec::new();
    for number in 1..=2 {
        let (mut worker, body) = (Client::connect(server.address).await, body.clone());
        polls.push(tokio::spawn(async move { worker.call("GetActivityTask", body).await }));
        while server.backend.polls() < number {
            tokio::task::yield_now().await;
        }
    }
    let answer =
        exchange(server.address, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.await.ends_with("ok\n"));
    let last = polls.pop().unwrap();
    assert_eq!(polls.pop().unwrap().await.unwrap().body, "{}");
    assert!(!last.is_finished());
    last.abort();
}

/// Pages of others neither call nor read, whatever the path and the method, and whatever their name has been bound to.
#[tokio::test]
async fn pages_of_others_are_refused_everywhere() {
    let server = TestServer::start().await;
    let rebound = "host: rebind.evil.example:8083\r\n";
    let cases = [
        (rebound.to_owned(), 403),
        (format!("{rebound}origin: http://rebind.evil.example:8083\r\n"), 403),
        ("host: localhost\r\norigin: https://evil.example\r\n".to_owned(), 403),
        ("host: localhost\r\nsec-fetch-site: cross-site\r\n".to_owned(), 403),
        ("host: localhost\r\nhost: rebind.evil.example\r\n".to_owned(), 400),
        (String::new(), 400),
    ];
    for (headers, status) in &cases {
        for start in [
            "GET /healthz",
            "GET /metrics",
            "HEAD /readyz",
            "OPTIONS /",
            "GET /x",
            "POST /",
            "PUT /throttling",
        ] {
            let request = format!(
                "{start} HTTP/1.1\r\n{headers}content-type: text/plain\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let answer = exchange(server.address, request.as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}{answer}");
        }
    }
    let target = "GET http://evil.example/metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(server.address, target.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// Clients that ask and do not read are closed; what is made for them is bounded together.
#[tokio::test]
async fn answers_that_nobody_takes_are_given_up() {
    // Who takes nothing is told from who takes something slowly, however busy the machine is.
    let write = WriteLimits { window: Duration::from_secs(1), window_bytes_min: 1 };
    let memory_patience = Duration::from_secs(60);
    let limits = Limits { write, memory_bytes_max: 40 << 20, memory_patience, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let server = TestServer::with_tenants(options, |_| vec![Arc::new(Large)]).await;
    let request = b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut readers = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        readers.push(stream);
    }
    // They have to be gone for the fourth to get any.
    let mut fourth = Client::connect(server.address).await;
    assert!(fourth.get("/large").await.body.len() > LARGE_BYTES);
    // The third may have got its memory together with the fourth.
    for mut stream in readers.into_iter().take(2) {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.len() < LARGE_BYTES, "{}", answer.len());
    }
}

const LARGE_BYTES: usize = 20 << 20;

/// An endpoint with a large answer.
struct Large;

impl Tenant for Large {
    fn place(&self) -> Place {
        Place::Path("large")
    }

    fn answer<'a>(&'a self, _: Call<'a>) -> Answering<'a> {
        Box::pin(async { Reply::ok(json!("x".repeat(LARGE_BYTES))).into() })
    }
}

/// What slow bodies hold goes to quick ones; what they have only announced they do not hold.
#[tokio::test]
async fn slow_bodies_keep_nobody_out() {
    let limits = Limits {
        memory_bytes_max: 2 << 20,
        body_bytes_max: 2 << 20,
        memory_patience: Duration::from_secs(60),
        body_timeout: Duration::from_secs(60),
        ..Limits::default()
    };
    let mut server = TestServer::with(Options { limits, ..Options::default() }).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.ListActivities\r\ncontent-length: 2000000\r\n\r\n";
    let large = " ".repeat(2_000_000 - 2) + "{}";
    for begun in [10, 100_000] {
        let mut slow = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&large.as_bytes()[..begun]).await.unwrap();
            slow.push(stream);
        }
        for _ in 0..3 {
            assert_eq!(server.send("ListActivities", large.clone()).await.status, 200);
        }
        if begun > 10 {
            let mut answer = String::new();
            let _ = slow.remove(0).read_to_string(&mut answer).await;
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    }
}

/// Long polls do not hold what their requests carried.
#[tokio::test]
async fn long_polls_hold_no_bodies() {
    let limits =
        Limits { memory_bytes_max: 2 << 20, memory_patience: Duration::from_secs(60), ..Limits::default() };
    let mut server = TestServer::with(Options { limits, ..Options::default() }).await;
    let created = server.ok("CreateActivity", json!({"name": "a"})).await;
    let filler = "x".repeat(2_000_000);
    let body = json!({"activityArn": created["activityArn"], "filler": filler}).to_string();
    let mut worker = Client::connect(server.address).await;
    let poll = {
        let body = body.clone();
        tokio::spawn(async move { worker.call("GetActivityTask", body).await })
    };
    while server.backend.polls() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.send("DescribeActivity", body).await.status, 200);
    poll.abort();
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
