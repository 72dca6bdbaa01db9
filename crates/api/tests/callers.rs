//! Who may call: signatures over real connections, keys that change, TLS, the audit log.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use stepwright_server::endpoint::{Reply, Request as EndpointRequest};
use stepwright_server::environment::{Environment, System};
use stepwright_server::{
    Access, Answering, AuditFile, AuditLimits, Call, KeyFile, KeyRing, Keys, Limits, Options, Place,
    Signatures, Tenant, Tls, TlsError,
};
use stepwright_sigv4::{Credentials, Scope, WireRequest, sha256_hex, timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::{Answer, Client, TestServer};

const KEY_ID: &str = "AKIDALICE";
const SECRET: &str = "alices-secret-of-some-length";

fn ring() -> Arc<KeyRing> {
    let text = format!("[alice]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n");
    Arc::new(KeyRing::new(Keys::from_text(&text).unwrap()))
}

fn verified(ring: Arc<KeyRing>) -> Access {
    Access::Verified(Arc::new(Signatures::new(ring, Arc::new(System))))
}

/// How a request is signed.
struct Signer<'a> {
    key_id: &'a str,
    secret: &'a str,
    region: &'a str,
    service: &'a str,
    token: Option<&'a str>,
    skew_s: i64,
    /// What is signed instead of the body.
    body: Option<&'a str>,
}

const ALICE: Signer<'_> = Signer {
    key_id: KEY_ID,
    secret: SECRET,
    region: "us-east-1",
    service: "states",
    token: None,
    skew_s: 0,
    body: None,
};

impl Signer<'_> {
    fn request(&self, method: &str, path: &str, target: Option<&str>, body: &str) -> Request<Full<Bytes>> {
        let now_s = System.now_ms() / 1_000 + self.skew_s;
        let (timestamp, credentials) = (timestamp(now_s), self.credentials());
        let scope = Scope { date: &timestamp[..8], region: self.region, service: self.service };
        let mut headers = vec![("host", "localhost"), ("x-amz-date", &*timestamp)];
        headers.extend(target.map(|target| ("x-amz-target", target)));
        headers.extend(self.token.map(|token| ("x-amz-security-token", token)));
        let payload_sha256 = sha256_hex(self.body.unwrap_or(body).as_bytes());
        let (bare_path, query) = path.split_once('?').unwrap_or((path, ""));
        let wire = WireRequest {
            method,
            path: bare_path,
            query,
            headers: &headers,
            payload_sha256: &payload_sha256,
        };
        let canonical = wire.canonical();
        let key = scope.signing_key(&credentials.secret_access_key);
        let signature = canonical.signature(&key, &timestamp, &scope);
        let authorization = canonical.authorization(&credentials.access_key_id, &scope, &signature);
        let mut request = Request::builder().method(method).uri(path).header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Full::from(body.to_owned())).unwrap()
    }

    fn credentials(&self) -> Credentials {
        let (access_key_id, secret_access_key) = (self.key_id.to_owned(), self.secret.to_owned());
        Credentials { access_key_id, secret_access_key, session_token: None }
    }

    async fn call(&self, client: &mut Client, operation: &str, body: &str) -> Answer {
        let target = format!("AWSStepFunctions.{operation}");
        client.request(self.request("POST", "/", Some(&target), body)).await
    }
}

#[tokio::test]
async fn only_the_right_signature_is_accepted() {
    let server = TestServer::with(Options { access: verified(ring()), ..Options::default() }).await;
    let mut client = Client::connect(server.address).await;
    let answer = ALICE.call(&mut client, "ListActivities", "{}").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"activities":[]}"#));
    let wrong: &[(Signer<'_>, &str)] = &[
        (Signer { secret: "not-alices-secret-at-all", ..ALICE }, "InvalidSignatureException"),
        (Signer { body: Some("{ }"), ..ALICE }, "InvalidSignatureException"),
        (Signer { region: "EU_west", ..ALICE }, "InvalidSignatureException"),
        (Signer { service: "lambda", ..ALICE }, "InvalidSignatureException"),
        (Signer { skew_s: 310, ..ALICE }, "InvalidSignatureException"),
        (Signer { skew_s: -310, ..ALICE }, "InvalidSignatureException"),
        (Signer { key_id: "AKIDMALLORY", ..ALICE }, "UnrecognizedClientException"),
        (Signer { token: Some("token"), ..ALICE }, "UnrecognizedClientException"),
    ];
    for (signer, expected) in wrong {
        for operation in ["ListActivities", "NoSuchOperation"] {
            let answer = signer.call(&mut client, operation, "{}").await;
            assert_eq!((answer.status, answer.error().0.as_str()), (400, *expected));
            assert!(answer.json()["__type"].as_str().unwrap().starts_with("com.amazon.coral.service#"));
        }
    }
    let unsigned = client.call("ListActivities", "{}").await;
    assert_eq!((unsigned.status, unsigned.error().0.as_str()), (400, "MissingAuthenticationTokenException"));
}

