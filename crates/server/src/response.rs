//! Answers as HTTP.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{Either, Full};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde_json::json;

use crate::budget::{Budget, SMALL_BYTES, Share};
use crate::endpoint::Reply;
use crate::error::ServerError;
use crate::gate::Peer;

/// An answer's body.
pub enum Body {
    Whole(Bytes),
    /// Comes piece by piece: a file, server-sent events. No memory is reserved for it.
    Stream(BoxBody<Bytes, std::io::Error>),
}

/// A body on its way to the client.
pub(crate) type Sent = Either<Full<Bytes>, BoxBody<Bytes, std::io::Error>>;

/// An answer, with the memory that was reserved for it, and what the audit log has to know.
pub struct Answer {
    response: Response<Body>,
    share: Option<Share>,
    pub(crate) resource: Option<String>,
    /// The name of the error that it is.
    pub(crate) error: Option<&'static str>,
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Answer {
        Answer { response, share: None, resource: None, error: None }
    }
}

/// An error as AWS's JSON protocols write it.
pub struct AwsError<'a> {
    pub http_status: u16,
    /// What stands before the name in `__type`.
    pub namespace: &'static str,
    pub name: &'static str,
    pub message: &'a str,
    /// One more member.
    pub detail: Option<(&'static str, &'a str)>,
}

impl<'a> From<&'a ServerError> for AwsError<'a> {
    fn from(error: &'a ServerError) -> AwsError<'a> {
        AwsError {
            http_status: error.kind.http_status(),
            namespace: error.kind.namespace(),
            name: error.kind.name(),
            message: &error.message,
            detail: None,
        }
    }
}

impl Answer {
    /// What an operation of AWS's JSON 1.0 protocol answers.
    pub fn aws_json(json: Vec<u8>, request_id: &str) -> Answer {
        aws_json(StatusCode::OK, json, request_id)
    }

    /// As which such an operation is refused, or fails.
    pub fn aws_error(error: &AwsError<'_>, request_id: &str) -> Answer {
        let mut body = json!({ "__type": format!("{}#{}", error.namespace, error.name) });
        if let Some(members) = body.as_object_mut() {
            if !error.message.is_empty() {
                members.insert("message".to_owned(), error.message.into());
            }
            if let Some((name, value)) = error.detail {
                members.insert(name.to_owned(), value.into());
            }
        }
        let status = StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = aws_json(status, body.to_string().into_bytes(), request_id);
        Answer { error: Some(error.name), ..answer }
    }

    /// With the memory that was taken for it.
    pub fn with(self, share: impl Into<Option<Share>>) -> Answer {
        Answer { share: share.into(), ..self }
    }

    /// With the resource that the audit log is to name.
    pub fn about(self, resource: Option<String>) -> Answer {
        Answer { resource, ..self }
    }

    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// What goes to the client, for whom its memory is held until it has been taken.
    pub(crate) fn send(self, budget: &Arc<Budget>, peer: &Peer) -> Response<Sent> {
        let Answer { response, share, .. } = self;
        response.map(|body| match body {
            Body::Whole(bytes) if bytes.len() <= SMALL_BYTES => Either::Left(Full::new(bytes)),
            Body::Whole(bytes) => {
                let mut share = share.unwrap_or_else(|| budget.take_anyway(bytes.len()));
                share.resize(bytes.len());
                share.begin_turn(&peer.outgoing, peer.connection.eviction());
                Either::Left(Full::new(share.around(bytes)))
            }
            Body::Stream(stream) => Either::Right(stream),
        })
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const AWS_JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// A refusal of a request that is not for a service of AWS: a sentence as JSON.
pub fn refused(error: &ServerError) -> Answer {
    let status = StatusCode::from_u16(error.kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::refused(status, &error.message).into()
}

/// A plain text.
pub fn text(status: StatusCode, text: String) -> Answer {
    respond_to_get(status, HeaderValue::from_static("text/plain; charset=utf-8"), text.into_bytes())
}

/// A JSON value.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    respond_to_get(status, HeaderValue::from_static("application/json"), format!("{value}\n").into_bytes())
}

/// Metrics in the Prometheus text format.
pub fn metrics(text: String) -> Answer {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    respond_to_get(StatusCode::OK, content_type, text.into_bytes())
}

fn aws_json(status: StatusCode, json: Vec<u8>, request_id: &str) -> Answer {
    let mut answer = respond(status, AWS_JSON, json);
    // A request id is a UUID, so always a valid header value.
    if let Ok(value) = HeaderValue::from_str(request_id) {
        answer.response.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

fn respond(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Answer {
    let mut response = Response::new(Body::Whole(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.into()
}

/// As [`respond`], for what a browser might show or keep.
fn respond_to_get(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Answer {
    let mut answer = respond(status, content_type, body);
    let headers = answer.response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
