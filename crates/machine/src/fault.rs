//! Why a state cannot do its work, before Retry and Catch have their say.

use std::sync::Arc;

use stepwright_types::error_name;

use crate::execution::EvolveError;
use crate::outcome::Failure;

/// What ends the work on a line.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The state fails; Retry and Catch apply.
    State(StateFailure),
    /// The history has no room for another event.
    HistoryFull,
    /// The caller wants the step to end in the middle of a state.
    Interrupted,
    /// The interpreter made an event that it does not accept: a bug.
    Illegal(EvolveError),
}

/// A state's failure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateFailure {
    pub failure: Failure,
    /// Of a JSONata state's evaluation: AWS shows it as an event of its own.
    pub evaluation: Option<Evaluation>,
    /// Whether wildcards match it. `States.Runtime` is matched by nothing at all.
    pub wildcard: bool,
    /// The AWS id of what the state did last, where its next event would point to something before that.
    pub tail_id: Option<u32>,
}

/// Where an evaluation failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    /// The field: `Output/FunctionResult`.
    pub location: Option<Arc<str>>,
}

/// What is wrong in a state's fields or data, before it is told which state it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub error: &'static str,
    /// AWS's sentence, to which the sentence that names the state is prefixed.
    pub detail: String,
    pub evaluation: Option<Evaluation>,
}

impl Fault {
    /// `States.Runtime`.
    pub fn runtime(detail: impl Into<String>) -> Fault {
        Fault { error: error_name::RUNTIME, detail: detail.into(), evaluation: None }
    }

    pub fn named(error: &'static str, detail: impl Into<String>) -> Fault {
        Fault { error, detail: detail.into(), evaluation: None }
    }

    /// `States.QueryEvaluationError` in `field`.
    pub fn query(field: Option<&str>, detail: impl Into<String>) -> Fault {
        Fault {
            error: error_name::QUERY_EVALUATION_ERROR,
            detail: detail.into(),
            evaluation: Some(Evaluation { location: field.map(Arc::from) }),
        }
    }

    /// The fault as the failure of a state.
    pub fn in_state(self, name: &str, entered_id: u32) -> StateFailure {
        let cause = format!(
            "An error occurred while executing the state '{name}' (entered at the event id #{entered_id}). {}",
            self.detail
        );
        self.told_as(cause)
    }

    /// The fault as the failure of a state that is all there is.
    pub fn alone(mut self) -> StateFailure {
        let cause = std::mem::take(&mut self.detail);
        self.told_as(cause)
    }

    fn told_as(self, cause: String) -> StateFailure {
        StateFailure {
            failure: Failure::new(self.error, cause),
            evaluation: self.evaluation,
            wildcard: self.error != error_name::RUNTIME,
            tail_id: None,
        }
    }
}

impl StateFailure {
    /// A failure that is told as it is.
    pub fn plain(failure: Failure) -> StateFailure {
        let wildcard = failure.name() != error_name::RUNTIME;
        StateFailure { failure, evaluation: None, wildcard, tail_id: None }
    }

    /// A state's output or result that is too large. Only a catcher that names the error catches it.
    pub fn too_large(name: &str) -> StateFailure {
        let failure = Failure::new(error_name::DATA_LIMIT_EXCEEDED, too_large(name));
        StateFailure { failure, evaluation: None, wildcard: false, tail_id: None }
    }
}

/// AWS's words for a result that is too large; `name` is the state, the service or the function.
pub(crate) fn too_large(name: &str) -> String {
    format!(
        "The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
}

/// A value that could not be read back: our own limit, as AWS's is not documented.
pub(crate) fn too_deep(what: &str) -> String {
    format!("The {what} is nested deeper than the limit of {} levels.", stepwright_value::DEPTH_MAX)
}

impl From<StateFailure> for Trouble {
    fn from(failure: StateFailure) -> Trouble {
        Trouble::State(failure)
    }
}
