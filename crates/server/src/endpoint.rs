//! Plain JSON over HTTP, for tenants at a path: what AWS does not have.

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::access::Caller;
use crate::response::{self, Answer};
use crate::tenant::Call;

/// A request to an endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    pub caller: Caller,
    pub method: Method,
    /// The parts of the path, percent-decoded: `/limits/payments` is `limits` and `payments`.
    pub path: Vec<String>,
    /// What stands behind the `?`.
    pub query: Option<String>,
    pub body: Bytes,
}

/// What an endpoint answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Value,
}

impl From<Call<'_>> for Request {
    fn from(call: Call<'_>) -> Request {
        Request {
            caller: call.caller.clone(),
            method: call.head.method.clone(),
            path: call.path,
            query: call.head.uri.query().map(str::to_owned),
            body: call.body,
        }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        response::json(reply.status, &reply.body)
    }
}

/// A refusal is an answer, too.
impl From<Result<Reply, Reply>> for Answer {
    fn from(result: Result<Reply, Reply>) -> Answer {
        result.unwrap_or_else(|refusal| refusal).into()
    }
}

impl Reply {
    pub fn ok(body: Value) -> Reply {
        Reply { status: StatusCode::OK, body }
    }

    /// A refusal, in a sentence that says how to mend it.
    pub fn refused(status: StatusCode, message: impl std::fmt::Display) -> Reply {
        Reply { status, body: json!({ "error": message.to_string() }) }
    }

    pub fn not_found(what: impl std::fmt::Display) -> Reply {
        Reply::refused(StatusCode::NOT_FOUND, what)
    }

    pub fn wrong_method(request: &Request, allowed: &str) -> Reply {
        let message = format!("{} is not possible here; {allowed} is.", request.method);
        Reply::refused(StatusCode::METHOD_NOT_ALLOWED, message)
    }
}

impl Request {
    /// A parameter of the query, percent-decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.as_deref()?.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(found, _)| *found == name).and_then(|(_, value)| decoded(value))
    }

    /// The body as what the endpoint takes.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Reply::refused(StatusCode::BAD_REQUEST, format!("the body cannot be used: {error}"))
        })
    }
}

/// The parts of a path, percent-decoded. `None` when it is not UTF-8.
pub(crate) fn parts(path: &str) -> Option<Vec<String>> {
    path.trim_matches('/').split('/').map(decoded).collect()
}

fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match byte {
            b'%' => bytes.push((digit(rest.next())? << 4 | digit(rest.next())?) as u8),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, expected) in [
            ("/limits", Some(vec!["limits"])),
            ("/limits/", Some(vec!["limits"])),
            ("/limits/a%20b%2Fc", Some(vec!["limits", "a b/c"])),
            ("/limits/%zz", None),
            ("/limits/%ff", None),
            ("/limits/%4", None),
        ] {
            assert_eq!(
                parts(path),
                expected.map(|parts| parts.into_iter().map(str::to_owned).collect()),
                "{path}"
            );
        }
    }
}
