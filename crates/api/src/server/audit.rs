//! Who changed what, when, and what came of it: one record for each call that changes something.
//!
//! A record has names, numbers and ARNs only: nothing of what a call carries, and so none of the members that the service
//! model marks as sensitive. Records go to a file (JSON lines, [`AuditFile`]) where one is configured, and to the log under
//! the target `audit` at level DEBUG (`RUST_LOG=info,audit=debug`).

use std::borrow::Cow;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use stepwright_types::timestamp;

use super::access::Caller;
use super::audit_file::AuditFile;
use crate::model::Operation;

/// Characters of an ARN in a record. No ARN of the service is longer.
const ARN_BYTES_MAX: usize = 2_000;

/// Whether a call of the operation changes something, or makes something happen.
pub fn changes_something(operation: Operation) -> bool {
    match operation {
        Operation::CreateActivity
        | Operation::CreateStateMachine
        | Operation::CreateStateMachineAlias
        | Operation::DeleteActivity
        | Operation::DeleteStateMachine
        | Operation::DeleteStateMachineAlias
        | Operation::DeleteStateMachineVersion
        | Operation::PublishStateMachineVersion
        | Operation::RedriveExecution
        | Operation::SendTaskFailure
        | Operation::SendTaskHeartbeat
        | Operation::SendTaskSuccess
        | Operation::StartExecution
        | Operation::StartSyncExecution
        | Operation::StopExecution
        | Operation::TagResource
        // Calls what the tested state calls.
        | Operation::TestState
        | Operation::UntagResource
        | Operation::UpdateMapRun
        | Operation::UpdateStateMachine
        | Operation::UpdateStateMachineAlias => true,
        Operation::DescribeActivity
        | Operation::DescribeExecution
        | Operation::DescribeMapRun
        | Operation::DescribeStateMachine
        | Operation::DescribeStateMachineAlias
        | Operation::DescribeStateMachineForExecution
        // Hands out work; what a worker makes of it is in the records of its answers.
        | Operation::GetActivityTask
        | Operation::GetExecutionHistory
        | Operation::ListActivities
        | Operation::ListExecutions
        | Operation::ListMapRuns
        | Operation::ListStateMachineAliases
        | Operation::ListStateMachineVersions
        | Operation::ListStateMachines
        | Operation::ListTagsForResource
        | Operation::ValidateStateMachineDefinition => false,
    }
}

/// One record.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    /// When the answer was ready: RFC 3339, milliseconds, UTC.
    pub time: String,
    pub request_id: Cow<'a, str>,
    /// An operation of the API, or method and path of an own endpoint.
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
pub(super) struct Audit<'s> {
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

/// The members of requests and answers that name a resource. The model marks none of them sensitive.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Names<'a> {
    #[serde(borrow)]
    execution_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    map_run_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    activity_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_alias_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_version_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_arn: Option<Cow<'a, str>>,
}

/// The resource that a request or an answer names.
pub(super) fn named(body: &[u8]) -> Option<String> {
    let names: Names<'_> = serde_json::from_slice(body).ok()?;
    [
        names.execution_arn,
        names.map_run_arn,
        names.activity_arn,
        names.state_machine_alias_arn,
        names.state_machine_version_arn,
        names.resource_arn,
        names.state_machine_arn,
    ]
    .into_iter()
    .flatten()
    .find(|arn| arn.starts_with("arn:") && arn.len() <= ARN_BYTES_MAX)
    .map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources() {
        for (body, expected) in [
            (r#"{"stateMachineArn":"arn:m","executionArn":"arn:e","startDate":1}"#, Some("arn:e")),
            (r#"{"stateMachineArn":"arn:m","input":"{}"}"#, Some("arn:m")),
            (r#"{"resourceArn":"arn:\u0061"}"#, Some("arn:a")),
            (r#"{"stateMachineArn":"secret"}"#, None),
            (r#"{"stateMachineArn":5}"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(named(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
