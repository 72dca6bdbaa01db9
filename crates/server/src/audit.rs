//! Who changed what, when, and what came of it: one record for each call that changes something.
//!
//! A record has names, numbers and ARNs only: nothing of what a call carries, and so none of the members that the service
//! model marks as sensitive. Records go to a file (JSON lines, [`AuditFile`]) where one is configured, and to the log under
//! the target `audit` at level DEBUG (`RUST_LOG=info,audit=debug`).

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::Serialize;
use stepwright_types::timestamp;

use crate::access::Caller;
use crate::audit_file::AuditFile;

/// One record.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record<'a> {
    /// When the answer was ready: RFC 3339, milliseconds, UTC.
    pub time: String,
    pub request_id: Cow<'a, str>,
    /// An operation, or method and path.
    pub operation: Cow<'a, str>,
    /// What was changed, where the call or its answer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The key that the request names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The name of that key: there when, and only when, its signature was right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    pub remote_address: SocketAddr,
    pub http_status: u16,
    /// The error's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// How many before it are without a record, where there are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<u64>,
}

impl Record<'_> {
    pub fn time(now_ms: i64) -> String {
        timestamp::to_text(now_ms)
    }

    /// Names the caller: as verified, or else as the request claims.
    pub fn with_caller(mut self, caller: Option<&Caller>, claimed: Option<String>) -> Self {
        match caller {
            Some(Caller::Known { access_key_id, principal, .. }) => {
                self.access_key_id = Some(access_key_id.to_string());
                self.principal = Some(principal.to_string());
            }
            Some(Caller::Anyone) | None => self.access_key_id = claimed,
        }
        self
    }
}

/// Where records go.
pub(crate) struct Audit<'s> {
    pub file: Option<&'s AuditFile>,
}

impl Audit<'_> {
    /// Whether anybody wants records: making them costs a look into the bodies.
    pub fn is_wanted(&self) -> bool {
        self.file.is_some() || tracing::enabled!(target: "audit", tracing::Level::DEBUG)
    }

    pub fn write(&self, record: &Record<'_>) {
        // A record has texts and numbers only, so it can always be written.
        let Ok(mut line) = serde_json::to_string(record) else { return };
        tracing::debug!(target: "audit", "{line}");
        if let Some(file) = self.file {
            line.push('\n');
            if let Err(error) = file.append(line.as_bytes()) {
                metrics::counter!("stepwright_audit_failures_total").increment(1);
                tracing::error!(%error, "a record could not be added to the audit log");
            }
        }
    }
}
