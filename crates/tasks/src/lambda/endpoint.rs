//! Functions behind an endpoint that speaks the Lambda Invoke API: AWS's own shape over HTTP or HTTPS.
//!
//! Connections are kept and reused. Left out: retries, which the state's `Retry` decides.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::answer::{InvokeAnswer, InvokeError};
use super::header_names::spelled;
use super::request::{InvocationType, InvokeRequest};
use crate::tls::{self, TrustError};
use stepwright_sigv4::{Credentials, Scope, WireRequest, percent_encode, sha256_hex, timestamp};

/// Lambda's limit for the answer of a function (6 MB), with room for what a lenient endpoint adds.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024 + 64 * 1024;
/// The longest that a function of Lambda may run, and a little for the way.
const ANSWER_WAIT: Duration = Duration::from_secs(15 * 60 + 30);
/// How long an unused connection is kept.
const CONNECTION_IDLE: Duration = Duration::from_secs(60);
/// Unused connections that are kept.
const CONNECTIONS_IDLE_MAX: usize = 256;
/// How long a connection may take to come about.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// An endpoint of the Lambda API.
pub struct Endpoint {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    host: HeaderValue,
    host_text: String,
    credentials: Credentials,
    key: Mutex<Option<Arc<DayKey>>>,
}

/// A signing key with what it is good for: made anew when day or region change.
struct DayKey {
    date: String,
    region: String,
    key: [u8; 32],
}

/// An endpoint's URL that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("the Lambda endpoint {url:?} is not a URL such as http://127.0.0.1:3001")]
    NotAUrl {
        /// What was given.
        url: String,
    },
    /// Neither `http` nor `https`.
    #[error("the Lambda endpoint {url:?} needs {scheme}, which is neither http nor https")]
    Scheme {
        /// What was given.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// HTTPS, but nobody is trusted.
    #[error("the Lambda endpoint {url:?} cannot be trusted: {reason}")]
    Trust {
        /// What was given.
        url: String,
        /// Why.
        reason: TrustError,
    },
}

impl Endpoint {
    /// An endpoint by its URL, such as `http://127.0.0.1:3001`; a path is kept as a prefix. For HTTPS `roots` is a file with
    /// the certificates to trust; without it, those of this machine are.
    pub fn new(url: &str, credentials: Credentials, roots: Option<&Path>) -> Result<Endpoint, EndpointError> {
        let not_a_url = || EndpointError::NotAUrl { url: url.to_owned() };
        let uri: Uri = url.trim().parse().map_err(|_| not_a_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(not_a_url());
        };
        if !["http", "https"].contains(&scheme) {
            return Err(EndpointError::Scheme { url: url.to_owned(), scheme: scheme.to_owned() });
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_WAIT));
        let connector = tls::connector(connector, scheme == "https", roots)
            .map_err(|reason| EndpointError::Trust { url: url.to_owned(), reason })?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CONNECTION_IDLE)
            .pool_max_idle_per_host(CONNECTIONS_IDLE_MAX)
            .set_host(false)
            .build(connector);
        let host_text = authority.as_str().to_owned();
        Ok(Endpoint {
            client,
            base: format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/')),
            host: HeaderValue::from_str(&host_text).map_err(|_| not_a_url())?,
            host_text,
            credentials,
            key: Mutex::new(None),
        })
    }

    /// The endpoint that the environment variables name: `LAMBDA_ENDPOINT` (as of Step Functions Local),
    /// `AWS_ENDPOINT_URL_LAMBDA` or `AWS_ENDPOINT_URL`, the first that is set; credentials are those of AWS's tools, or
    /// `test`/`test`; `AWS_CA_BUNDLE` names the certificates to trust. `variable` looks one up.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Endpoint>, EndpointError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let names = ["LAMBDA_ENDPOINT", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"];
        let Some(url) = names.into_iter().find_map(variable) else { return Ok(None) };
        let test = || "test".to_owned();
        let credentials = Credentials {
            access_key_id: variable("AWS_ACCESS_KEY_ID").unwrap_or_else(test),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or_else(test),
            session_token: variable("AWS_SESSION_TOKEN"),
        };
        let roots = variable("AWS_CA_BUNDLE").map(PathBuf::from);
        Endpoint::new(&url, credentials, roots.as_deref()).map(Some)
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Invokes a function and waits for the answer.
    pub async fn invoke(&self, request: &InvokeRequest) -> Result<InvokeAnswer, InvokeError> {
        let wire = self.wire_request(request)?;
        let exchange = async {
            let response = self.client.request(wire).await.map_err(|error| self.unreachable(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| client_error(&format!("{error}")))?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        match tokio::time::timeout(ANSWER_WAIT, exchange).await {
            Ok(response) => read_answer(response?),
            Err(_) => Err(client_error("Read timed out")),
        }
    }

    fn wire_request(&self, request: &InvokeRequest) -> Result<Request<Full<Bytes>>, InvokeError> {
        let name = percent_encode(&request.function.given, None);
        let mut target = format!("{}/2015-03-31/functions/{name}/invocations", self.base);
        if let Some(qualifier) = &request.qualifier {
            target.push_str("?Qualifier=");
            target.push_str(&percent_encode(qualifier, None));
        }
        let mut wire = Request::post(target)
            .body(Full::new(request.payload.clone()))
            .map_err(|error| client_error(&error.to_string()))?;
        let headers = wire.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let kind = HeaderValue::from_static(request.invocation_type.text());
        headers.insert("x-amz-invocation-type", kind);
        if request.log_tail {
            headers.insert("x-amz-log-type", HeaderValue::from_static("Tail"));
        }
        if let Some(context) = &request.client_context {
            headers.insert("x-amz-client-context", header_value(context)?);
        }
        self.sign(&mut wire, request)?;
        Ok(wire)
    }

    fn sign(&self, wire: &mut Request<Full<Bytes>>, request: &InvokeRequest) -> Result<(), InvokeError> {
        let timestamp = timestamp(now_s());
        let region = request.function.region().unwrap_or(&request.region);
        let date = timestamp.get(..8).unwrap_or_default();
        let scope = Scope { date, region, service: "lambda" };
        let payload_sha256 = sha256_hex(&request.payload);
        let mut signed: Vec<(&str, &str)> = vec![("host", &self.host_text), ("x-amz-date", &timestamp)];
        for (name, value) in wire.headers() {
            signed.push((name.as_str(), value.to_str().unwrap_or_default()));
        }
        let token = self.credentials.session_token.as_deref();
        signed.extend(token.map(|token| ("x-amz-security-token", token)));
        let canonical = WireRequest {
            method: "POST",
            path: wire.uri().path(),
            query: wire.uri().query().unwrap_or_default(),
            headers: &signed,
            payload_sha256: &payload_sha256,
        }
        .canonical();
        let signature = canonical.signature(&self.signing_key(&scope).key, &timestamp, &scope);
        let authorization = canonical.authorization(&self.credentials.access_key_id, &scope, &signature);
        let token = token.map(header_value).transpose()?;
        let date = header_value(&timestamp)?;
        let headers = wire.headers_mut();
        headers.insert("host", self.host.clone());
        headers.insert("x-amz-date", date);
        headers.insert("authorization", header_value(&authorization)?);
        if let Some(token) = token {
            headers.insert("x-amz-security-token", token);
        }
        Ok(())
    }

    fn signing_key(&self, scope: &Scope<'_>) -> Arc<DayKey> {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(key) if key.date == scope.date && key.region == scope.region => Arc::clone(key),
            _ => {
                let key = scope.signing_key(&self.credentials.secret_access_key);
                let fresh = Arc::new(DayKey { date: scope.date.into(), region: scope.region.into(), key });
                *kept = Some(Arc::clone(&fresh));
                fresh
            }
        }
    }

    /// In the words of AWS's SDK where it has some.
    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> InvokeError {
        if !error.is_connect() {
            return client_error(&innermost(error));
        }
        let reason = match innermost(error) {
            text if text.contains("Connection refused") => {
                "Connection refused (Connection refused)".to_owned()
            }
            other => other,
        };
        client_error(&format!("Connect to {} failed: {reason}", self.host_text))
    }
}