/// Large bodies of strangers go by without being kept: there is no memory for them here, and they are answered all the same.
#[tokio::test]
async fn strangers_take_no_memory() {
    let limits = Limits { memory_bytes_max: 0, ..Limits::default() };
    let server = TestServer::with(Options { access: verified(ring()), limits, ..Options::default() }).await;
    let mut client = Client::connect(server.address).await;
    let large = " ".repeat(3 << 20) + "{}";
    let stranger = Signer { key_id: "AKIDMALLORY", ..ALICE };
    for _ in 0..2 {
        let answer = stranger.call(&mut client, "ListActivities", &large).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (400, "UnrecognizedClientException"));
    }
    assert_eq!(ALICE.call(&mut client, "ListActivities", "{}").await.status, 200);
}

struct Echo;

impl Tenant for Echo {
    fn place(&self) -> Place {
        Place::Path("echo")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        let request = EndpointRequest::from(call);
        let echo = json!({"path": request.path, "query": request.query});
        Box::pin(std::future::ready(Reply::ok(echo).into()))
    }
}

#[tokio::test]
async fn own_endpoints_pass_the_same_gate_and_probes_are_open() {
    let options = Options { access: verified(ring()), ..Options::default() };
    let server = TestServer::with_tenants(options, |_| vec![Arc::new(Echo)]).await;
    let mut client = Client::connect(server.address).await;
    let path = "/echo/a%20b?z=1&a=%2F";
    let answer = client.get(path).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), json!({"error": "Request is missing Authentication Token"}));
    let answer = client.request(ALICE.request("GET", path, None, "")).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"path": ["echo", "a b"], "query": "z=1&a=%2F"})));
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(client.get(path).await.status, 200, "{path}");
    }
}

fn write(path: &Path, text: &str, mode: u32) {
    // As careful users do it: a new file takes the place of the old one at once.
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

#[tokio::test]
async fn keys_follow_their_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("credentials");
    let entry = |id: &str| format!("[a]\naws_access_key_id={id}\naws_secret_access_key={SECRET}\n");
    write(&path, &entry("ONE"), 0o644);
    let error = KeyFile::open(&path).err().unwrap().to_string();
    assert!(error.contains("(mode 0644)") && error.contains("chmod 600"), "{error}");
    write(&path, &entry("ONE"), 0o600);
    let file = KeyFile::open(&path).unwrap();
    let server = TestServer::with(Options { access: verified(file.ring()), ..Options::default() }).await;
    let mut client = Client::connect(server.address).await;
    let accepted = async |client: &mut Client, key_id| {
        Signer { key_id, ..ALICE }.call(client, "ListActivities", "{}").await.status == 200
    };
    assert!(accepted(&mut client, "ONE").await);
    assert!(matches!(file.reload_if_changed(), Ok(None)));
    write(&path, &entry("TWO"), 0o600);
    assert!(matches!(file.reload_if_changed(), Ok(Some(1))));
    assert!(accepted(&mut client, "TWO").await && !accepted(&mut client, "ONE").await);
    // What cannot be used changes nothing, and is told once.
    let gone = |path: &Path| std::fs::remove_file(path).unwrap();
    let spoilt = |path: &Path| write(path, "[a]\nnonsense", 0o600);
    let exposed = |path: &Path| write(path, &entry("THREE"), 0o640);
    for spoil in [&spoilt as &dyn Fn(&Path), &exposed, &gone] {
        spoil(&path);
        let error = file.reload_if_changed().err().unwrap();
        assert!(!format!("{error:?}").contains(SECRET));
        assert!(matches!(file.reload_if_changed(), Ok(None)));
        assert!(accepted(&mut client, "TWO").await && !accepted(&mut client, "THREE").await);
    }
    write(&path, &entry("FOUR"), 0o600);
    assert!(matches!(file.reload_if_changed(), Ok(Some(1))));
    assert!(accepted(&mut client, "FOUR").await);
}

