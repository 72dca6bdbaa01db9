//! Errors as the wire shows them, with AWS's wording in one place.

pub use stepwright_server::ProtocolError;
use stepwright_server::ServerError;
use stepwright_store::StoreError;

use crate::backend::{ExecutionError, MapRunError, RedriveError, StartError, TaskError, TestStateError};
use crate::catalog::WriteError;
use crate::model::{Enumeration as _, ErrorName, ValidationExceptionReason};

/// An error answer: name, HTTP status, message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    pub kind: ErrorKind,
    pub message: String,
    /// `reason` of a ValidationException, `resourceName` of ResourceNotFound and TooManyTags.
    pub detail: Option<(&'static str, String)>,
}

/// Which error it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// One that the service model names.
    Service(ErrorName),
    /// One that any AWS service answers with.
    Protocol(ProtocolError),
}

impl ErrorKind {
    /// The name that clients look for.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Service(name) => name.as_str(),
            ErrorKind::Protocol(error) => error.name(),
        }
    }

    /// The namespace that stands before the name in `__type`.
    pub fn namespace(self) -> &'static str {
        match self {
            ErrorKind::Service(ErrorName::ValidationException) => "com.amazon.coral.validate",
            ErrorKind::Service(_) => "com.amazonaws.swf.service.v2.model",
            ErrorKind::Protocol(error) => error.namespace(),
        }
    }

    pub fn http_status(self) -> u16 {
        match self {
            ErrorKind::Service(name) => name.http_status(),
            ErrorKind::Protocol(error) => error.http_status(),
        }
    }
}

/// Shorthands: the error's name and its sentence around the resource in question.
impl ApiError {
    pub fn service(name: ErrorName, message: impl Into<String>) -> ApiError {
        ApiError { kind: ErrorKind::Service(name), message: message.into(), detail: None }
    }

    pub fn protocol(error: ProtocolError, message: impl Into<String>) -> ApiError {
        ApiError { kind: ErrorKind::Protocol(error), message: message.into(), detail: None }
    }

    pub fn validation(message: impl Into<String>) -> ApiError {
        ApiError::service(ErrorName::ValidationException, message)
    }

    /// A ValidationException with one of the model's reasons.
    pub fn validation_because(reason: ValidationExceptionReason, message: impl Into<String>) -> ApiError {
        ApiError { detail: Some(("reason", reason.as_str().to_owned())), ..ApiError::validation(message) }
    }

    pub fn invalid_arn(what: impl std::fmt::Display) -> ApiError {
        ApiError::service(ErrorName::InvalidArn, format!("Invalid Arn: '{what}'"))
    }

    pub fn invalid_name(name: &str) -> ApiError {
        ApiError::service(ErrorName::InvalidName, format!("Invalid Name: '{name}'"))
    }

    /// A page token (or task token) that was not given out by this service.
    pub fn invalid_token() -> ApiError {
        ApiError::service(ErrorName::InvalidToken, "Invalid Token: 'Invalid token'")
    }

    pub fn machine_does_not_exist(arn: &str) -> ApiError {
        ApiError::service(
            ErrorName::StateMachineDoesNotExist,
            format!("State Machine Does Not Exist: '{arn}'"),
        )
    }

    pub fn machine_deleting(arn: &str) -> ApiError {
        ApiError::service(ErrorName::StateMachineDeleting, format!("State Machine is being deleted: '{arn}'"))
    }

    pub fn activity_does_not_exist(arn: &str) -> ApiError {
        ApiError::service(ErrorName::ActivityDoesNotExist, format!("Activity Does Not Exist: '{arn}'"))
    }

    pub fn execution_does_not_exist(arn: &str) -> ApiError {
        ApiError::service(ErrorName::ExecutionDoesNotExist, format!("Execution Does Not Exist: '{arn}'"))
    }

    pub fn resource_not_found(arn: &str) -> ApiError {
        let error = ApiError::service(ErrorName::ResourceNotFound, format!("Resource not found: '{arn}'"));
        ApiError { detail: Some(("resourceName", arn.to_owned())), ..error }
    }

    pub fn unavailable(what: &str) -> ApiError {
        ApiError::protocol(ProtocolError::UnsupportedOperation, format!("{what} is not available yet."))
    }

    pub fn overloaded() -> ApiError {
        ApiError::protocol(ProtocolError::Throttling, "Rate exceeded")
    }

