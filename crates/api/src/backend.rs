//! What the API asks of whatever runs executions, in plain types.
//!
//! The API checks requests, resolves names (state machine, version, alias, activity) and renders answers; everything
//! that needs a running execution goes through [`Backend`]. ARNs that arrive here are well formed and of the right
//! resource type, state machines exist, payloads are JSON and within the model's limits.
//!
//! Operations that came later than the first release of a backend have a default implementation, which says that the
//! operation is not available.

use std::sync::Arc;

use stepwright_store::Pending;
use stepwright_value::Document;
use thiserror::Error;

use crate::catalog::Machine;
use crate::model;

/// The executions' side of the API. Futures may be dropped at any time (the client has gone away).
pub trait Backend: Send + Sync + 'static {
    /// Starts an execution; resolves when it is durable. Starting a STANDARD execution under the name and with the
    /// input of one that runs is answered as that one was.
    fn start(&self, request: StartRequest) -> Pending<'_, Result<StartReply, StartError>>;

    /// Aborts an execution. One that has ended stays as it is; the reply is its stop date, in milliseconds since 1970.
    fn stop(&self, request: StopRequest) -> Pending<'_, Result<i64, ExecutionError>>;

    /// An execution by ARN.
    fn describe(&self, execution_arn: &str) -> Pending<'_, Result<ExecutionDetails, ExecutionError>>;

    /// Resolves when the execution has ended, at once when it has already.
    fn ended(&self, _execution_arn: &str) -> Pending<'_, Result<(), ExecutionError>> {
        Box::pin(async { Err(ExecutionError::Internal("not available".to_owned())) })
    }

    /// Executions, newest start first.
    fn list(&self, request: ListRequest) -> Pending<'_, Result<ExecutionPage, ExecutionError>>;

    /// A part of an execution's history.
    fn history(&self, request: HistoryRequest) -> Pending<'_, Result<HistoryPage, ExecutionError>>;

    /// Completes the task that the token was given to.
    fn send_task_success(&self, token: &str, output: Document) -> Pending<'_, Result<(), TaskError>>;

    /// Fails the task that the token was given to.
    fn send_task_failure(
        &self,
        token: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Pending<'_, Result<(), TaskError>>;

    /// Whether a task waits for the holder of the token.
    fn check_task_token(&self, token: &str) -> Pending<'_, Result<(), TaskError>>;

    /// Says that the worker which holds the token is alive.
    fn send_task_heartbeat(&self, token: &str) -> Pending<'_, Result<(), TaskError>>;

    /// Waits for a task of the activity and gives it to the worker. The caller drops the future when its patience
    /// ends; a task must not be lost by that.
    fn activity_task(
        &self,
        activity_arn: &str,
        worker: Option<String>,
    ) -> Pending<'_, Result<ActivityTask, ExecutionError>>;

    /// A state machine is being deleted: takes a step on the way to abort and forget its executions. `true`: there are none any
    /// more.
    fn forget_executions(&self, _state_machine_arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        Box::pin(async { Ok(true) })
    }

    /// Between two steps of something long: gives others their turn.
    fn pause(&self) -> Pending<'_, ()> {
        Box::pin(async {})
    }

    /// Whether a log group can be written to. Asked when a state machine with logging is created or updated.
    fn log_destination_exists(&self, _log_group_arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        Box::pin(async { Ok(true) })
    }

    /// Runs an EXPRESS execution to its end.
    fn start_sync(&self, _request: StartRequest) -> Pending<'_, Result<SyncReply, StartError>> {
        Box::pin(async { Err(StartError::Unavailable) })
    }

    /// EXPRESS executions that ended lately, newest first, `limit` at most: those of a state machine (by its plain ARN), or of all.
    fn recent_express(&self, _state_machine_arn: Option<&str>, _limit: usize) -> Vec<RecentExpress> {
        Vec::new()
    }

    /// An EXPRESS execution that ended lately, with its history.
    fn recent_express_execution(&self, _execution_arn: &str) -> Option<RecentExpressDetails> {
        None
    }

    /// Continues an unsuccessful execution; the reply is the redrive date, in milliseconds since 1970.
    fn redrive(
        &self,
        _execution_arn: &str,
        _client_token: Option<String>,
    ) -> Pending<'_, Result<i64, RedriveError>> {
        Box::pin(async { Err(RedriveError::Unavailable) })
    }

    /// Tests one state. The request has passed the model's constraints, no more.
    fn test_state(
        &self,
        _request: model::TestStateInput,
    ) -> Pending<'_, Result<model::TestStateOutput, TestStateError>> {
        Box::pin(async { Err(TestStateError::Unavailable) })
    }

    /// A map run by ARN.
    fn describe_map_run(
        &self,
        _map_run_arn: &str,
    ) -> Pending<'_, Result<model::DescribeMapRunOutput, MapRunError>> {
        Box::pin(async { Err(MapRunError::Unavailable) })
    }

    /// The map runs of an execution, oldest first: at most `limit` after the cursor.
    fn list_map_runs(
        &self,
        _execution_arn: &str,
        _limit: usize,
        _after: Option<String>,
    ) -> Pending<'_, Result<MapRunPage, MapRunError>> {
        Box::pin(async { Err(MapRunError::Unavailable) })
    }

    /// Changes the limits of a map run that is under way.
    fn update_map_run(&self, _request: model::UpdateMapRunInput) -> Pending<'_, Result<(), MapRunError>> {
        Box::pin(async { Err(MapRunError::Unavailable) })
    }
}

