//! From an HTTP request to its answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwright_store::Pending;

use super::State;
use super::gate::{self, Arrived, Peer};
use super::own;
use super::response::{self, Body};
use crate::error::{ApiError, ProtocolError};
use crate::model::{Operation, TARGET_PREFIX};

/// Answers requests that are for nobody else; their callers have been checked.
pub type Fallback = Arc<dyn Fn(Request<Bytes>) -> Pending<'static, Response<Body>> + Send + Sync>;

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
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    Ok(match (request.method(), path) {
        (&Method::POST, "/" | "") => call(&state, &peer, request).await,
        (&Method::GET, "/healthz") => {
            peer.connection.is_used().await;
            response::text(StatusCode::OK, "ok\n".to_owned())
        }
        (&Method::GET, "/readyz") => {
            peer.connection.is_used().await;
            readiness(&state)
        }
        (&Method::GET, "/metrics") => metrics(&state, &peer, request).await,
        _ => match own::answer(&state, &peer, request).await {
            Ok(answer) => answer,
            Err(request) => fallback(&state, &peer, request).await,
        },
    })
}

fn readiness(state: &State) -> Response<Body> {
    if (state.options.probes.is_ready)() {
        response::text(StatusCode::OK, "ready\n".to_owned())
    } else {
        response::text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
    }
}

/// The metrics: for everybody on an open server, for this machine and for callers on a protected one.
async fn metrics(state: &State, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
    let options = &state.options;
    if options.access.is_protected() && !options.metrics_are_open && !peer.is_local() {
        let (head, body) = request.into_parts();
        let arrived = gate::arrive(state, peer, head, body).await;
        if let Err(error) = arrived.admitted() {
            return response::refused(&error);
        }
    } else {
        peer.connection.is_used().await;
    }
    response::metrics((options.probes.metrics)())
}

/// What is for nobody else.
async fn fallback(state: &State, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
    let Some(fallback) = &state.options.fallback else {
        return response::text(StatusCode::NOT_FOUND, "not found\n".to_owned());
    };
    let (head, body) = request.into_parts();
    let arrived = gate::arrive(state, peer, head, body).await;
    let body = match arrived.admitted() {
        Ok(body) => body.bytes.clone(),
        Err(error) => return response::refused(&error),
    };
    fallback(Request::from_parts(arrived.head, body)).await
}

/// Performs an operation.
async fn call(state: &State, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
    let request_id = state.api.environment.uuid();
    let (head, body) = request.into_parts();
    let operation = operation(&head);
    let started = tokio::time::Instant::now();
    let arrived = gate::arrive(state, peer, head, body).await;
    let result = perform(state, &arrived, operation.as_ref().ok().copied()).await;
    // A wrong operation is reported after the body was read, so that the connection can go on.
    let result = result.and_then(|answer| operation.as_ref().map(|_| answer).map_err(ApiError::clone));
    if let Ok(operation) = operation {
        arrived.audit_call(state, &request_id, operation, &result);
    }
    let name = operation.map_or("unknown", Operation::name);
    let code = result.as_ref().map_or_else(|error| error.kind.name(), |_| "OK");
    metrics::counter!("stepwright_api_requests_total", "operation" => name, "code" => code).increment(1);
    metrics::histogram!("stepwright_api_request_seconds", "operation" => name)
        .record(started.elapsed().as_secs_f64());
    match result {
        Ok(answer) => response::answer(answer, &request_id),
        Err(error) => {
            // The message is for the caller alone: it may repeat what the caller sent.
            tracing::debug!(operation = name, code, request_id, "refused");
            response::error(&error, &request_id)
        }
    }
}

async fn perform(
    state: &State,
    arrived: &Arrived<'_>,
    operation: Option<Operation>,
) -> Result<Vec<u8>, ApiError> {
    let body = arrived.admitted()?;
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
