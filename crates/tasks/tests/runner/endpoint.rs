//! Functions behind an endpoint: a real HTTP server that speaks the Invoke API and checks signatures.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use stepwright_sigv4::{Credentials, Scope, WireRequest, sha256_hex};
use stepwright_tasks::functions::{Functions, FunctionsOptions};
use stepwright_tasks::lambda::{Endpoint, LambdaTarget};
use stepwright_tasks::{CancellationSignal, Failure, TaskTarget, cancellation};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::{INVOKE, call, text};

/// What the server saw, and how often it was connected to.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<(String, String)>>,
    connections: AtomicUsize,
}

pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start() -> Server {
        Server::start_with(None).await
    }

    async fn start_with(tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                shared.connections.fetch_add(1, Ordering::Relaxed);
                let (seen, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&seen)));
                    let Some(tls) = tls else {
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                        return;
                    };
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    }
                });
            }
        });
        Server { address, seen, task }
    }

    pub fn target(&self) -> LambdaTarget {
        self.target_at(&format!("http://{}/", self.address), None)
    }

    fn target_at(&self, url: &str, roots: Option<&Path>) -> LambdaTarget {
        let credentials = Credentials {
            access_key_id: "AKID".into(),
            secret_access_key: "secret".into(),
            session_token: Some("session".into()),
        };
        target(Some(Endpoint::new(url, credentials, roots).expect("an endpoint")))
    }
}

fn target(endpoint: Option<Endpoint>) -> LambdaTarget {
    let functions = Functions::new(Vec::new(), FunctionsOptions::new([], "us-east-1")).expect("no functions");
    LambdaTarget::new(Arc::new(functions), endpoint)
}

