//! `RedriveExecution`: an execution that did not succeed goes on where it failed, by AWS's rules.
//!
//! The redrive is an event like others; with it, in one unit, the execution's row says again that it runs. The caller's
//! token is part of the event: a call that is repeated, even after a crash, finds the redrive that is there.

use std::sync::Arc;

use stepwright_machine::{Event, EventBody, Execution, Input, Outcome, token};
use stepwright_store::{ExecutionKey, Mutation, Status};
use stepwright_types::limit;
use thiserror::Error;

use crate::engine::{Engine, to_its_end};
use crate::error::{DeliverError, LoadError};
use crate::queries::Described;

/// How long a client token stands for its redrive.
const TOKEN_MS: i64 = 15 * 60 * 1000;

/// Why an execution cannot be redriven, in AWS's words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NotRedrivable {
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    #[error("Execution is PENDING_REDRIVE and cannot be redriven")]
    PendingRedrive,
    #[error("Execution history event limit exceeded")]
    HistoryFull,
    #[error("Execution has exceeded the max execution time")]
    TooLong,
    #[error("Execution redrivable period exceeded")]
    TooLate,
}

/// Why an execution was not redriven.
#[derive(Debug, Error)]
pub enum RedriveError {
    #[error(transparent)]
    Refused(#[from] NotRedrivable),
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

impl Described {
    /// Why the execution cannot be redriven at this time; `None` where it can be.
    pub fn not_redrivable(&self, now_ms: i64) -> Option<NotRedrivable> {
        let row = &self.row;
        match row.status {
            Status::Running => Some(NotRedrivable::Running),
            Status::Succeeded => Some(NotRedrivable::Succeeded),
            Status::PendingRedrive => Some(NotRedrivable::PendingRedrive),
            Status::Failed | Status::TimedOut | Status::Aborted => {
                limits_passed(self.tail.history_len, row.start_ms, row.stop_ms, now_ms)
            }
        }
    }
}

impl Engine {
    /// Redrives an execution; returns when the redrive is durable, with its time in milliseconds since 1970. The token of
    /// a redrive that is there already gives that one.
    pub async fn redrive(
        self: &Arc<Self>,
        key: ExecutionKey,
        client_token: Option<&str>,
    ) -> Result<i64, RedriveError> {
        let token_hash = client_token.map(token::hash);
        let engine = self.clone();
        to_its_end(async move { engine.redrive_now(key, token_hash).await }).await
    }

    async fn redrive_now(
        self: &Arc<Self>,
        key: ExecutionKey,
        token_hash: Option<[u8; 32]>,
    ) -> Result<i64, RedriveError> {
        let now_ms = self.clock.now_ms();
        let row =
            self.store.execution(key).await.map_err(|error| DeliverError::from(LoadError::from(error)))?;
        let row = row.ok_or(DeliverError::NotFound)?;
        let (mut earlier_ms, mut refusal) = (None, None);
        let input = |execution: &Execution| {
            let known_ms = token_hash.and_then(|hash| execution.redriven_with(&hash));
            earlier_ms = known_ms.filter(|at_ms| now_ms.saturating_sub(*at_ms) < TOKEN_MS);
            refusal = match execution.outcome() {
                None => Some(NotRedrivable::Running),
                Some(Outcome::Succeeded { .. }) => Some(NotRedrivable::Succeeded),
                Some(_) => limits_passed(execution.history_len(), row.start_ms, row.stop_ms, now_ms),
            };
            (earlier_ms.is_none() && refusal.is_none()).then_some(Input::Redrive { token_hash })
        };
        let redriven_ms = self.deliver(key, input, Vec::new(), |execution, _| execution.redrive_ms()).await;
        match (redriven_ms, earlier_ms, refusal) {
            (Ok(redriven_ms), ..) => Ok(redriven_ms.unwrap_or(now_ms)),
            (Err(DeliverError::Refused), Some(earlier_ms), _) => Ok(earlier_ms),
            (Err(DeliverError::Refused), None, Some(refusal)) => Err(refusal.into()),
            (Err(error), ..) => Err(error.into()),
        }
    }
}

/// What an unsuccessful execution is beyond, if anything.
fn limits_passed(
    history_len: u32,
    start_ms: i64,
    stop_ms: Option<i64>,
    now_ms: i64,
) -> Option<NotRedrivable> {
    // AWS: there must be room for the redrive and for one more event.
    if history_len >= limit::HISTORY_EVENTS_MAX - 1 {
        Some(NotRedrivable::HistoryFull)
    } else if now_ms.saturating_sub(start_ms) > limit::STANDARD_DURATION_MS_MAX {
        Some(NotRedrivable::TooLong)
    } else if now_ms.saturating_sub(stop_ms.unwrap_or(now_ms)) > limit::REDRIVABLE_MS_MAX {
        Some(NotRedrivable::TooLate)
    } else {
        None
    }
}

/// What a redrive among the events of a drive changes in the execution's row: it runs again.
pub(crate) fn reopening(key: ExecutionKey, events: &[Event]) -> impl Iterator<Item = Mutation> {
    // It is the first event of its drive: whatever else happens, happens because of it.
    let first = events.first().filter(|event| matches!(event.body, EventBody::ExecutionRedriven { .. }));
    first.into_iter().flat_map(move |event| {
        let status = Status::Running;
        [
            Mutation::SetStatus { key, status, stop_ms: None, tail: Vec::new() },
            Mutation::CountRedrive { key, at_ms: event.timestamp_ms },
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let now_ms = 2_000 * DAY_MS;
        for (history_len, started_days, stopped_days, expected) in [
            (24_998, 366, 14, None),
            (24_999, 1, 1, Some("Execution history event limit exceeded")),
            (25_000, 400, 400, Some("Execution history event limit exceeded")),
            (9, 367, 1, Some("Execution has exceeded the max execution time")),
            (9, 15, 15, Some("Execution redrivable period exceeded")),
        ] {
            let (start_ms, stop_ms) = (now_ms - started_days * DAY_MS, now_ms - stopped_days * DAY_MS);
            let found = limits_passed(history_len, start_ms, Some(stop_ms), now_ms);
            assert_eq!(found.map(|reason| reason.to_string()).as_deref(), expected);
        }
    }
}
