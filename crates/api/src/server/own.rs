//! Requests to Stepwright's own endpoints: read within the same limits and checked as those to the API.

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use super::State;
use super::body;
use super::response::{self, Body};
use crate::error::ApiError;
use crate::own;

/// Answers the request if it is for an own endpoint; else gives it back.
pub(super) async fn answer(
    state: &State,
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
    let received = body::read(body, &state.options.limits, &state.bodies).await;
    let checked = received.and_then(|body| state.options.access.check(&head, &body.bytes).map(|()| body));
    let body = match checked {
        Ok(body) => body.bytes.to_vec(),
        Err(error) => return Ok(refused(&error)),
    };
    let query = head.uri.query().map(str::to_owned);
    let reply = endpoint.answer(own::Request { method: head.method, path, query, body }).await;
    Ok(response::json(reply.status, &reply.body))
}

fn refused(error: &ApiError) -> Response<Body> {
    let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response::json(status, &own::Reply::refused(status, &error.message).body)
}
