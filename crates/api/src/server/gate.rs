//! The way in: the one place that a request passes before anything is done for it. Whoever adds endpoints gets bodies and
//! callers from here.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Incoming;
use hyper::http::request::Parts;

use super::State;
use super::access::Caller;
use super::audit::{self, Audit, Record};
use super::body::{self, Received};
use super::connections::{Connection, Working};
use super::signatures::claimed_key_id;
use crate::error::ApiError;
use crate::model::Operation;

/// Where a request came from.
#[derive(Clone)]
pub(super) struct Peer {
    pub address: SocketAddr,
    pub connection: Arc<Connection>,
}

impl Peer {
    /// Whether it is this machine.
    pub fn is_local(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

/// A request that has come in whole.
pub(super) struct Arrived<'s> {
    pub head: Parts,
    /// The body, or why it could not be read.
    pub body: Result<Received<'s>, ApiError>,
    /// Who sent it, or why that is not known.
    pub caller: Result<Caller, ApiError>,
    peer: Peer,
    _working: Working,
}

/// Reads a request's body and checks its caller.
pub(super) async fn arrive<'s>(state: &'s State, peer: &Peer, head: Parts, body: Incoming) -> Arrived<'s> {
    // Who will be refused anyway takes no memory from the others.
    let refusal = if body::is_large(&body) { state.options.access.check_head(&head).err() } else { None };
    let body = match refusal {
        Some(error) => {
            body::discard(body, &state.options.limits).await;
            Err(error)
        }
        None => body::read(body, &state.options.limits, &state.bodies).await,
    };
    let working = peer.connection.work().await;
    let caller = match &body {
        Ok(body) => state.options.access.check(&head, &body.bytes),
        Err(error) => Err(error.clone()),
    };
    Arrived { head, body, caller, peer: peer.clone(), _working: working }
}

impl Arrived<'_> {
    /// The body of a caller who may call.
    pub fn admitted(&self) -> Result<&Received<'_>, ApiError> {
        if let Err(error) = &self.caller {
            return Err(error.clone());
        }
        self.body.as_ref().map_err(ApiError::clone)
    }

    /// Notes a call of the API in the audit log, if it is one that changes something.
    pub fn audit_call(
        &self,
        state: &State,
        request_id: &str,
        operation: Operation,
        result: &Result<Vec<u8>, ApiError>,
    ) {
        let audit = Audit { file: state.options.audit.as_deref() };
        if !audit::changes_something(operation) || !audit.is_wanted() {
            return;
        }
        let request = self.body.as_ref().map_or(&b""[..], |body| &body.bytes);
        let resource = audit::resource(request, result.as_ref().ok().map(Vec::as_slice));
        let (http_status, error) = match result {
            Ok(_) => (200, None),
            Err(error) => (error.kind.http_status(), Some(error.kind.name())),
        };
        self.write(state, &audit, request_id, operation.name(), resource, http_status, error);
    }

    /// Notes a request to an own endpoint in the audit log, if it is one that changes something.
    pub fn audit_own(&self, state: &State, http_status: u16) {
        let audit = Audit { file: state.options.audit.as_deref() };
        let method = &self.head.method;
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) || !audit.is_wanted() {
            return;
        }
        let operation = format!("{method} {}", self.head.uri.path());
        let error = self.caller.as_ref().err().map(|error| error.kind.name());
        self.write(state, &audit, &state.api.environment.uuid(), &operation, None, http_status, error);
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a record")]
    fn write(
        &self,
        state: &State,
        audit: &Audit<'_>,
        request_id: &str,
        operation: &str,
        resource: Option<String>,
        http_status: u16,
        error: Option<&str>,
    ) {
        let record = Record {
            time: Record::time(state.api.environment.now_ms()),
            request_id,
            operation,
            resource,
            access_key_id: None,
            principal: None,
            remote_address: self.peer.address,
            http_status,
            error,
        };
        audit.write(&record.with_caller(self.caller.as_ref().ok(), claimed_key_id(&self.head)));
    }
}
