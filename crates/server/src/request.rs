//! From an HTTP request to its answer.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use stepwright_sigv4::SERVICE_STATES;

use crate::State;
use crate::endpoint;
use crate::error::ServerError;
use crate::gate::{self, Arrived, Peer};
use crate::hosts;
use crate::response::{self, Answer, Sent};
use crate::tenant::{Operation, Place, Tenant};

/// Memory for the making of an answer of a tenant that is no service of AWS.
const OTHERS_BYTES: usize = 2 << 20;

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
pub(crate) async fn answer(
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
async fn refuse(state: &State, peer: &Peer, head: &Parts, error: &ServerError) -> Answer {
    peer.connection.is_used().await;
    gate::note_refusal(state, peer, head, error);
    match (&head.method, head.uri.path()) {
        (&Method::POST, "/" | "") => Answer::aws_error(&error.into(), &state.options.environment.uuid()),
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
        "/healthz" if is_read => {
            peer.connection.is_used().await;
            response::text(StatusCode::OK, "ok\n".to_owned())
        }
        "/readyz" if is_read => {
            peer.connection.is_used().await;
            readiness(state)
        }
        "/metrics" if is_read => metrics(state, peer, head, body, is_known_host).await,
        _ => match state.tenants.find(&head) {
            Some(tenant) => serve(state, peer, &**tenant, head, body).await,
            None => response::text(StatusCode::NOT_FOUND, "not found\n".to_owned()),
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
        let arrived = gate::arrive(state, peer, SERVICE_STATES, head, body).await;
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

/// Lets a tenant answer, between the gate and the audit log.
async fn serve(state: &State, peer: &Peer, tenant: &dyn Tenant, head: Parts, body: Incoming) -> Answer {
    let place = tenant.place();
    let operation = tenant.operation(&head);
    let request_id = state.options.environment.uuid();
    let started = tokio::time::Instant::now();
    let mut arrived = gate::arrive(state, peer, place.signing_name(), head, body).await;
    let answer = admit(state, tenant, &mut arrived, &request_id, operation).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if place.is_service() => Answer::aws_error(&(&error).into(), &request_id),
        Err(error) => response::refused(&error),
    };
    arrived.audit(state, &request_id, operation, &answer);
    if place.is_service() {
        let name = operation.map_or("unknown", |operation| operation.name);
        let code = answer.error.unwrap_or("OK");
        metrics::counter!("stepwright_api_requests_total", "operation" => name, "code" => code).increment(1);
        metrics::histogram!("stepwright_api_request_seconds", "operation" => name)
            .record(started.elapsed().as_secs_f64());
        if answer.error.is_some() {
            // The message is for the caller alone: it may repeat what the caller sent.
            tracing::debug!(operation = name, code, request_id, "refused");
        }
    }
    answer
}

/// Gives a request to its tenant if its caller may call.
async fn admit(
    state: &State,
    tenant: &dyn Tenant,
    arrived: &mut Arrived,
    request_id: &str,
    operation: Option<Operation>,
) -> Result<Answer, ServerError> {
    // Nobody keeps the body while the tenant waits for something: it is let go as soon as it has been read.
    let body = arrived.take_body()?;
    let mut call = arrived.call(state, body, request_id, operation)?;
    let place = tenant.place();
    if let Place::Path(_) = place {
        match endpoint::parts(call.head.uri.path()) {
            Some(path) => call.path = path,
            None => return Ok(response::text(StatusCode::BAD_REQUEST, "the path is not UTF-8\n".to_owned())),
        }
    }
    if place.is_service() {
        return Ok(tenant.answer(call).await);
    }
    let share = state.budget.reserve(OTHERS_BYTES).await?;
    Ok(tenant.answer(call).await.with(share))
}