fn client_error(reason: &str) -> InvokeError {
    InvokeError::Client { message: format!("Unable to execute HTTP request: {reason}") }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

fn header_value(text: &str) -> Result<HeaderValue, InvokeError> {
    HeaderValue::from_str(text).map_err(|_| client_error("a header has characters that HTTP does not allow"))
}

fn read_answer(response: Response<Bytes>) -> Result<InvokeAnswer, InvokeError> {
    let (head, payload) = response.into_parts();
    let status = head.status.as_u16();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let request_id = header("x-amzn-requestid").map_or_else(new_request_id, str::to_owned);
    if !head.status.is_success() {
        return Err(service_error(status, header("x-amzn-errortype"), &payload, request_id));
    }
    Ok(InvokeAnswer {
        status,
        is_function_error: header("x-amz-function-error").is_some(),
        executed_version: header("x-amz-executed-version").map(str::to_owned),
        log_result: header("x-amz-log-result").map(str::to_owned),
        headers: header_pairs(&head.headers, payload.len(), &request_id),
        request_id,
        payload,
    })
}

/// All headers, spelled as AWS spells them, with those that every answer of AWS has.
fn header_pairs(headers: &HeaderMap, payload_bytes: usize, request_id: &str) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let spell = |name: &HeaderName| spelled(name.as_str()).to_owned();
    let mut pairs: Vec<(String, String)> = Vec::with_capacity(headers.len() + 4);
    for name in headers.keys() {
        let values: Vec<String> = headers.get_all(name).iter().map(text).collect();
        pairs.push((spell(name), values.join(", ")));
    }
    let mut complete = |name: &str, value: &str| {
        if !headers.contains_key(name) {
            pairs.push((spelled(name).to_owned(), value.to_owned()));
        }
    };
    complete("connection", "keep-alive");
    complete("content-length", &payload_bytes.to_string());
    complete("x-amzn-remapped-content-length", "0");
    complete("x-amzn-requestid", request_id);
    pairs
}

fn service_error(status: u16, kind: Option<&str>, body: &[u8], request_id: String) -> InvokeError {
    let value = stepwright_value::read_bytes(body).ok();
    let member = |names: [&str; 2]| {
        let value = value.as_ref()?;
        names.into_iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned))
    };
    // `ResourceNotFoundException:http://internal.amazon.com/...` is one of AWS's ways to write a code.
    let code = kind.map(|kind| kind.split(':').next().unwrap_or(kind).to_owned());
    let code = code.or_else(|| member(["__type", "code"])).map(|code| {
        let bare = code.rsplit('#').next().unwrap_or(&code);
        bare.to_owned()
    });
    let default = match status {
        404 => "ResourceNotFoundException",
        429 => "TooManyRequestsException",
        500.. => "ServiceException",
        _ => "AWSLambdaException",
    };
    InvokeError::Service {
        status,
        code: code.filter(|code| !code.is_empty()).unwrap_or_else(|| default.to_owned()),
        message: member(["Message", "message"]).unwrap_or_else(|| "null".to_owned()),
        request_id,
    }
}

/// A fresh request id, as Lambda gives one to each invocation.
pub fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

impl InvocationType {
    /// Whether the function's answer comes with the call's.
    pub fn waits(self) -> bool {
        self == InvocationType::RequestResponse
    }
}
