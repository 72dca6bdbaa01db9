//! From an HTTP request to its answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwright_store::Pending;

use super::State;
use super::audit;
use super::budget::{SMALL_BYTES, Share};
use super::gate::{self, Arrived, Peer};
use super::hosts;
use super::own;
use super::response::{self, Answer, Body, Sent};
use crate::error::{ApiError, ProtocolError};
use crate::model::{Operation, TARGET_PREFIX};

/// Memory for the making of a page of a history: the part that is read, what it becomes, the answer.
const HISTORY_BYTES: usize = 32 << 20;
/// Memory for the making of other answers than the API's.
pub(super) const OTHERS_BYTES: usize = 2 << 20;

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
) -> Result<Response<Sent>, Infallible> {
    let (head, body) = request.into_parts();
    let answer = match state.options.hosts.check(&head) {
        Ok(is_known_host) => route(&state, &peer, head, body, is_known_host).await,
        Err(error) => refuse(&state, &peer, &head, &error).await,
    };
    Ok(answer.send(&state.budget, &peer))
}

/// Refuses a request before anybody looks for its caller.
async fn refuse(state: &State, peer: &Peer, head: &Parts, error: &ApiError) -> Answer {
    peer.connection.is_used().await;
    gate::note_refusal(state, peer, head, error);
    match (&head.method, head.uri.path()) {
        (&Method::POST, "/" | "") => response::error(error, &state.api.environment.uuid()),
        _ => response::refused(error),
    }
}

async fn route(state: &State, peer: &Peer, head: Parts, body: Incoming, is_known_host: bool) -> Answer {
    // Who proves who they are may call by any name.
    if !is_known_host && !state.options.access.is_protected() {
        return refuse(state, peer, &head, &hosts::unknown_host()).await;
    }
    let is_read = [Method::GET, Method::HEAD].contains(&head.method);
    match head.uri.path() {
        "/" | "" if head.method == Method::POST => call(state, peer, head, body).await,
        "/healthz" if is_read => {
            peer.connection.is_used().await;
            response::text(StatusCode::OK, "ok\n".to_owned())
        }
        "/readyz" if is_read => {
            peer.connection.is_used().await;
            readiness(state)
        }
        "/metrics" if is_read => metrics(state, peer, head, body, is_known_host).await,
        _ => match own::endpoint(state, &head) {
            Some(endpoint) => own::answer(state, peer, endpoint, head, body).await,
            None => fallback(state, peer, head, body).await,
        },
    }
}

fn readiness(state: &State) -> Answer {
    if (state.options.probes.is_ready)() {
        response::text(StatusCode::OK, "ready\n".to_owned())
    } else {
        response::text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned())
    }
}

/// The metrics: for everybody on an open server, for this machine and for callers on a protected one.
async fn metrics(state: &State, peer: &Peer, head: Parts, body: Incoming, is_known_host: bool) -> Answer {
    let options = &state.options;
    let is_of_this_machine = peer.is_local() && is_known_host;
    if options.access.is_protected() && !options.metrics_are_open && !is_of_this_machine {
        let arrived = gate::arrive(state, peer, head, body).await;
        if let Err(error) = arrived.admitted() {
            arrived.audit_refusal(state);
            return response::refused(&error);
        }
    } else {
        peer.connection.is_used().await;
    }
    match state.budget.reserve(OTHERS_BYTES).await {
        Ok(share) => response::metrics((options.probes.metrics)()).with(share),
        Err(error) => response::refused(&error),
    }
}

/// What is for nobody else.
async fn fallback(state: &State, peer: &Peer, head: Parts, body: Incoming) -> Answer {
    let Some(fallback) = &state.options.fallback else {
        return response::text(StatusCode::NOT_FOUND, "not found\n".to_owned());
    };
    let arrived = gate::arrive(state, peer, head, body).await;
    match arrived.admitted() {
        Ok(body) => fallback(Request::from_parts(arrived.head, body)).await.into(),
        Err(error) => {
            arrived.audit_refusal(state);
            response::refused(&error)
        }
    }
}

/// Performs an operation.
async fn call(state: &State, peer: &Peer, head: Parts, body: Incoming) -> Answer {
    let request_id = state.api.environment.uuid();
    let operation = operation(&head);
    let started = tokio::time::Instant::now();
    let mut arrived = gate::arrive(state, peer, head, body).await;
    let named = operation.as_ref().ok().and_then(|operation| arrived.audited_resource(state, *operation));
    let result = perform(state, &mut arrived, operation.as_ref().ok().copied()).await;
    // A wrong operation is reported after the body was read, so that the connection can go on.
    let result = result.and_then(|answer| operation.as_ref().map(|_| answer).map_err(ApiError::clone));
    if let Ok(operation) = operation {
        arrived.audit_call(state, &request_id, operation, named, &result);
    }
    let name = operation.map_or("unknown", Operation::name);
    let code = result.as_ref().map_or_else(|error| error.kind.name(), |_| "OK");
    metrics::counter!("stepwright_api_requests_total", "operation" => name, "code" => code).increment(1);
    metrics::histogram!("stepwright_api_request_seconds", "operation" => name)
        .record(started.elapsed().as_secs_f64());
    match result {
        Ok((json, share)) => response::answer(json, &request_id).with(share),
        Err(error) => {
            // The message is for the caller alone: it may repeat what the caller sent.
            tracing::debug!(operation = name, code, request_id, "refused");
            response::error(&error, &request_id)
        }
    }
}

/// An answer of the API, with its memory where it takes some.
pub(super) type Performed = (Vec<u8>, Option<Share>);

async fn perform(
    state: &State,
    arrived: &mut Arrived,
    operation: Option<Operation>,
) -> Result<Performed, ApiError> {
    // Nobody keeps the body while the operation waits for something: it is let go as soon as it has been read.
    let body = arrived.take_body()?;
    let account = arrived.account(state.api.account());
    let (api, budget) = (&state.api.of(account), &state.budget);
    match operation {
        Some(operation) if !api.admits(operation) => Err(ApiError::overloaded()),
        Some(Operation::GetActivityTask) => {
            let poll = arrived.begin_poll();
            let answer = tokio::select! {
                biased;
                answer = api.call(Operation::GetActivityTask, body) => answer?,
                // As when there was nothing to do for the time of a poll.
                () = poll.ended() => b"{}".to_vec(),
            };
            Ok((answer, None))
        }
        Some(Operation::GetExecutionHistory) => {
            let share = budget.reserve(HISTORY_BYTES).await?;
            Ok((api.call(Operation::GetExecutionHistory, body).await?, Some(share)))
        }
        Some(operation) if audit::changes_something(operation) => {
            Ok((api.call(operation, body).await?, None))
        }
        Some(operation) => {
            let answer = api.call(operation, body.clone()).await?;
            if answer.len() <= SMALL_BYTES {
                return Ok((answer, None));
            }
            if let Some(share) = budget.take(answer.len()) {
                return Ok((answer, Some(share)));
            }
            // Nothing is held while it waits for memory: it is made once more.
            let bytes = answer.len();
            drop(answer);
            let share = budget.reserve(bytes).await?;
            Ok((api.call(operation, body).await?, Some(share)))
        }
        None => Ok((Vec::new(), None)),
    }
}

fn operation(head: &Parts) -> Result<Operation, ApiError> {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target
        .and_then(|target| target.strip_prefix(TARGET_PREFIX))
        .and_then(Operation::from_name)
        .ok_or_else(|| ApiError::protocol(ProtocolError::UnknownOperation, ""))
}