/// What to start.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The revision of the state machine to run, with its definition, type and role.
    pub machine: Arc<Machine>,
    /// The version it was started by, or that its alias chose.
    pub version_arn: Option<String>,
    /// The alias it was started by.
    pub alias_arn: Option<String>,
    /// Valid as a name; `None`: the backend makes a UUID.
    pub name: Option<String>,
    pub input: Document,
    /// The X-Ray trace header.
    pub trace_header: Option<String>,
    /// The Task state that starts it: a start that is repeated by the same one is answered as the first one was, in any case.
    pub started_by: Option<StartedBy>,
    /// What follows `#` in the state machine's ARN: the test case of Step Functions Local's mock configuration.
    pub test_case: Option<String>,
}

/// A Task state that starts an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartedBy {
    /// Of the task.
    pub idempotency_token: String,
    /// The ARN of the task's execution: the parent.
    pub execution_arn: String,
}

/// A started execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartReply {
    pub execution_arn: String,
    /// Milliseconds since 1970.
    pub start_ms: i64,
}

/// What to abort, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StopRequest {
    pub execution_arn: String,
    pub error: Option<String>,
    pub cause: Option<String>,
}

/// An EXPRESS execution that has ended.
#[derive(Clone, Debug)]
pub struct SyncReply {
    pub execution_arn: String,
    pub name: String,
    /// `Succeeded`, `Failed` or `TimedOut`.
    pub status: model::SyncExecutionStatus,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970.
    pub stop_ms: i64,
    pub output: Option<Document>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub billed_memory_mb: i64,
    pub billed_duration_ms: i64,
}

/// An EXPRESS execution that ended lately.
#[derive(Clone, Debug)]
pub struct RecentExpress {
    pub execution_arn: String,
    pub state_machine_arn: String,
    pub name: String,
    pub status: model::ExecutionStatus,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970.
    pub stop_ms: i64,
}

/// An EXPRESS execution that ended lately, as a whole.
#[derive(Clone, Debug)]
pub struct RecentExpressDetails {
    pub summary: RecentExpress,
    pub input: Document,
    pub output: Option<Document>,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// Each a JSON object, an event as the AWS API shows it; embedded verbatim.
    pub events: Vec<String>,
    /// There were more events than are kept.
    pub events_truncated: bool,
}

/// What is known of any execution; also a line of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutionSummary {
    pub execution_arn: String,
    /// Without version or alias.
    pub state_machine_arn: String,
    pub version_arn: Option<String>,
    pub alias_arn: Option<String>,
    pub name: String,
    pub status: model::ExecutionStatus,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970; `None` while it runs.
    pub stop_ms: Option<i64>,
    pub redrive_count: i32,
    /// Milliseconds since 1970 of the last redrive.
    pub redrive_ms: Option<i64>,
    /// The map run whose child it is.
    pub map_run_arn: Option<String>,
    /// Items that a child of a map run works on.
    pub item_count: Option<i32>,
}

/// Everything that `DescribeExecution` and `DescribeStateMachineForExecution` answer.
#[derive(Clone, Debug)]
pub struct ExecutionDetails {
    pub summary: ExecutionSummary,
    /// The revision it runs: [`Machine::revision`].
    pub revision: Arc<str>,
    pub input: Document,
    pub output: Option<Document>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub trace_header: Option<String>,
    /// The idempotency token of the task that started it.
    pub started_by: Option<String>,
    /// Why an unsuccessful execution cannot be redriven, in AWS's words; `None` where it can be.
    pub not_redrivable_reason: Option<String>,
    /// For a child of a map run: the definition that it runs, and the Map's label.
    pub item_processor: Option<ItemProcessor>,
}

/// The definition that the children of a map run execute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemProcessor {
    pub definition: Arc<str>,
    pub label: Option<String>,
}

/// Which executions to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListRequest {
    pub scope: ListScope,
    pub status: Option<model::ExecutionStatus>,
    pub redrive: Option<model::ExecutionRedriveFilter>,
    /// At least 1.
    pub limit: usize,
    /// [`ExecutionPage::next`] of the page before.
    pub after: Option<String>,
}