/// Echoes the payload, or does what the function's name says.
async fn answer(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let target = head.uri.to_string();
    if target.contains("/hang/") {
        std::future::pending::<()>().await;
    }
    check_signature(&head, &body);
    let name = target.split('/').nth(3).unwrap_or_default().to_owned();
    seen.requests.lock().expect("a lock").push((target, String::from_utf8_lossy(&body).into_owned()));
    let builder = Response::builder().header("x-amzn-RequestId", "rid");
    let builder = match name.as_str() {
        "missing" => {
            builder.status(404).header("x-amzn-ErrorType", "ResourceNotFoundException:http://internal/")
        }
        "throttled" => builder.status(429).header("x-amzn-ErrorType", "TooManyRequestsException"),
        "broken" => builder.status(500),
        "raises" => {
            builder.header("X-Amz-Function-Error", "Unhandled").header("X-Amz-Executed-Version", "$LATEST")
        }
        _ if head.headers["x-amz-invocation-type"] == "Event" => builder.status(202),
        _ => builder.header("X-Amz-Executed-Version", "$LATEST").header("content-type", "application/json"),
    };
    let body = match name.as_str() {
        "missing" => Bytes::from_static(br#"{"Type":"User","Message":"Function not found: missing"}"#),
        "throttled" => {
            Bytes::from_static(br#"{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}"#)
        }
        "raises" => Bytes::from_static(br#"{"errorMessage": "no", "errorType": "Exception"}"#),
        _ if body.is_empty() => Bytes::from_static(b"{}"),
        _ => body,
    };
    Ok(builder.body(Full::new(body)).expect("a response"))
}

/// As a verifier does it: all from the request itself.
fn check_signature(head: &hyper::http::request::Parts, body: &[u8]) {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authorization = text("authorization");
    let part = |name: &str| {
        let rest = authorization.split(name).nth(1).unwrap_or_default();
        rest.split(',').next().unwrap_or_default().to_owned()
    };
    let (credential, signed, signature) = (part("Credential="), part("SignedHeaders="), part("Signature="));
    let headers: Vec<(&str, &str)> = signed.split(';').map(|name| (name, text(name))).collect();
    assert!(
        signed.contains("host") && signed.contains("x-amz-date") && signed.contains("x-amz-security-token")
    );
    let [access_key_id, date, region, service, _] = credential.split('/').collect::<Vec<_>>()[..] else {
        panic!("{credential}")
    };
    assert_eq!((access_key_id, service), ("AKID", "lambda"));
    let scope = Scope { date, region, service };
    let canonical = WireRequest {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        payload_sha256: &sha256_hex(body),
    }
    .canonical();
    assert_eq!(signature, canonical.signature(&scope.signing_key("secret"), text("x-amz-date"), &scope));
}

async fn ask(target: &LambdaTarget, resource: &str, parameters: &str) -> Result<String, Failure> {
    target.call(call(resource, parameters), CancellationSignal::never()).await.map(text)
}

#[tokio::test]
async fn both_resource_forms() {
    let server = Server::start().await;
    let target = server.target();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:PROD";
    assert_eq!(ask(&target, arn, r#"{ "a": 1 }"#).await.as_deref(), Ok(r#"{ "a": 1 }"#));
    let output =
        ask(&target, INVOKE, r#"{"FunctionName":"f","Payload":{"a":1.0},"Qualifier":"$LATEST"}"#).await;
    let output = output.expect("a result");
    let begin = r#"{"ExecutedVersion":"$LATEST","Payload":{"a":1.0},"SdkHttpMetadata":{"AllHttpHeaders":{"X-Amz-Executed-Version":["$LATEST"],"x-amzn-Remapped-Content-Length":["0"],"Connection":["keep-alive"],"x-amzn-RequestId":["rid"],"Content-Length":["9"],"Date":["#;
    let end = r#""HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"rid"},"StatusCode":200}"#;
    assert!(output.starts_with(begin) && output.ends_with(end), "{output}");
    let output = ask(&target, INVOKE, r#"{"FunctionName":"f","Payload":null}"#).await.expect("a result");
    assert!(output.contains(r#""Payload":{},"#), "{output}");
    let requests = server.seen.requests.lock().expect("a lock").clone();
    let expected = [
        (
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af%3APROD/invocations",
            r#"{ "a": 1 }"#,
        ),
        ("/2015-03-31/functions/f/invocations?Qualifier=%24LATEST", r#"{"a":1.0}"#),
        ("/2015-03-31/functions/f/invocations", ""),
    ];
    assert_eq!(requests, expected.map(|(target, body)| (target.to_owned(), body.to_owned())));
    assert_eq!(server.seen.connections.load(Ordering::Relaxed), 1, "connections are kept");
}

#[tokio::test]
async fn errors() {
    let server = Server::start().await;
    let target = server.target();
    let service = |message: &str, status: u16, code: &str| {
        format!(
            "{message} (Service: AWSLambda; Status Code: {status}; Error Code: {code}; Request ID: rid; Proxy: null)"
        )
    };
    let table = [
        (
            "missing",
            "Lambda.ResourceNotFoundException",
            service("Function not found: missing", 404, "ResourceNotFoundException"),
        ),
        (
            "throttled",
            "Lambda.TooManyRequestsException",
            service("Rate Exceeded.", 429, "TooManyRequestsException"),
        ),
        ("broken", "Lambda.ServiceException", service("null", 500, "ServiceException")),
        ("raises", "Exception", r#"{"errorMessage":"no","errorType":"Exception"}"#.to_owned()),
    ];
    for (name, error, cause) in table {
        let parameters = format!(r#"{{"FunctionName":"{name}","Payload":null}}"#);
        let failure = ask(&target, INVOKE, &parameters).await.expect_err("a failure");
        assert_eq!((failure.error.as_str(), failure.cause), (error, Some(cause)));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let credentials =
        Credentials { access_key_id: "test".into(), secret_access_key: "test".into(), session_token: None };
    let endpoint = Endpoint::new(&format!("http://{address}"), credentials, None).expect("an endpoint");
    let failure =
        ask(&target(Some(endpoint)), INVOKE, r#"{"FunctionName":"f"}"#).await.expect_err("a failure");
    assert_eq!(failure.error, "Lambda.SdkClientException");
    let expected = format!(
        "Unable to execute HTTP request: Connect to {address} failed: Connection refused (Connection refused)"
    );
    assert_eq!(failure.cause, Some(expected));
}

#[tokio::test]
async fn cancellation_ends_a_call() {
    let server = Server::start().await;
    let target = server.target();
    let (canceller, cancel) = cancellation();
    let running = tokio::spawn(target.call(call(INVOKE, r#"{"FunctionName":"hang"}"#), cancel));
    canceller.cancel();
    assert_eq!(running.await.expect("no panic").expect_err("cancelled").error, "States.TaskFailed");
}

#[tokio::test]
async fn https() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate with its key");
    let server = Server::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let directory = tempfile::tempdir().expect("a directory");
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, made.cert.pem()).expect("a file");

    let trusted = server.target_at(&format!("https://localhost:{}", server.address.port()), Some(&roots));
    for _ in 0..2 {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
        assert_eq!(ask(&trusted, arn, "[1]").await.as_deref(), Ok("[1]"));
    }
    assert_eq!(server.seen.connections.load(Ordering::Relaxed), 1, "connections are kept");

    // Another name than the certificate's, and a server that speaks no TLS.
    let plain = Server::start().await;
    let url = format!("https://localhost:{}", plain.address.port());
    for target in [
        server.target_at(&format!("https://{}", server.address), Some(&roots)),
        plain.target_at(&url, Some(&roots)),
    ] {
        let failure = ask(&target, INVOKE, r#"{"FunctionName":"f"}"#).await.expect_err("a failure");
        assert_eq!(failure.error, "Lambda.SdkClientException", "{:?}", failure.cause);
    }
}

#[test]
fn endpoints_that_cannot_be() {
    let roots = Some(Path::new("/nowhere/roots.pem"));
    for (url, expected) in [
        ("https://lambda.us-east-1.amazonaws.com", "/nowhere/roots.pem (AWS_CA_BUNDLE) cannot be read"),
        ("ftp://lambda.us-east-1.amazonaws.com", "needs ftp, which is neither"),
        ("127.0.0.1:3001", "is not a URL"),
        ("", "is not a URL"),
    ] {
        let credentials =
            Credentials { access_key_id: "a".into(), secret_access_key: "b".into(), session_token: None };
        let error = Endpoint::new(url, credentials, roots).err().expect("an error").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn endpoints_of_the_environment() {
    for (given, expected) in [
        (&[][..], None),
        (&[("AWS_ENDPOINT_URL", "http://a:1/")], Some("http://a:1")),
        (
            &[("AWS_ENDPOINT_URL", "http://a:1"), ("AWS_ENDPOINT_URL_LAMBDA", "http://b:2")],
            Some("http://b:2"),
        ),
        (&[("AWS_ENDPOINT_URL", "http://a:1"), ("LAMBDA_ENDPOINT", "http://c:3/p/")], Some("http://c:3/p")),
        (&[("AWS_ENDPOINT_URL", " ")], None),
    ] {
        let variable =
            |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let endpoint = Endpoint::from_variables(variable).expect("an endpoint");
        assert_eq!(endpoint.as_ref().map(Endpoint::url), expected);
    }
}