    /// A fault of ours: `cause` goes to the log, not to the client.
    pub fn internal(cause: impl std::fmt::Display) -> ApiError {
        ServerError::internal(cause).into()
    }

    /// The error of `StartExecution` and `StartSyncExecution`.
    pub fn from_start(error: StartError, operation: &str) -> ApiError {
        match error {
            StartError::AlreadyExists { execution_arn } => ApiError::service(
                ErrorName::ExecutionAlreadyExists,
                format!("Execution Already Exists: '{execution_arn}'"),
            ),
            StartError::LimitExceeded => execution_limit(),
            StartError::InvalidDefinition(message) => {
                ApiError::service(ErrorName::InvalidDefinition, invalid_definition(&message))
            }
            StartError::Overloaded => ApiError::overloaded(),
            StartError::Unavailable => ApiError::unavailable(operation),
            StartError::Internal(cause) => ApiError::internal(cause),
        }
    }

    /// The error of an operation on the execution `arn`.
    pub fn from_execution(error: ExecutionError, arn: &str) -> ApiError {
        match error {
            ExecutionError::DoesNotExist => ApiError::execution_does_not_exist(arn),
            ExecutionError::InvalidCursor => ApiError::invalid_token(),
            ExecutionError::Overloaded => ApiError::overloaded(),
            ExecutionError::Internal(cause) => ApiError::internal(cause),
        }
    }

    /// The error of `RedriveExecution` of `arn`.
    pub fn from_redrive(error: RedriveError, arn: &str) -> ApiError {
        match error {
            RedriveError::DoesNotExist => ApiError::execution_does_not_exist(arn),
            RedriveError::NotRedrivable(message) => {
                ApiError::service(ErrorName::ExecutionNotRedrivable, message)
            }
            RedriveError::LimitExceeded => execution_limit(),
            RedriveError::Unavailable => ApiError::unavailable("RedriveExecution"),
            RedriveError::Internal(cause) => ApiError::internal(cause),
        }
    }

    /// The error of an operation on the map run `arn`.
    pub fn from_map_run(error: MapRunError, arn: &str, operation: &str) -> ApiError {
        match error {
            MapRunError::DoesNotExist => ApiError::resource_not_found(arn),
            MapRunError::Completed => ApiError::validation_because(
                ValidationExceptionReason::CannotUpdateCompletedMapRun,
                "Map Run has completed and cannot be updated",
            ),
            MapRunError::Unavailable => ApiError::unavailable(operation),
            MapRunError::Internal(cause) => ApiError::internal(cause),
        }
    }
}

fn execution_limit() -> ApiError {
    ApiError::service(
        ErrorName::ExecutionLimitExceeded,
        "The maximum number of running executions has been reached.",
    )
}

/// The message of `InvalidDefinition` around what the checks found.
pub fn invalid_definition(findings: &str) -> String {
    format!("Invalid State Machine Definition: '{findings}'")
}

impl From<TaskError> for ApiError {
    fn from(error: TaskError) -> ApiError {
        match error {
            TaskError::InvalidToken => ApiError::invalid_token(),
            TaskError::DoesNotExist => ApiError::service(
                ErrorName::TaskDoesNotExist,
                "Task Does Not Exist: 'Provided task does not exist'",
            ),
            TaskError::TimedOut => ApiError::service(
                ErrorName::TaskTimedOut,
                "Task Timed Out: 'Provided task does not exist anymore'",
            ),
            TaskError::Overloaded => ApiError::overloaded(),
            TaskError::Internal(cause) => ApiError::internal(cause),
        }
    }
}

impl From<TestStateError> for ApiError {
    fn from(error: TestStateError) -> ApiError {
        match error {
            TestStateError::InvalidDefinition(message) => {
                ApiError::service(ErrorName::InvalidDefinition, message)
            }
            TestStateError::InvalidInput(message) => {
                ApiError::service(ErrorName::InvalidExecutionInput, message)
            }
            TestStateError::Validation(message) => ApiError::validation(message),
            TestStateError::Unavailable => ApiError::unavailable("TestState"),
            TestStateError::Internal(cause) => ApiError::internal(cause),
        }
    }
}

impl From<ServerError> for ApiError {
    fn from(error: ServerError) -> ApiError {
        ApiError::protocol(error.kind, error.message)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::internal(error)
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> ApiError {
        match error {
            WriteError::Conflict => ApiError::service(
                ErrorName::ConflictException,
                "The resource is being changed by another request.",
            ),
            WriteError::Failed(cause) => ApiError::internal(cause),
        }
    }
}
