//! The way in: the one place that a request passes before anything is done for it. Whoever adds endpoints gets bodies and
//! callers from here.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::body::Incoming;
use hyper::http::request::Parts;

use super::State;
use super::access::Caller;
use super::audit::{self, Audit, Record};
use super::body::{self, Reader};
use super::connections::{Connection, Poll, Working};
use super::keys::is_account_id;
use super::meter::Meter;
use super::request::Performed;
use super::signatures::{claimed_key_id, claimed_scope};
use crate::error::ApiError;
use crate::model::{Operation, TARGET_PREFIX};
use stepwright_sigv4::is_region;
use stepwright_types::arn::Account;

/// Characters of what a refused request was for, in its record.
const OPERATION_CHARS_MAX: usize = 200;

/// Where a request came from.
#[derive(Clone)]
pub(super) struct Peer {
    pub address: SocketAddr,
    pub connection: Arc<Connection>,
    /// What its connection has received.
    pub incoming: Arc<Meter>,
    /// What its connection has sent.
    pub outgoing: Arc<Meter>,
}

impl Peer {
    /// Whether it is this machine.
    pub fn is_local(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

/// A request that has come in whole.
pub(super) struct Arrived {
    pub head: Parts,
    /// The body, or why it could not be read.
    pub body: Result<Bytes, ApiError>,
    /// Who sent it, or why that is not known.
    pub caller: Result<Caller, ApiError>,
    peer: Peer,
    working: Working,
}

/// Reads a request's body and checks its caller.
pub(super) async fn arrive(state: &State, peer: &Peer, head: Parts, body: Incoming) -> Arrived {
    // Who will be refused anyway takes no memory from the others.
    let refusal = if body::is_large(&body) { state.options.access.check_head(&head).err() } else { None };
    let body = match refusal {
        Some(error) => {
            body::discard(body, &state.options.limits).await;
            Err(error)
        }
        None => {
            let reader =
                Reader { limits: &state.options.limits, budget: &state.budget, meter: &peer.incoming };
            reader.read(body).await
        }
    };
    let working = peer.connection.work().await;
    let caller = match &body {
        Ok(body) => state.options.access.check(&head, body),
        Err(error) => Err(error.clone()),
    };
    Arrived { head, body, caller, peer: peer.clone(), working }
}

impl Arrived {
    /// The body of a caller who may call. It is not kept.
    pub fn take_body(&mut self) -> Result<Bytes, ApiError> {
        let body = self.admitted()?;
        self.body = Ok(Bytes::new());
        Ok(body)
    }

    /// In whose name the request is to be performed: the region that it was signed for, and the account of its key (or the
    /// account that stands in the place of a key's id, as clients of emulators have it), where it says so; else the server's.
    pub fn account(&self, own: &Arc<Account>) -> Arc<Account> {
        let Some((access_key_id, region)) = claimed_scope(&self.head) else { return own.clone() };
        let region = if is_region(region) { region } else { &own.region };
        let account_id = match &self.caller {
            Ok(Caller::Known { account_id: Some(account_id), .. }) => account_id,
            _ if is_account_id(access_key_id) => access_key_id,
            _ => &own.account_id,
        };
        if *region == own.region && *account_id == own.account_id {
            return own.clone();
        }
        Arc::new(Account::new(region, account_id))
    }

    /// A long poll begins.
    pub fn begin_poll(&self) -> Poll<'_> {
        self.working.poll()
    }

    /// The body of a caller who may call.
    pub fn admitted(&self) -> Result<Bytes, ApiError> {
        if let Err(error) = &self.caller {
            return Err(error.clone());
        }
        self.body.clone()
    }

    /// What the request names, if its call is for the audit log.
    pub fn audited_resource(&self, state: &State, operation: Operation) -> Option<String> {
        let audit = Audit { file: state.options.audit.as_deref() };
        if !audit::changes_something(operation) || !audit.is_wanted() {
            return None;
        }
        self.body.as_ref().ok().and_then(|body| audit::named(body))
    }

    /// Notes a call of the API in the audit log, if it is one that changes something.
    pub fn audit_call(
        &self,
        state: &State,
        request_id: &str,
        operation: Operation,
        named: Option<String>,
        result: &Result<Performed, ApiError>,
    ) {
        if self.audit_refusal(state) {
            return;
        }
        let audit = Audit { file: state.options.audit.as_deref() };
        if !audit::changes_something(operation) || !audit.is_wanted() {
            return;
        }
        let answered = result.as_ref().ok().and_then(|(answer, _)| audit::named(answer));
        let resource = answered.or(named);
        let (http_status, error) = match result {
            Ok(_) => (200, None),
            Err(error) => (error.kind.http_status(), Some(error.kind.name())),
        };
        self.write(state, &audit, request_id, operation.name(), resource, http_status, error);
    }

    /// Notes a request to an own endpoint in the audit log, if it is one that changes something.
    pub fn audit_own(&self, state: &State, http_status: u16) {
        if self.audit_refusal(state) {
            return;
        }
        let audit = Audit { file: state.options.audit.as_deref() };
        let method = &self.head.method;
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) || !audit.is_wanted() {
            return;
        }
        let operation = format!("{method} {}", self.head.uri.path());
        self.write(state, &audit, &state.api.environment.uuid(), &operation, None, http_status, None);
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
        error: Option<&'static str>,
    ) {
        let record = Record {
            time: Record::time(state.api.environment.now_ms()),
            request_id: request_id.into(),
            operation: operation.into(),
            resource,
            access_key_id: None,
            principal: None,
            remote_address: self.peer.address,
            http_status,
            error,
            suppressed: None,
        };
        audit.write(&record.with_caller(self.caller.as_ref().ok(), claimed_key_id(&self.head)));
    }

    /// Notes that the caller was refused, if so; whether.
    pub fn audit_refusal(&self, state: &State) -> bool {
        match &self.caller {
            Ok(_) => false,
            Err(error) => {
                note_refusal(state, &self.peer, &self.head, error);
                true
            }
        }
    }
}

/// Notes a request that was refused before it was known who calls.
pub(super) fn note_refusal(state: &State, peer: &Peer, head: &Parts, error: &ApiError) {
    let now_ms = state.api.environment.now_ms();
    state.refusals.note(error.kind.name(), now_ms, || {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix(TARGET_PREFIX)).map(str::to_owned);
        let operation = operation.unwrap_or_else(|| format!("{} {}", head.method, head.uri.path()));
        Record {
            time: Record::time(now_ms),
            request_id: state.api.environment.uuid().into(),
            operation: operation.chars().take(OPERATION_CHARS_MAX).collect(),
            resource: None,
            access_key_id: claimed_key_id(head),
            principal: None,
            remote_address: peer.address,
            http_status: error.kind.http_status(),
            error: Some(error.kind.name()),
            suppressed: None,
        }
    });
}
