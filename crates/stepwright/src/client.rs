//! A client of a server's own endpoints: one request of JSON, signed when there are credentials in the environment; over TLS
//! it trusts what this machine trusts, or the file that `AWS_CA_BUNDLE` names.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use stepwright_sigv4::{Credentials, SERVICE_STATES, Scope, WireRequest, sha256_hex, timestamp};
use stepwright_tasks::tls;

/// For a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most that an answer may have.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Sends the request and returns the answer's status and JSON.
pub fn send(endpoint: &str, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value)> {
    let uri: Uri = format!("{}{path}", endpoint.trim_end_matches('/'))
        .parse()
        .with_context(|| format!("{endpoint:?} is not a URL such as http://127.0.0.1:8083"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
        bail!("{endpoint:?} is not a URL such as http://127.0.0.1:8083");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the runtime cannot be started")?.block_on(async {
        let request = request(&uri, method, body)?;
        let answer = tokio::time::timeout(TIMEOUT, exchange(request)).await;
        answer.context("it does not answer").and_then(|answer| answer).with_context(|| endpoint.to_owned())
    })
}

async fn exchange(request: Request<Full<Bytes>>) -> Result<(StatusCode, Value)> {
    let client = Client::builder(TokioExecutor::new());
    let answer = match request.uri().scheme_str() {
        Some("https") => {
            let roots = variable("AWS_CA_BUNDLE").map(PathBuf::from);
            let mut plain = HttpConnector::new();
            plain.enforce_http(false);
            let connector =
                HttpsConnectorBuilder::new().with_tls_config(tls::client_config(roots.as_deref())?);
            client.build(connector.https_only().enable_http1().wrap_connector(plain)).request(request).await
        }
        _ => client.build_http().request(request).await,
    };
    let answer = answer.context("it cannot be reached")?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("its answer breaks off: {error}"))?.to_bytes();
    let value =
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).trim().into());
    Ok((status, value))
}

fn request(uri: &Uri, method: Method, body: String) -> Result<Request<Full<Bytes>>> {
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    let mut request = Request::builder().method(&method).uri(uri).header("host", &host);
    if let Some(credentials) = credentials() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = timestamp(i64::try_from(since.as_secs()).unwrap_or_default());
        let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let scope =
            Scope { date: time.get(..8).unwrap_or_default(), region: &region, service: SERVICE_STATES };
        let mut signed = vec![("host", host.as_str()), ("x-amz-date", time.as_str())];
        let token = credentials.session_token.as_deref();
        signed.extend(token.map(|token| ("x-amz-security-token", token)));
        let canonical = WireRequest {
            method: method.as_str(),
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &signed,
            payload_sha256: &sha256_hex(body.as_bytes()),
        }
        .canonical();
        let key = scope.signing_key(&credentials.secret_access_key);
        let signature = canonical.signature(&key, &time, &scope);
        let authorization = canonical.authorization(&credentials.access_key_id, &scope, &signature);
        for (name, value) in signed.iter().skip(1) {
            request = request.header(*name, *value);
        }
        request = request.header("authorization", authorization);
    }
    request.body(Full::new(body.into())).context("the request cannot be made")
}

fn credentials() -> Option<Credentials> {
    Some(Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN"),
    })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