/// Whose executions to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListScope {
    /// All of a state machine, by its plain ARN.
    Machine(String),
    /// Those started by a version.
    Version { state_machine_arn: String, version_arn: String },
    /// Those started by an alias.
    Alias { state_machine_arn: String, alias_arn: String },
    /// The children of a map run.
    MapRun(String),
}

/// A page of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutionPage {
    pub executions: Vec<ExecutionSummary>,
    /// Where the next page begins, in the backend's own form (at most 512 bytes); `None` on the last page.
    pub next: Option<String>,
}

/// A page of the map runs of an execution.
#[derive(Clone, PartialEq, Debug)]
pub struct MapRunPage {
    pub map_runs: Vec<model::MapRunListItem>,
    /// Where the next page begins, in the backend's own form (at most 512 bytes); `None` on the last page.
    pub next: Option<String>,
}

/// Which part of a history to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryRequest {
    pub execution_arn: String,
    /// The first event to return: [`HistoryPage::next`] of the page before; `None`: the first one, or the last one when
    /// `reverse`.
    pub from: Option<HistoryPosition>,
    /// At least 1. A page may have fewer events although more follow, where they are large.
    pub limit: usize,
    /// Newest first.
    pub reverse: bool,
    /// Without it, inputs and outputs are left out of the events.
    pub include_data: bool,
}

/// A part of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistoryPage {
    /// Each a JSON object, an event as the AWS API shows it; embedded verbatim.
    pub events: Vec<String>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<HistoryPosition>,
}

/// An event's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryPosition {
    pub event_id: u32,
    /// Where the backend finds it, in its own terms.
    pub section: u32,
}

/// A task given to an activity worker.
#[derive(Clone, Debug)]
pub struct ActivityTask {
    pub token: String,
    pub input: Document,
}

/// Why an execution was not started.
#[derive(Debug, Clone, Error)]
pub enum StartError {
    /// Another execution of the machine has the name, and its input differs or it has ended.
    #[error("an execution of this name exists: {execution_arn}")]
    AlreadyExists { execution_arn: String },
    /// Too many executions are open.
    #[error("the limit of open executions is reached")]
    LimitExceeded,
    /// The stored definition cannot be run.
    #[error("the definition cannot be run: {0}")]
    InvalidDefinition(String),
    /// More is coming in than the engine can take.
    #[error("overloaded")]
    Overloaded,
    /// The backend has no such operation.
    #[error("not available")]
    Unavailable,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}

/// Why an execution could not be read or changed.
#[derive(Debug, Clone, Error)]
pub enum ExecutionError {
    #[error("the execution does not exist")]
    DoesNotExist,
    /// A cursor that the backend did not give out.
    #[error("invalid cursor")]
    InvalidCursor,
    /// More is coming in than the engine can take.
    #[error("overloaded")]
    Overloaded,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}

/// Why a task was not completed.
#[derive(Debug, Clone, Error)]
pub enum TaskError {
    /// Not a token that this service gives out.
    #[error("invalid token")]
    InvalidToken,
    /// The token's task is unknown.
    #[error("the task does not exist")]
    DoesNotExist,
    /// The token's task has ended or timed out, or its execution has.
    #[error("the task has timed out")]
    TimedOut,
    /// More is coming in than the engine can take.
    #[error("overloaded")]
    Overloaded,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}

/// Why an execution was not redriven.
#[derive(Debug, Clone, Error)]
pub enum RedriveError {
    #[error("the execution does not exist")]
    DoesNotExist,
    /// In AWS's words, for instance `Execution is RUNNING and cannot be redriven`.
    #[error("{0}")]
    NotRedrivable(String),
    /// Too many executions are open.
    #[error("the limit of open executions is reached")]
    LimitExceeded,
    #[error("not available")]
    Unavailable,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}

/// Why a state was not tested.
#[derive(Debug, Clone, Error)]
pub enum TestStateError {
    /// The whole message of `InvalidDefinition`.
    #[error("{0}")]
    InvalidDefinition(String),
    /// The whole message of `InvalidExecutionInput`.
    #[error("{0}")]
    InvalidInput(String),
    /// The whole message of `ValidationException`.
    #[error("{0}")]
    Validation(String),
    #[error("not available")]
    Unavailable,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}

/// Why a map run was not read or changed.
#[derive(Debug, Clone, Error)]
pub enum MapRunError {
    /// The map run, or the execution whose map runs were asked for.
    #[error("it does not exist")]
    DoesNotExist,
    /// Only a map run that is under way can be changed.
    #[error("the map run has completed")]
    Completed,
    #[error("not available")]
    Unavailable,
    /// The backend failed; the message is logged and not shown to the client.
    #[error("{0}")]
    Internal(String),
}
