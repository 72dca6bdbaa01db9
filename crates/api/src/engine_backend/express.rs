//! `StartSyncExecution`: an EXPRESS execution from its start to its end.

use stepwright_engine::{Engine, StartExecution};
use stepwright_machine::{Outcome, Status};
use stepwright_types::error_name;

use super::start_error;
use crate::backend::{StartError, SyncReply};
use crate::model::SyncExecutionStatus;

use std::sync::Arc;

/// What AWS bills at least, and in steps of. Source: Step Functions pricing.
const BILLED_MEMORY_MB: i64 = 64;
const BILLED_DURATION_MS: i64 = 100;

pub async fn start_sync(engine: &Arc<Engine>, start: StartExecution) -> Result<SyncReply, StartError> {
    let started = engine.start_express(start).await.map_err(start_error)?;
    let (execution_arn, name) = (started.execution_arn.to_string(), started.name.to_string());
    let start_ms = started.start_ms;
    let lost = || StartError::Internal(format!("{execution_arn} was lost"));
    let outcome = started.outcome().await.ok_or_else(lost)?;
    let stop_ms = engine.clock().now_ms().max(start_ms);
    let (output, failure) = match &outcome {
        Outcome::Succeeded { output } => (Some(output.clone()), None),
        Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
            (None, Some(failure))
        }
    };
    let text = |text: Option<&Arc<str>>| text.map(|text| text.to_string());
    let mut error = text(failure.and_then(|failure| failure.error.as_ref()));
    let status = match outcome.status() {
        Status::Succeeded => SyncExecutionStatus::Succeeded,
        Status::TimedOut => {
            error = error.or_else(|| Some(error_name::TIMEOUT.to_owned()));
            SyncExecutionStatus::TimedOut
        }
        _ => SyncExecutionStatus::Failed,
    };
    Ok(SyncReply {
        execution_arn,
        name,
        status,
        start_ms,
        stop_ms,
        output,
        error,
        cause: text(failure.and_then(|failure| failure.cause.as_ref())),
        billed_memory_mb: BILLED_MEMORY_MB,
        billed_duration_ms: billed_ms(stop_ms - start_ms),
    })
}

/// Begun steps count, and the first one always.
fn billed_ms(duration_ms: i64) -> i64 {
    let steps = duration_ms.max(1).saturating_add(BILLED_DURATION_MS - 1) / BILLED_DURATION_MS;
    steps * BILLED_DURATION_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begun_steps_are_billed() {
        for (duration_ms, expected) in [(0, 100), (1, 100), (100, 100), (101, 200), (560, 600)] {
            assert_eq!(billed_ms(duration_ms), expected, "{duration_ms}");
        }
    }
}
