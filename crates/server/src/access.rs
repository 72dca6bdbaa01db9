//! Who may call.

use std::sync::Arc;

use hyper::http::request::Parts;

use crate::error::ServerError;

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
    /// Refuses a request whose signature is not that of a known key over this head and body, for this service.
    fn verify(&self, head: &Parts, body: &[u8], service: &str) -> Result<Caller, ServerError>;

    /// Refuses what can be refused before the body is there.
    fn verify_head(&self, head: &Parts, service: &str) -> Result<(), ServerError>;
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
        /// The account that the credentials name for it.
        account_id: Option<Arc<str>>,
    },
}

impl Access {
    /// Whether the port may be reachable by others.
    pub fn is_protected(&self) -> bool {
        matches!(self, Access::Verified(_))
    }

    /// Checks a request whose body is still to come.
    pub fn check_head(&self, head: &Parts, service: &str) -> Result<(), ServerError> {
        match self {
            Access::Verified(verifier) => verifier.verify_head(head, service),
            Access::Open => Ok(()),
        }
    }

    /// Checks a request whose body has arrived.
    pub fn check(&self, head: &Parts, body: &[u8], service: &str) -> Result<Caller, ServerError> {
        match self {
            Access::Verified(verifier) => verifier.verify(head, body, service),
            Access::Open => Ok(Caller::Anyone),
        }
    }
}
