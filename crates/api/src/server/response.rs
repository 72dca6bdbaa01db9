//! Answers as HTTP.

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::error::ApiError;
use crate::own;

/// An answer's body: in one piece, or (from a fallback) a stream.
pub type Body = Either<Full<Bytes>, BoxBody<Bytes, std::io::Error>>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const AWS_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// The answer of an operation.
pub fn answer(json: Vec<u8>, request_id: &str) -> Response<Body> {
    aws_json(StatusCode::OK, json, request_id)
}

/// The answer of an operation that was refused or failed.
pub fn error(error: &ApiError, request_id: &str) -> Response<Body> {
    let kind = error.kind;
    let mut body = json!({ "__type": format!("{}#{}", kind.namespace(), kind.name()) });
    if let Some(members) = body.as_object_mut() {
        if !error.message.is_empty() {
            members.insert("message".to_owned(), error.message.as_str().into());
        }
        if let Some((name, value)) = &error.detail {
            members.insert((*name).to_owned(), value.as_str().into());
        }
    }
    let status = StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    aws_json(status, body.to_string().into_bytes(), request_id)
}

/// A refusal of a request that is not for the API: a sentence as JSON.
pub fn refused(error: &ApiError) -> Response<Body> {
    let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, &own::Reply::refused(status, &error.message).body)
}

/// A plain text.
pub fn text(status: StatusCode, text: String) -> Response<Body> {
    respond(status, HeaderValue::from_static("text/plain; charset=utf-8"), text.into_bytes())
}

/// A JSON value.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    respond(status, HeaderValue::from_static("application/json"), format!("{value}\n").into_bytes())
}

/// Metrics in the Prometheus text format.
pub fn metrics(text: String) -> Response<Body> {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    respond(StatusCode::OK, content_type, text.into_bytes())
}

fn aws_json(status: StatusCode, json: Vec<u8>, request_id: &str) -> Response<Body> {
    let mut response = respond(status, AWS_JSON, json);
    // A request id is a UUID, so always a valid header value.
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn respond(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
