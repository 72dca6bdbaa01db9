//! Who may call.

use std::sync::Arc;

use hyper::header::{HeaderMap, ORIGIN};
use hyper::http::request::Parts;

use crate::error::{ApiError, ProtocolError};

/// How callers prove who they are.
#[derive(Clone, Default)]
pub enum Access {
    /// Any signature is accepted, or none. Only on loopback.
    #[default]
    Open,
    /// Each request has to satisfy the verifier.
    Verified(Arc<dyn Verifier>),
}

/// Checks signatures.
pub trait Verifier: Send + Sync + 'static {
    /// Refuses a request whose signature is not that of a known key over this head and body.
    fn verify(&self, head: &Parts, body: &[u8]) -> Result<Caller, ApiError>;

    /// Refuses what can be refused before the body is there.
    fn verify_head(&self, head: &Parts) -> Result<(), ApiError>;
}

/// Who called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Somebody on this machine: nothing was proved.
    Anyone,
    /// The holder of a key.
    Known {
        access_key_id: Arc<str>,
        /// The name of the key among the credentials.
        principal: Arc<str>,
    },
}

impl Access {
    /// Whether the port may be reachable by others.
    pub fn is_protected(&self) -> bool {
        matches!(self, Access::Verified(_))
    }

    /// Checks a request whose body is still to come.
    pub fn check_head(&self, head: &Parts) -> Result<(), ApiError> {
        match self {
            Access::Verified(verifier) => verifier.verify_head(head),
            Access::Open => check_origin(&head.headers),
        }
    }

    /// Checks a request whose body has arrived.
    pub fn check(&self, head: &Parts, body: &[u8]) -> Result<Caller, ApiError> {
        match self {
            Access::Verified(verifier) => verifier.verify(head, body),
            Access::Open => check_origin(&head.headers).map(|()| Caller::Anyone),
        }
    }
}

/// On an open port a web page of somebody else must not act through the user's browser, not even one that has had its
/// host name point to loopback. Browsers say where a page comes from; other clients say nothing.
fn check_origin(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host =
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(
            |(_, authority)| match authority.strip_prefix('[') {
                Some(v6) => v6.split(']').next().unwrap_or_default(),
                None => authority.split(':').next().unwrap_or_default(),
            },
        );
    let is_local = host.is_some_and(|host| {
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    if is_local {
        return Ok(());
    }
    Err(ApiError::protocol(
        ProtocolError::AccessDenied,
        "Web pages of other origins are not allowed to call.",
    ))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn origins() {
        for (origin, allowed) in [
            ("http://localhost:8083", true),
            ("http://127.0.0.1:8083", true),
            ("http://[::1]:8083", true),
            ("https://example.com", false),
            ("http://localhost.example.com", false),
            ("null", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            assert_eq!(check_origin(&headers).is_ok(), allowed, "{origin}");
        }
        assert!(check_origin(&HeaderMap::new()).is_ok());
    }
}
