//! The way in: the one place that a request passes before anything is done for it. Whoever adds endpoints gets bodies and
//! callers from here.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::body::Incoming;
use hyper::http::request::Parts;

use crate::State;
use crate::access::Caller;
use crate::audit::Record;
use crate::body::{self, Reader};
use crate::connections::{Connection, Working};
use crate::error::ServerError;
use crate::meter::Meter;
use crate::response::Answer;
use crate::signatures::claimed_key_id;
use crate::tenant::{Call, Operation, X_AMZ_TARGET};

/// Characters of what a refused request was for, in its record.
const OPERATION_CHARS_MAX: usize = 200;

/// Where a request came from.
#[derive(Clone)]
pub(crate) struct Peer {
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
pub(crate) struct Arrived {
    pub head: Parts,
    /// The body, or why it could not be read.
    pub body: Result<Bytes, ServerError>,
    /// Who sent it, or why that is not known.
    pub caller: Result<Caller, ServerError>,
    peer: Peer,
    working: Working,
}

/// Reads a request's body and checks its caller, who has to have signed it for the service.
pub(crate) async fn arrive(
    state: &State,
    peer: &Peer,
    service: &str,
    head: Parts,
    body: Incoming,
) -> Arrived {
    // Who will be refused anyway takes no memory from the others.
    let refusal =
        if body::is_large(&body) { state.options.access.check_head(&head, service).err() } else { None };
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
        Ok(body) => state.options.access.check(&head, body, service),
        Err(error) => Err(error.clone()),
    };
    Arrived { head, body, caller, peer: peer.clone(), working }
}

impl Arrived {
    /// The body of a caller who may call. It is not kept.
    pub fn take_body(&mut self) -> Result<Bytes, ServerError> {
        let body = self.admitted()?;
        self.body = Ok(Bytes::new());
        Ok(body)
    }

    /// The body of a caller who may call.
    pub fn admitted(&self) -> Result<Bytes, ServerError> {
        if let Err(error) = &self.caller {
            return Err(error.clone());
        }
        self.body.clone()
    }

    /// The call that a tenant gets.
    pub fn call<'s>(
        &'s self,
        state: &'s State,
        body: Bytes,
        request_id: &'s str,
        operation: Option<Operation>,
    ) -> Result<Call<'s>, ServerError> {
        Ok(Call {
            head: &self.head,
            path: Vec::new(),
            body,
            caller: self.caller.as_ref().map_err(ServerError::clone)?,
            request_id,
            is_audited: self.changes(operation) && state.audit().is_wanted(),
            budget: &state.budget,
            working: &self.working,
        })
    }

    /// Whether it changes something: where no operation says so, by its method.
    fn changes(&self, operation: Option<Operation>) -> bool {
        let is_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.head.method);
        operation.map_or(!is_read, |operation| operation.changes)
    }

    /// Notes a refused caller, and a call that changes something.
    pub fn audit(&self, state: &State, request_id: &str, operation: Option<Operation>, answer: &Answer) {
        if self.audit_refusal(state) {
            return;
        }
        let audit = state.audit();
        if !self.changes(operation) || !audit.is_wanted() {
            return;
        }
        let by_path = || format!("{} {}", self.head.method, self.head.uri.path()).into();
        let record = Record {
            time: Record::time(state.options.environment.now_ms()),
            request_id: request_id.into(),
            operation: operation.map_or_else(by_path, |operation| operation.name.into()),
            resource: answer.resource.clone(),
            access_key_id: None,
            principal: None,
            remote_address: self.peer.address,
            http_status: answer.status().as_u16(),
            error: answer.error,
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
pub(crate) fn note_refusal(state: &State, peer: &Peer, head: &Parts, error: &ServerError) {
    let now_ms = state.options.environment.now_ms();
    state.refusals.note(error.kind.name(), now_ms, || {
        let target = head.headers.get(X_AMZ_TARGET).and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.split_once('.')).map(|(_, name)| name.to_owned());
        let operation = operation.unwrap_or_else(|| format!("{} {}", head.method, head.uri.path()));
        Record {
            time: Record::time(now_ms),
            request_id: state.options.environment.uuid().into(),
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
