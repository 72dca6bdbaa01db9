//! EXPRESS executions that ended lately, as the API shows them.

use stepwright_engine as engine;
use stepwright_machine::{Outcome, Status, history};

use crate::backend::{RecentExpress, RecentExpressDetails};
use crate::model::ExecutionStatus;

pub fn summary(ended: &engine::RecentExpress) -> RecentExpress {
    let identity = &ended.identity;
    RecentExpress {
        execution_arn: identity.execution_arn.to_string(),
        state_machine_arn: identity.machine_arn.to_string(),
        name: identity.execution_name.to_string(),
        status: match ended.outcome.status() {
            Status::Succeeded => ExecutionStatus::Succeeded,
            Status::TimedOut => ExecutionStatus::TimedOut,
            Status::Aborted => ExecutionStatus::Aborted,
            Status::Failed | Status::New | Status::Running => ExecutionStatus::Failed,
        },
        start_ms: identity.start_ms,
        stop_ms: ended.stop_ms,
    }
}

pub fn details(ended: &engine::RecentExpress) -> RecentExpressDetails {
    let failure = ended.outcome.failure();
    let events = ended.history.events.iter().filter_map(|event| {
        let mut text = String::new();
        history::to_aws(event, true, &mut text).then_some(text)
    });
    RecentExpressDetails {
        summary: summary(ended),
        input: ended.identity.input.clone(),
        output: match &ended.outcome {
            Outcome::Succeeded { output } => Some(output.clone()),
            _ => None,
        },
        error: failure.and_then(|failure| failure.error.as_deref().map(str::to_owned)),
        cause: failure.and_then(|failure| failure.cause.as_deref().map(str::to_owned)),
        events: events.collect(),
        events_truncated: ended.history.truncated,
    }
}
