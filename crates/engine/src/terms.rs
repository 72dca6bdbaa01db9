//! What executions are found by, besides what is in their rows: the error with which one ended, and who started it.

use std::sync::Arc;

use stepwright_machine::{Event, EventBody, Outcome};
use stepwright_store::{Counts, ExecutionKey, Found, Mutation, Search, StoreError};

use crate::engine::Engine;

/// The name of the error with which an execution ended.
pub const ERROR: &str = "error";
/// The ARN of the execution whose task started this one.
pub const PARENT: &str = "parent";

/// A longer text is nobody's name: nobody is found by it.
const VALUE_BYTES_MAX: usize = 1_024;

/// By what an execution is found, instead of what it had for the field.
pub(crate) fn set(key: ExecutionKey, field: &str, value: Option<&Arc<str>>) -> Mutation {
    let values = value.filter(|value| value.len() <= VALUE_BYTES_MAX).cloned().into_iter().collect();
    Mutation::SetTerms { key, field: field.into(), values }
}

/// What an end changes, which comes after a redrive or not.
pub(crate) fn of_end(key: ExecutionKey, outcome: &Outcome, was_redriven: bool) -> Option<Mutation> {
    let error = match outcome {
        Outcome::Succeeded { .. } => None,
        Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
            failure.error.as_ref()
        }
    };
    (error.is_some() || was_redriven).then(|| set(key, ERROR, error))
}

/// What the events of a drive change, after which the execution has ended or not.
pub(crate) fn of_drive(key: ExecutionKey, events: &[Event], outcome: Option<&Outcome>) -> Option<Mutation> {
    let first = events.first()?;
    let was_redriven = matches!(first.body, EventBody::ExecutionRedriven { .. });
    match outcome {
        Some(outcome) => of_end(key, outcome, was_redriven),
        None => was_redriven.then(|| set(key, ERROR, None)),
    }
}

impl Engine {
    /// Executions over all state machines.
    pub async fn search(&self, search: Search) -> Result<Found, StoreError> {
        self.store.search(search).await
    }

    /// How many executions there are, by status: of these machines, or of all.
    pub async fn counts(
        &self,
        machines: Option<std::collections::BTreeSet<Arc<str>>>,
    ) -> Result<Counts, StoreError> {
        self.store.counts(machines).await
    }
}
