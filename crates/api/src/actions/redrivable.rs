//! Whether an execution can be redriven, and why not, in AWS's words.

use crate::api::Api;
use crate::backend::ExecutionDetails;
use crate::catalog::MachineEntry;
use crate::error::ApiError;
use crate::model::{Enumeration as _, ExecutionRedriveStatus, ExecutionStatus};

/// As `DescribeExecution` shows it.
pub async fn status(
    api: &Api,
    details: &ExecutionDetails,
) -> Result<(ExecutionRedriveStatus, Option<String>), ApiError> {
    let summary = &details.summary;
    let refused = |reason| (ExecutionRedriveStatus::NotRedrivable, Some(reason));
    if is_open_or_succeeded(summary.status) {
        return Ok(refused(format!("Execution is {} and cannot be redriven", summary.status.as_str())));
    }
    Ok(match &details.not_redrivable_reason {
        Some(reason) => refused(reason.clone()),
        None if summary.map_run_arn.is_some() => (ExecutionRedriveStatus::RedrivableByMapRun, None),
        None => match refusal_of_catalog(api, details).await? {
            Some(reason) => refused(reason),
            None => (ExecutionRedriveStatus::Redrivable, None),
        },
    })
}

/// Why an unsuccessful execution cannot be redriven by itself, though its own state allows it: its state machine is deleted
/// or about to be, or it is for its map run to redrive it.
pub async fn refusal_of_catalog(api: &Api, details: &ExecutionDetails) -> Result<Option<String>, ApiError> {
    let summary = &details.summary;
    if is_open_or_succeeded(summary.status) {
        return Ok(None);
    }
    if summary.map_run_arn.is_some() {
        return Ok(Some("Execution can only be redriven by its Map Run".to_owned()));
    }
    let machine = api.catalog.read::<MachineEntry>(&summary.state_machine_arn).await?;
    let is_there = machine.is_some_and(|machine| !machine.deleting);
    Ok((!is_there).then(|| "State machine is in DELETING status".to_owned()))
}

fn is_open_or_succeeded(status: ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Running | ExecutionStatus::Succeeded | ExecutionStatus::PendingRedrive => true,
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => false,
    }
}
