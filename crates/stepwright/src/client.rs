//! A client of a server: its API and its own endpoints, signed when there is a key; over TLS it trusts what this machine trusts,
//! or what the configuration or `AWS_CA_BUNDLE` names.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use stepwright_sigv4::{Credentials, SERVICE_STATES, Scope, WireRequest, sha256_hex, timestamp};
use stepwright_tasks::tls;
use tokio::runtime::Runtime;

use crate::exit::{Exit, Failure, OrExit as _};

/// For a request and its answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For an execution that is waited for; AWS's limit for them.
const SYNC_TIMEOUT: Duration = Duration::from_secs(6 * 60);

/// The most that an answer may have.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A server, and who calls it.
pub struct Client {
    pub endpoint: String,
    pub region: String,
    pub credentials: Option<Credentials>,
    /// Certificates to trust.
    pub roots: Option<PathBuf>,
    runtime: Runtime,
}

/// A request before it is signed.
struct Call<'c> {
    method: Method,
    path: &'c str,
    /// Headers in the order of their names.
    headers: Vec<(&'static str, &'c str)>,
    body: String,
}

impl Client {
    pub fn new(
        endpoint: String,
        region: String,
        credentials: Option<Credentials>,
        roots: Option<PathBuf>,
    ) -> Result<Client, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("the runtime cannot be started").or_exit(Exit::CannotStart)?;
        Ok(Client { endpoint, region, credentials, roots, runtime })
    }

    /// Calls an operation of the API.
    pub fn api(&self, action: &str, body: &Value) -> Result<Value, Failure> {
        let target = format!("AWSStepFunctions.{action}");
        let headers = vec![("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let timeout = if action == "StartSyncExecution" { SYNC_TIMEOUT } else { TIMEOUT };
        let call = Call { method: Method::POST, path: "/", headers, body: body.to_string() };
        self.answer(call, timeout)
    }

    /// Asks one of the server's own endpoints.
    pub fn own(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.answer(Call { method, path, headers: Vec::new(), body }, TIMEOUT)
    }

    /// Waits.
    pub fn pause(&self, time: Duration) {
        // The timer is made within the runtime.
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    fn answer(&self, call: Call<'_>, timeout: Duration) -> Result<Value, Failure> {
        let (status, answer) = self.send(call, timeout).or_exit(Exit::Usage)?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(self.refusal(status, &answer)).or_exit(Exit::Negative)
        }
    }

    fn send(&self, call: Call<'_>, timeout: Duration) -> Result<(StatusCode, Value)> {
        let endpoint = &self.endpoint;
        let no_url = || format!("{endpoint:?} is not a URL such as http://127.0.0.1:8083");
        let uri: Uri = format!("{}{}", endpoint.trim_end_matches('/'), call.path)
            .parse()
            .map_err(|_| anyhow!(no_url()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
            bail!(no_url());
        }
        self.runtime.block_on(async {
            let request = self.request(&uri, call)?;
            match tokio::time::timeout(timeout, exchange(request, self.roots.as_deref())).await {
                Ok(answer) => answer.map_err(|error| {
                    let hint = "is a server there? `stepwright serve` starts one, --endpoint names another";
                    anyhow!("{endpoint} {}; {hint}", crate::output::last(&error))
                }),
                Err(_) => bail!("{endpoint} does not answer within {} s", timeout.as_secs()),
            }
        })
    }

    /// What the server says against it, in a sentence.
    fn refusal(&self, status: StatusCode, answer: &Value) -> anyhow::Error {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let message = text("message").or_else(|| text("Message")).or_else(|| text("error"));
        let kind = text("__type").map(|kind| kind.rsplit('#').next().unwrap_or(kind));
        let what = match (kind, message) {
            (Some(kind), Some(message)) => format!("{kind}: {message}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => format!("{status} {answer}"),
        };
        // AWS's names for what is wrong with a caller.
        let is_about_keys = kind.is_some_and(|kind| {
            ["Token", "Signature", "Client", "AccessDenied"].iter().any(|part| kind.contains(part))
        });
        match &self.credentials {
            None if is_about_keys => anyhow!(
                "{what} (no key was sent: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the server's \
                 configuration with --config)"
            ),
            Some(_) if is_about_keys => anyhow!("{what} (signed for the region {})", self.region),
            _ => anyhow!(what),
        }
    }

    fn request(&self, uri: &Uri, call: Call<'_>) -> Result<Request<Full<Bytes>>> {
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut request = Request::builder().method(&call.method).uri(uri).header("host", &host);
        for (name, value) in &call.headers {
            request = request.header(*name, *value);
        }
        if let Some(credentials) = &self.credentials {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = timestamp(i64::try_from(since.as_secs()).unwrap_or_default());
            let date = time.get(..8).unwrap_or_default();
            let scope = Scope { date, region: &self.region, service: SERVICE_STATES };
            let mut own = vec![("x-amz-date", time.as_str())];
            own.extend(credentials.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
            let mut signed: Vec<(&str, &str)> = vec![("host", host.as_str())];
            signed.extend(own.iter().chain(&call.headers));
            signed.sort_unstable();
            let canonical = WireRequest {
                method: call.method.as_str(),
                path: uri.path(),
                query: uri.query().unwrap_or_default(),
                headers: &signed,
                payload_sha256: &sha256_hex(call.body.as_bytes()),
            }
            .canonical();
            let key = scope.signing_key(&credentials.secret_access_key);
            let signature = canonical.signature(&key, &time, &scope);
            let authorization = canonical.authorization(&credentials.access_key_id, &scope, &signature);
            for (name, value) in own {
                request = request.header(name, value);
            }
            request = request.header("authorization", authorization);
        }
        request.body(Full::new(call.body.into())).context("the request cannot be made")
    }
}

async fn exchange(request: Request<Full<Bytes>>, roots: Option<&Path>) -> Result<(StatusCode, Value)> {
    let client = legacy::Client::builder(TokioExecutor::new());
    let answer = match request.uri().scheme_str() {
        Some("https") => {
            let mut plain = HttpConnector::new();
            plain.enforce_http(false);
            let connector = HttpsConnectorBuilder::new().with_tls_config(tls::client_config(roots)?);
            client.build(connector.https_only().enable_http1().wrap_connector(plain)).request(request).await
        }
        _ => client.build_http().request(request).await,
    };
    let answer = answer.context("cannot be reached")?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("broke its answer off: {error}"))?.to_bytes();
    let value =
        serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).trim().into());
    Ok((status, value))
}
