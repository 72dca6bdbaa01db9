//! What can go wrong, an enum for each kind of operation.

use std::sync::Arc;

use stepwright_machine::{StepError, UnknownBehaviour};
use stepwright_store::{CommitError, Execution, StoreError};
use thiserror::Error;

use crate::record::RecordError;

/// Why an execution could not be brought into memory.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the definition {0} is not in the catalogue")]
    NoDefinition(Arc<str>),
    /// A definition that was accepted before cannot be lowered now.
    #[error("the definition {0} cannot be used: {1}")]
    Definition(Arc<str>, String),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the execution {0} cannot go on: {1}")]
    Behaviour(Arc<str>, UnknownBehaviour),
    /// The events of the execution do not lead from one to the next.
    #[error("the history of {0} cannot be replayed: {1}")]
    History(Arc<str>, String),
}

/// Why something could not be delivered to an execution.
#[derive(Debug, Error)]
pub enum DeliverError {
    /// There is no such execution.
    #[error("no such execution")]
    NotFound,
    /// The execution is not waiting for this (any more).
    #[error("the execution does not wait for this")]
    Refused,
    /// The process ends. It was not delivered, and nothing is lost: the next start goes on.
    #[error("the server is stopping; try again")]
    Ending,
    /// The interpreter contradicted itself: a defect.
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Why an execution did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The name is in use, for other input or by an execution that has ended.
    #[error("an execution of this name exists")]
    NameTaken(Box<Execution>),
    /// Too many EXPRESS executions run.
    #[error("too many executions run")]
    TooMany,
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

/// Why a callback was not accepted.
#[derive(Debug, Error)]
pub enum CallbackError {
    /// The text is not a token of ours.
    #[error("the token is not valid")]
    InvalidToken,
    /// The task has been answered, has timed out, or its execution has ended.
    #[error("the task does not wait any more")]
    TaskGone,
    #[error(transparent)]
    Deliver(DeliverError),
}