#[tokio::test]
async fn the_audit_log_says_who_what_when_and_outcome() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.jsonl");
    let open = |path: &Path| Some(Arc::new(AuditFile::open(path, AuditLimits::default()).unwrap()));
    let refused = directory.path().join("audit.jsonl.refused");
    let (audit, refusals) = (open(&path), open(&refused));
    let options = Options { access: verified(ring()), audit, refusals, ..Options::default() };
    let server = TestServer::with_tenants(options, |_| vec![Arc::new(Echo)]).await;
    let mut client = Client::connect(server.address).await;
    let created = ALICE.call(&mut client, "CreateActivity", r#"{"name":"a"}"#).await;
    ALICE.call(&mut client, "ListActivities", "{}").await;
    ALICE.call(&mut client, "StartExecution", r#"{"stateMachineArn":"arn:none","input":"MARKER"}"#).await;
    Signer { secret: "not-alices-secret-at-all", ..ALICE }.call(&mut client, "StopExecution", "{}").await;
    client.call("DeleteActivity", r#"{"activityArn":"arn:aws:x"}"#).await;
    client.request(ALICE.request("PUT", "/echo/x", None, "MARKER")).await;
    client.request(ALICE.request("GET", "/echo/x", None, "")).await;
    // However many are refused, what is known of the others stays; of the refused, some are written down.
    for _ in 0..100 {
        client.call("DeleteActivity", r#"{"activityArn":"arn:aws:x","MARKER":1}"#).await;
    }
    let (records, short) = records(&path);
    assert_eq!(
        short,
        [
            "CreateActivity arn:aws:states:us-east-1:123456789012:activity:a AKIDALICE alice 200 -",
            "StartExecution arn:none AKIDALICE alice 400 InvalidArn",
            "PUT /echo/x - AKIDALICE alice 200 -",
        ]
    );
    let (_, short) = self::records(&refused);
    assert_eq!(
        short[..2],
        [
            "StopExecution - AKIDALICE - 400 InvalidSignatureException",
            "DeleteActivity - - - 400 MissingAuthenticationTokenException",
        ]
    );
    assert!((20..100).contains(&short.len()), "{}", short.len());
    assert_eq!(records[0]["requestId"], created.headers["x-amzn-requestid"].to_str().unwrap());
}

/// The records of an audit log, and their fields as one text each.
fn records(path: &Path) -> (Vec<Value>, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains("MARKER") && !text.contains(SECRET));
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short = records.iter().map(|record| {
        assert!(record["time"].as_str().unwrap().ends_with('Z'));
        assert!(record["remoteAddress"].as_str().unwrap().starts_with("127.0.0.1:"));
        assert_eq!(record["requestId"].as_str().unwrap().len(), 36);
        let field =
            |name: &str| record.get(name).map_or("-".to_owned(), |value| value.to_string().replace('"', ""));
        ["operation", "resource", "accessKeyId", "principal", "httpStatus", "error"].map(field).join(" ")
    });
    let short = short.collect();
    (records, short)
}

/// A client that trusts one certificate.
async fn tls_client(address: std::net::SocketAddr, roots: &Path) -> std::io::Result<Client> {
    let mut trusted = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).unwrap() {
        trusted.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(Client::over(stream).await)
}

#[tokio::test]
async fn tls_with_a_generated_certificate_that_is_exchanged() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first"), directory.path().join("second"));
    let tls = Arc::new(Tls::generated_in(&first, &["stepwright.test".to_owned()]).unwrap());
    let fingerprint = tls.fingerprint();
    assert_eq!(fingerprint.len(), 32 * 3 - 1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&first.join("private-key.pem")), 0o600);
    // Another start uses the same certificate; another directory has another one.
    assert_eq!(Tls::generated_in(&first, &[]).unwrap().fingerprint(), fingerprint);
    let other = Tls::generated_in(&second, &[]).unwrap();
    assert_ne!(other.fingerprint(), fingerprint);

    let options = Options { access: verified(ring()), tls: Some(tls.clone()), ..Options::default() };
    let server = TestServer::listening(options).await;
    let roots = directory.path().join("roots.pem");
    std::fs::copy(first.join("certificate.pem"), &roots).unwrap();
    let mut client = tls_client(server.address, &roots).await.unwrap();
    assert_eq!(ALICE.call(&mut client, "ListActivities", "{}").await.status, 200);
    // Half of an exchange does not fit together: nothing changes.
    let exchange = |name: &str| std::fs::rename(second.join(name), first.join(name)).unwrap();
    exchange("certificate.pem");
    assert!(matches!(tls.reload_if_changed(), Err(TlsError::Pair { .. })));
    assert!(tls_client(server.address, &roots).await.is_ok());
    exchange("private-key.pem");
    assert!(matches!(tls.reload_if_changed(), Ok(true)));
    assert!(matches!(tls.reload_if_changed(), Ok(false)));
    assert_eq!(tls.fingerprint(), other.fingerprint());
    assert!(tls_client(server.address, &roots).await.is_err());
    assert!(tls_client(server.address, &first.join("certificate.pem")).await.is_ok());
    // The connection that was open goes on; what speaks no TLS is not answered.
    assert_eq!(ALICE.call(&mut client, "ListActivities", "{}").await.status, 200);
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}
