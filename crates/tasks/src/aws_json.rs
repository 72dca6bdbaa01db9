//! Calls of AWS services that speak JSON over HTTP ("AWS JSON 1.1"), signed, at one endpoint.
//!
//! Connections are kept and reused. Left out: retries, which are the caller's.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::HeaderValue;
use hyper::{Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use stepwright_sigv4::{Credentials, Scope, WireRequest, sha256_hex};
use stepwright_value::Value;

use crate::tls::{self, TrustError};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long an unused connection is kept.
const CONNECTION_IDLE: Duration = Duration::from_secs(60);
/// Unused connections that are kept.
const CONNECTIONS_IDLE_MAX: usize = 16;
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A service at an endpoint.
pub struct AwsJson {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    host: String,
    service: &'static str,
    credentials: Credentials,
    /// How long a call may take, connection included.
    call_timeout: Duration,
    /// The day and region that the key is for, and the key.
    key: Mutex<Option<(String, [u8; 32])>>,
}

/// An endpoint's URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("the endpoint {0:?} is not a URL such as http://127.0.0.1:4566")]
    NotAUrl(String),
    #[error("the endpoint {0:?} is neither http:// nor https://")]
    Scheme(String),
    #[error("the endpoint {url:?} cannot be trusted: {reason}")]
    Trust { url: String, reason: TrustError },
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The service was not reached, or gave no answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// The service refused; `code` is its error's name, without a namespace.
    #[error("{status} {code}: {message}")]
    Service { status: u16, code: String, message: String },
}

impl CallError {
    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            CallError::Unreachable(_) => true,
            CallError::Service { status, code, .. } => {
                *status >= 500 || *status == 429 || code.contains("Throttl")
            }
        }
    }

    /// Whether the service answered with this error.
    pub fn is(&self, expected: &str) -> bool {
        matches!(self, CallError::Service { code, .. } if code == expected)
    }
}

/// Credentials as AWS's tools find them in the environment; `test`/`test` where there are none. `variable` looks one up.
pub fn credentials(variable: impl Fn(&str) -> Option<String>) -> Credentials {
    let or_test =
        |name| variable(name).filter(|value| !value.is_empty()).unwrap_or_else(|| "test".to_owned());
    Credentials {
        access_key_id: or_test("AWS_ACCESS_KEY_ID"),
        secret_access_key: or_test("AWS_SECRET_ACCESS_KEY"),
        session_token: variable("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
    }
}

impl AwsJson {
    /// `url` such as `http://127.0.0.1:4566`; a path is kept as a prefix. `service` is the name in signatures.
    /// For HTTPS `roots` is a file with the certificates to trust; without it, those of this machine are.
    pub fn new(
        url: &str,
        service: &'static str,
        credentials: Credentials,
        call_timeout: Duration,
        roots: Option<&Path>,
    ) -> Result<AwsJson, EndpointError> {
        let not_a_url = || EndpointError::NotAUrl(url.to_owned());
        let uri: Uri = url.trim().parse().map_err(|_| not_a_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(not_a_url());
        };
        if !["http", "https"].contains(&scheme) {
            return Err(EndpointError::Scheme(url.to_owned()));
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let connector = tls::connector(connector, scheme == "https", roots)
            .map_err(|reason| EndpointError::Trust { url: url.to_owned(), reason })?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(CONNECTION_IDLE)
            .pool_max_idle_per_host(CONNECTIONS_IDLE_MAX)
            .build(connector);
        Ok(AwsJson {
            client,
            base: format!("{scheme}://{authority}{}/", uri.path().trim_end_matches('/')),
            host: authority.to_string(),
            service,
            credentials,
            call_timeout,
            key: Mutex::new(None),
        })
    }

    /// Where it is, such as `http://HOST:PORT/`.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Calls an operation; `target` is the value of `X-Amz-Target`, `body` a JSON object.
    pub async fn call(&self, region: &str, target: &str, body: String) -> Result<Value, CallError> {
        let request = self.request(region, target, body)?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| CallError::Unreachable(error.to_string()))?.to_bytes();
            let answer = stepwright_value::read_bytes(&body).unwrap_or_default();
            if status.is_success() { Ok(answer) } else { Err(refusal(status.as_u16(), &answer)) }
        };
        match tokio::time::timeout(self.call_timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Unreachable(format!("no answer from {} in time", self.host))),
        }
    }

    fn request(&self, region: &str, target: &str, body: String) -> Result<Request<Full<Bytes>>, CallError> {
        let timestamp = stepwright_sigv4::timestamp(jiff::Timestamp::now().as_second());
        let scope = Scope { date: timestamp.get(..8).unwrap_or_default(), region, service: self.service };
        let mut headers = vec![
            ("content-type", CONTENT_TYPE),
            ("host", self.host.as_str()),
            ("x-amz-date", timestamp.as_str()),
            ("x-amz-target", target),
        ];
        headers
            .extend(self.credentials.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
        let unusable = || CallError::Unreachable(format!("no request can be made for {target}"));
        let uri: Uri = self.base.parse().map_err(|_| unusable())?;
        let payload_sha256 = sha256_hex(body.as_bytes());
        let canonical = WireRequest {
            method: "POST",
            path: uri.path(),
            query: "",
            headers: &headers,
            payload_sha256: &payload_sha256,
        }
        .canonical();
        let signature = canonical.signature(&self.signing_key(&scope), &timestamp, &scope);
        let authorization = canonical.authorization(&self.credentials.access_key_id, &scope, &signature);
        let mut request = Request::post(uri).body(Full::new(Bytes::from(body))).map_err(|_| unusable())?;
        headers.push(("authorization", &authorization));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| unusable())?;
            if let Ok(name) = hyper::header::HeaderName::from_bytes(name.as_bytes()) {
                request.headers_mut().insert(name, value);
            }
        }
        Ok(request)
    }

    /// Kept for the day.
    fn signing_key(&self, scope: &Scope<'_>) -> [u8; 32] {
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = scope.text();
        match &*kept {
            Some((known, key)) if *known == wanted => *key,
            _ => {
                let key = scope.signing_key(&self.credentials.secret_access_key);
                *kept = Some((wanted, key));
                key
            }
        }
    }
}

fn unreachable(error: &hyper_util::client::legacy::Error) -> CallError {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    CallError::Unreachable(innermost.to_string())
}

fn refusal(status: u16, answer: &Value) -> CallError {
    let member = |names: [&str; 2]| {
        names.into_iter().find_map(|name| answer.get(name)?.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let code = member(["__type", "code"]);
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    CallError::Service { status, code, message: member(["message", "Message"]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_and_refusals() {
        let new = |url| {
            let roots = Some(Path::new("/nowhere/roots.pem"));
            let made = AwsJson::new(url, "logs", credentials(|_| None), Duration::from_secs(1), roots);
            made.map(|it| it.base).err()
        };
        assert_eq!(new("http://127.0.0.1:4566"), None);
        assert_eq!(new("nonsense"), Some(EndpointError::NotAUrl("nonsense".to_owned())));
        assert!(matches!(new("ftp://example.com"), Some(EndpointError::Scheme(_))));
        assert!(matches!(new("https://example.com"), Some(EndpointError::Trust { .. })));
        let answer = stepwright_value::read(r#"{"__type":"a.b#ResourceNotFoundException:","message":"no"}"#);
        let error = refusal(400, &answer.expect("JSON"));
        assert!(error.is("ResourceNotFoundException") && !error.is_passing());
        assert!(refusal(503, &Value::Null).is_passing());
    }
}
