//! Requests to Stepwright's own endpoints: read within the same limits and checked as those to the API.

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use super::State;
use super::gate::{self, Peer};
use super::response::{self, Body};
use crate::own;

/// Answers the request if it is for an own endpoint; else gives it back.
pub(super) async fn answer(
    state: &State,
    peer: &Peer,
    request: Request<Incoming>,
) -> Result<Response<Body>, Request<Incoming>> {
    let path = request.uri().path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let Some(endpoint) = state.options.own.iter().find(|endpoint| endpoint.name() == first) else {
        return Err(request);
    };
    let Some(path) = own::parts(path) else {
        return Ok(response::text(StatusCode::BAD_REQUEST, "the path is not UTF-8\n".to_owned()));
    };
    let (head, body) = request.into_parts();
    let arrived = gate::arrive(state, peer, head, body).await;
    let answer = match arrived.admitted() {
        Ok(body) => {
            let head = &arrived.head;
            let query = head.uri.query().map(str::to_owned);
            let request =
                own::Request { method: head.method.clone(), path, query, body: body.bytes.to_vec() };
            let reply = endpoint.answer(request).await;
            response::json(reply.status, &reply.body)
        }
        Err(error) => response::refused(&error),
    };
    arrived.audit_own(state, answer.status().as_u16());
    Ok(answer)
}
