//! EXPRESS executions that ended lately, as the API shows them.

use stepwright_engine as engine;
use stepwright_machine::{EventBody, Outcome, Status, history};
use stepwright_value::Document;

use crate::backend::{RecentExpress, RecentExpressDetails};
use crate::model::ExecutionStatus;

pub fn summary(ended: &engine::RecentExpress) -> RecentExpress {
    RecentExpress {
        execution_arn: ended.execution_arn.to_string(),
        state_machine_arn: ended.machine_arn.to_string(),
        name: ended.name().to_owned(),
        status: match ended.status {
            Status::Succeeded => ExecutionStatus::Succeeded,
            Status::TimedOut => ExecutionStatus::TimedOut,
            Status::Aborted => ExecutionStatus::Aborted,
            Status::Failed | Status::New | Status::Running => ExecutionStatus::Failed,
        },
        start_ms: ended.start_ms,
        stop_ms: ended.stop_ms,
    }
}

pub fn details(ended: &engine::RecentExpress) -> RecentExpressDetails {
    let kept = ended.history.events();
    let events = kept.iter().filter_map(|event| {
        let mut text = String::new();
        history::to_aws(event, true, &mut text).then_some(text)
    });
    let input = match kept.first().map(|event| &event.body) {
        Some(EventBody::ExecutionStarted(started)) => started.input.clone(),
        _ => Document::default(),
    };
    let outcome = ended.outcome.clone().or_else(|| outcome(&kept.last()?.body));
    let failure = outcome.as_ref().and_then(Outcome::failure);
    RecentExpressDetails {
        summary: summary(ended),
        input,
        output: match &outcome {
            Some(Outcome::Succeeded { output }) => Some(output.clone()),
            _ => None,
        },
        error: failure.and_then(|failure| failure.error.as_deref().map(str::to_owned)),
        cause: failure.and_then(|failure| failure.cause.as_deref().map(str::to_owned)),
        events: events.collect(),
        events_truncated: ended.history.is_truncated(),
    }
}

/// How an execution ended, by its last event.
fn outcome(last: &EventBody) -> Option<Outcome> {
    Some(match last {
        EventBody::ExecutionSucceeded { output } => Outcome::Succeeded { output: output.clone() },
        EventBody::ExecutionFailed(failure) => Outcome::Failed(failure.clone()),
        EventBody::ExecutionTimedOut(failure) => Outcome::TimedOut(failure.clone()),
        EventBody::ExecutionAborted(failure) => Outcome::Aborted(failure.clone()),
        _ => return None,
    })
}
