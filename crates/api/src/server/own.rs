//! Requests to Stepwright's own endpoints: read within the same limits and checked as those to the API.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::http::request::Parts;

use super::State;
use super::gate::{self, Peer};
use super::request::OTHERS_BYTES;
use super::response::{self, Answer};
use crate::own::{self, Endpoint};

/// The own endpoint that a request is for.
pub(super) fn endpoint<'s>(state: &'s State, head: &Parts) -> Option<&'s Arc<dyn Endpoint>> {
    let first = head.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    state.options.own.iter().find(|endpoint| endpoint.name() == first)
}

/// Answers a request to an own endpoint.
pub(super) async fn answer(
    state: &State,
    peer: &Peer,
    endpoint: &Arc<dyn Endpoint>,
    head: Parts,
    body: Incoming,
) -> Answer {
    let mut arrived = gate::arrive(state, peer, head, body).await;
    let answer = match arrived.take_body() {
        Ok(body) => match (own::parts(arrived.head.uri.path()), state.budget.reserve(OTHERS_BYTES).await) {
            (Some(path), Ok(share)) => {
                let (method, query) = (arrived.head.method.clone(), arrived.head.uri.query());
                let request = own::Request { method, path, query: query.map(str::to_owned), body };
                let reply = endpoint.answer(request).await;
                response::json(reply.status, &reply.body).with(share)
            }
            (None, _) => response::text(StatusCode::BAD_REQUEST, "the path is not UTF-8\n".to_owned()),
            (_, Err(error)) => response::refused(&error),
        },
        Err(error) => response::refused(&error),
    };
    arrived.audit_own(state, answer.status().as_u16());
    answer
}
