//! How an execution stands and how it ended.

use std::sync::Arc;

use stepwright_value::Document;

/// An execution's status, as `DescribeExecution` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Not started: no event yet.
    New,
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Succeeded { output: Document },
    Failed(Arc<Failure>),
    TimedOut(Arc<Failure>),
    Aborted(Arc<Failure>),
}

/// An error name and its cause, either of which a definition or a caller may have left out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Failure {
    pub error: Option<Arc<str>>,
    pub cause: Option<Arc<str>>,
}

impl Failure {
    pub fn new(error: impl Into<Arc<str>>, cause: impl Into<Arc<str>>) -> Failure {
        Failure { error: Some(error.into()), cause: Some(cause.into()) }
    }

    /// The name that retriers and catchers match; empty when there is none.
    pub fn name(&self) -> &str {
        self.error.as_deref().unwrap_or_default()
    }
}

impl Outcome {
    pub fn status(&self) -> Status {
        match self {
            Outcome::Succeeded { .. } => Status::Succeeded,
            Outcome::Failed(_) => Status::Failed,
            Outcome::TimedOut(_) => Status::TimedOut,
            Outcome::Aborted(_) => Status::Aborted,
        }
    }

    /// Error and cause of an execution that did not succeed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Outcome::Succeeded { .. } => None,
            Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
                Some(failure)
            }
        }
    }
}
