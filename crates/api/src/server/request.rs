//! From an HTTP request to its answer.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwright_store::Pending;

use super::State;
use super::body::{self, Received};
use super::own;
use super::response::{self, Body};
use crate::error::{ApiError, ProtocolError};
use crate::model::{Operation, TARGET_PREFIX};

/// Answers requests that are not for the API.
pub type Fallback = Arc<dyn Fn(Request<Incoming>) -> Pending<'static, Response<Body>> + Send + Sync>;

/// What monitoring asks: `/healthz` (the process answers), `/readyz`, `/metrics`.
#[derive(Clone)]
pub struct Probes {
    /// Whether requests can be served.
    pub is_ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The metrics in the Prometheus text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Default for Probes {
    fn default() -> Probes {
        Probes { is_ready: Arc::new(|| true), metrics: Arc::new(String::new) }
    }
}

/// Answers one request. Never fails: what goes wrong becomes an answer.
pub(super) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let probes = &state.options.probes;
    Ok(match (request.method(), path) {
        (&Method::POST, "/" | "") => call(&state, request).await,
        (&Method::GET, "/healthz") => response::text(StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/readyz") if (probes.is_ready)() => {
            response::text(StatusCode::OK, "ready\n".to_owned())
        }
        (&Method::GET, "/readyz") => {
            response::text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
        }
        (&Method::GET, "/metrics") => response::metrics((probes.metrics)()),
        _ => match (own::answer(&state, request).await, &state.options.fallback) {
            (Ok(answer), _) => answer,
            (Err(request), Some(fallback)) => fallback(request).await,
            (Err(_), None) => response::text(StatusCode::NOT_FOUND, "not found\n".to_owned()),
        },
    })
}

/// Performs an operation.
async fn call(state: &State, request: Request<Incoming>) -> Response<Body> {
    let request_id = state.api.environment.uuid();
    let (head, body) = request.into_parts();
    let operation = operation(&head);
    let started = tokio::time::Instant::now();
    let result = perform(state, &head, operation.as_ref().ok().copied(), body).await;
    // A wrong operation is reported after the body was read, so that the connection can go on.
    let result = result.and_then(|answer| operation.as_ref().map(|_| answer).map_err(ApiError::clone));
    let name = operation.map_or("unknown", Operation::name);
    let code = result.as_ref().map_or_else(|error| error.kind.name(), |_| "OK");
    metrics::counter!("stepwright_api_requests_total", "operation" => name, "code" => code).increment(1);
    metrics::histogram!("stepwright_api_request_seconds", "operation" => name)
        .record(started.elapsed().as_secs_f64());
    match result {
        Ok(answer) => response::answer(answer, &request_id),
        Err(error) => {
            tracing::debug!(operation = name, code, message = error.message, request_id, "refused");
            response::error(&error, &request_id)
        }
    }
}

async fn perform(
    state: &State,
    head: &Parts,
    operation: Option<Operation>,
    body: Incoming,
) -> Result<Vec<u8>, ApiError> {
    let body: Received<'_> = body::read(body, &state.options.limits, &state.bodies).await?;
    state.options.access.check(head, &body.bytes)?;
    match operation {
        Some(operation) if !state.api.admits(operation) => Err(ApiError::overloaded()),
        Some(operation) => state.api.call(operation, &body.bytes).await,
        None => Ok(Vec::new()),
    }
}

fn operation(head: &Parts) -> Result<Operation, ApiError> {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target
        .and_then(|target| target.strip_prefix(TARGET_PREFIX))
        .and_then(Operation::from_name)
        .ok_or_else(|| ApiError::protocol(ProtocolError::UnknownOperation, ""))
}
