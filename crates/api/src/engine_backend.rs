//! The engine as the API's [`Backend`], [`CatalogStore`] and source of definitions.

use std::sync::Arc;

use stepwright_engine::{
    CallbackError, Definitions, DeliverError, Described, Engine, LoadError, MachineFacts, Revision,
    StartExecution, StartedBy,
};
use stepwright_machine::ExecutionKind;
use stepwright_store::{
    CatalogKind, CatalogRecord, Execution as Row, ExecutionKey, ExecutionQuery, Listing, Mutation, Pending,
    Status, Store, StoreError,
};
use stepwright_types::arn::{Account, Arn};
use stepwright_value::Document;

use crate::backend::{
    ActivityTask, Backend, ExecutionDetails, ExecutionError, ExecutionPage, ExecutionSummary, HistoryPage,
    HistoryRequest, ListRequest, ListScope, MapRunError, MapRunPage, RecentExpress, RecentExpressDetails,
    RedriveError, StartError, StartReply, StartRequest, StopRequest, SyncReply, TaskError, TestStateError,
};
use crate::catalog::{self, CatalogStore, CatalogWrite, Machine, MachineEntry, Record, Tags, WriteError};
use crate::model::{
    DescribeMapRunOutput, ExecutionRedriveFilter, ExecutionStatus, StateMachineType, TestStateInput,
    TestStateOutput, UpdateMapRunInput,
};
use crate::test_state;

mod express;
mod history_page;
mod logging;
mod map_runs;
mod recent;

/// An [`Engine`], asked by the API.
#[derive(Clone)]
pub struct EngineBackend {
    engine: Arc<Engine>,
}

/// The catalogue of a [`Store`] as the engine's source of definitions.
pub struct StoredDefinitions(pub Arc<dyn Store>);

impl Definitions for StoredDefinitions {
    fn definition(
        &self,
        machine_arn: &str,
        revision_id: &str,
    ) -> Pending<'_, Result<Option<String>, StoreError>> {
        let key = Machine::record_key(machine_arn, revision_id);
        Box::pin(async move { Ok(self.read::<Machine>(&key).await?.map(|machine| machine.definition)) })
    }

    fn logging(
        &self,
        machine_arn: &str,
        revision_id: &str,
    ) -> Pending<'_, Result<Option<stepwright_engine::Logging>, StoreError>> {
        let key = Machine::record_key(machine_arn, revision_id);
        Box::pin(async move {
            Ok(self.read::<Machine>(&key).await?.and_then(|machine| logging::of(&machine.logging)))
        })
    }

    fn machine(&self, machine_arn: &str) -> Pending<'_, Result<Option<MachineFacts>, StoreError>> {
        let machine_arn = machine_arn.to_owned();
        Box::pin(async move {
            let Some(entry) = self.read::<MachineEntry>(&machine_arn).await? else { return Ok(None) };
            let tags = self.read::<Tags>(&machine_arn).await?.map(|tags| tags.entries).unwrap_or_default();
            Ok(Some(MachineFacts {
                created_ms: entry.created_ms,
                is_deleting: entry.deleting,
                tags: tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            }))
        })
    }

    fn has_activity(&self, activity_arn: &str) -> Pending<'_, Result<bool, StoreError>> {
        let activity_arn = activity_arn.to_owned();
        Box::pin(async move { Ok(self.0.record(CatalogKind::Activity, &activity_arn).await?.is_some()) })
    }
}

impl StoredDefinitions {
    async fn read<T: Record>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.0.record(T::KIND, key).await?.map(|record| catalog::decode(&record)).transpose()
    }
}

impl EngineBackend {
    pub fn new(engine: Arc<Engine>) -> EngineBackend {
        EngineBackend { engine }
    }

    async fn find(&self, execution_arn: &str) -> Result<Described, ExecutionError> {
        let (machine_arn, name) = parts_of(execution_arn).ok_or(ExecutionError::DoesNotExist)?;
        self.engine.find(&machine_arn, name).await.map_err(internal)?.ok_or(ExecutionError::DoesNotExist)
    }

    /// The summary of an execution of that type.
    fn summary(&self, row: &Row, kind: ExecutionKind) -> ExecutionSummary {
        let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        ExecutionSummary {
            execution_arn: self.execution_arn(row, kind),
            state_machine_arn: row.machine.to_string(),
            version_arn: owned(&row.listed.version),
            alias_arn: owned(&row.listed.alias),
            name: row.name.to_string(),
            status: status_of(row.status),
            start_ms: row.start_ms,
            stop_ms: row.stop_ms,
            redrive_count: i32::try_from(row.listed.redrives).unwrap_or(i32::MAX),
            redrive_ms: row.listed.redriven_ms,
            map_run_arn: owned(&row.listed.map_run),
            item_count: row.listed.item_count.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
        }
    }

    fn execution_arn(&self, row: &Row, kind: ExecutionKind) -> String {
        if kind == ExecutionKind::Express {
            return map_runs::express_arn(row);
        }
        let machine_name = row.machine.rsplit(':').next().unwrap_or_default();
        self.engine.account_of(&row.machine).execution(machine_name, &row.name)
    }

    async fn list_page(&self, request: ListRequest) -> Result<ExecutionPage, ExecutionError> {
        let kind = match &request.scope {
            ListScope::MapRun(arn) => map_runs::kind_of(&self.engine, arn).await?,
            _ => ExecutionKind::Standard,
        };
        let query = ExecutionQuery {
            of: listing(&request),
            status: request.status.map(store_status),
            oldest_first: false,
            after: request.after.as_deref().map(read_cursor).transpose()?,
            limit: request.limit,
        };
        let page = self.engine.list(query).await.map_err(internal)?;
        let last = page.items.last().filter(|_| page.more);
        Ok(ExecutionPage {
            next: last.map(|row| write_cursor((row.start_ms, row.key))),
            executions: page.items.iter().map(|row| self.summary(row, kind)).collect(),
        })
    }
}

impl Backend for EngineBackend {
    fn start(&self, request: StartRequest) -> Pending<'_, Result<StartReply, StartError>> {
        Box::pin(async move {
            let machine = request.machine.clone();
            let start = start_of(request);
            if machine.r#type == StateMachineType::Express {
                let started = self.engine.start_express(start).await.map_err(start_error)?;
                return Ok(StartReply {
                    execution_arn: started.execution_arn.to_string(),
                    start_ms: started.start_ms,
                });
            }
            let execution_arn =
                |name: &str| self.engine.account_of(&machine.arn).execution(&machine.name, name);
            match self.engine.start(start).await {
                Ok(started) => {
                    Ok(StartReply { execution_arn: execution_arn(&started.name), start_ms: started.start_ms })
                }
                Err(stepwright_engine::StartError::NameTaken(row)) => {
                    Err(StartError::AlreadyExists { execution_arn: execution_arn(&row.name) })
                }
                Err(error) => Err(start_error(error)),
            }
        })
    }

    fn start_sync(&self, request: StartRequest) -> Pending<'_, Result<SyncReply, StartError>> {
        Box::pin(express::start_sync(&self.engine, start_of(request)))
    }

    fn log_destination_exists(&self, log_group_arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        let log_group_arn = log_group_arn.to_owned();
        Box::pin(async move {
            let Some(log) = self.engine.history_log() else { return Ok(true) };
            Ok(log.has_log_group(&log_group_arn).await)
        })
    }

    fn recent_express(&self, machine_arn: Option<&str>, limit: usize) -> Vec<RecentExpress> {
        self.engine.recent_express(machine_arn, limit).iter().map(recent::summary).collect()
    }

    fn recent_express_execution(&self, execution_arn: &str) -> Option<RecentExpressDetails> {
        self.engine.recent_express_execution(execution_arn).map(|ended| recent::details(&ended))
    }

    fn ended(&self, execution_arn: &str) -> Pending<'_, Result<(), ExecutionError>> {
        let execution_arn = execution_arn.to_owned();
        Box::pin(async move {
            let key = self.find(&execution_arn).await?.row.key;
            match self.engine.ended(key).await.map_err(internal)? {
                true => Ok(()),
                false => Err(ExecutionError::DoesNotExist),
            }
        })
    }

    fn stop(&self, request: StopRequest) -> Pending<'_, Result<i64, ExecutionError>> {
        Box::pin(async move {
            let described = self.find(&request.execution_arn).await?;
            if let Some(stop_ms) = described.row.stop_ms {
                return Ok(stop_ms);
            }
            let (error, cause) = (request.error.map(Into::into), request.cause.map(Into::into));
            match self.engine.stop(described.row.key, error, cause).await {
                Ok(stop_ms) => Ok(stop_ms),
                // It ended by itself a moment ago.
                Err(DeliverError::Refused) => {
                    let ended = self.find(&request.execution_arn).await?;
                    Ok(ended.row.stop_ms.unwrap_or(ended.row.start_ms))
                }
                Err(error) => Err(internal(error)),
            }
        })
    }

    fn redrive(
        &self,
        execution_arn: &str,
        client_token: Option<String>,
    ) -> Pending<'_, Result<i64, RedriveError>> {
        let execution_arn = execution_arn.to_owned();
        Box::pin(async move {
            let described = self.find(&execution_arn).await.map_err(|error| match error {
                ExecutionError::DoesNotExist => RedriveError::DoesNotExist,
                error => RedriveError::Internal(error.to_string()),
            })?;
            let redriven = self.engine.redrive(described.row.key, client_token.as_deref()).await;
            redriven.map_err(|error| match error {
                stepwright_engine::RedriveError::Refused(reason) => {
                    RedriveError::NotRedrivable(reason.to_string())
                }
                error => RedriveError::Internal(error.to_string()),
            })
        })
    }

    fn describe(&self, execution_arn: &str) -> Pending<'_, Result<ExecutionDetails, ExecutionError>> {
        let execution_arn = execution_arn.to_owned();
        Box::pin(async move {
            let described = self.find(&execution_arn).await?;
            let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
            let item_processor = map_runs::item_processor(&self.engine, &described).await?;
            Ok(ExecutionDetails {
                summary: self.summary(&described.row, map_runs::kind_of_child(&described)),
                not_redrivable_reason: described
                    .not_redrivable(self.engine.clock().now_ms())
                    .map(|reason| reason.to_string()),
                revision: described.head.revision_id,
                input: Document::from_stored_text(&*described.head.input),
                output: described.tail.output.as_deref().map(Document::from_stored_text),
                error: owned(&described.tail.error),
                cause: owned(&described.tail.cause),
                trace_header: owned(&described.head.trace_header),
                started_by: owned(&described.head.started_by),
                item_processor,
            })
        })
    }

    fn forget_executions(&self, state_machine_arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        let machine_arn: Arc<str> = state_machine_arn.into();
        Box::pin(async move { self.engine.forget_machine(&machine_arn).await.map_err(internal) })
    }

    fn pause(&self) -> Pending<'_, ()> {
        Box::pin(self.engine.pause())
    }

    fn list(&self, request: ListRequest) -> Pending<'_, Result<ExecutionPage, ExecutionError>> {
        Box::pin(self.list_page(request))
    }

    fn history(&self, request: HistoryRequest) -> Pending<'_, Result<HistoryPage, ExecutionError>> {
        Box::pin(async move {
            let described = self.find(&request.execution_arn).await?;
            history_page::read(&self.engine, described.row.key, &request).await
        })
    }

    fn send_task_success(&self, token: &str, output: Document) -> Pending<'_, Result<(), TaskError>> {
        let token = token.to_owned();
        Box::pin(async move { self.engine.task_succeeded(&token, output).await.map_err(task_error) })
    }

    fn send_task_failure(
        &self,
        token: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Pending<'_, Result<(), TaskError>> {
        let token = token.to_owned();
        Box::pin(async move { self.engine.task_failed(&token, error, cause).await.map_err(task_error) })
    }

    fn check_task_token(&self, token: &str) -> Pending<'_, Result<(), TaskError>> {
        let token = token.to_owned();
        Box::pin(async move { self.engine.check_token(&token).await.map_err(task_error) })
    }

    fn send_task_heartbeat(&self, token: &str) -> Pending<'_, Result<(), TaskError>> {
        let token = token.to_owned();
        Box::pin(async move { self.engine.task_heartbeat(&token).await.map_err(task_error) })
    }

    fn activity_task(
        &self,
        activity_arn: &str,
        worker: Option<String>,
    ) -> Pending<'_, Result<ActivityTask, ExecutionError>> {
        let activity_arn: Arc<str> = activity_arn.into();
        Box::pin(async move {
            let task = self.engine.activity_task(&activity_arn, worker.as_deref()).await;
            let task = task.map_err(internal)?;
            Ok(ActivityTask { token: task.token, input: task.input })
        })
    }

    fn describe_map_run(&self, map_run_arn: &str) -> Pending<'_, Result<DescribeMapRunOutput, MapRunError>> {
        let map_run_arn = map_run_arn.to_owned();
        Box::pin(async move { map_runs::describe(&self.engine, &map_run_arn).await })
    }

    fn list_map_runs(
        &self,
        execution_arn: &str,
        limit: usize,
        after: Option<String>,
    ) -> Pending<'_, Result<MapRunPage, MapRunError>> {
        let execution_arn = execution_arn.to_owned();
        Box::pin(async move {
            let parent = self.find(&execution_arn).await.map_err(map_runs::from_execution)?;
            map_runs::list(&self.engine, &parent, &execution_arn, limit, after).await
        })
    }

    fn update_map_run(&self, request: UpdateMapRunInput) -> Pending<'_, Result<(), MapRunError>> {
        Box::pin(map_runs::update(&self.engine, request))
    }

    fn test_state(&self, request: TestStateInput) -> Pending<'_, Result<TestStateOutput, TestStateError>> {
        Box::pin(test_state::test_state(&self.engine, request, test_state::Options::default()))
    }
}

impl CatalogStore for EngineBackend {
    fn get(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        self.engine.store().record(kind, key)
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        self.engine.store().records(kind, prefix, after, limit)
    }

    fn write(&self, writes: Vec<CatalogWrite>) -> Pending<'static, Result<(), WriteError>> {
        let mutations = writes.into_iter().map(Mutation::from).collect();
        let engine = self.engine.clone();
        Box::pin(async move { engine.commit(mutations).await.map_err(WriteError::from) })
    }
}

/// A start request as the engine takes it.
fn start_of(request: StartRequest) -> StartExecution {
    let machine = &request.machine;
    StartExecution {
        revision: Revision {
            machine_arn: machine.arn.as_str().into(),
            revision_id: machine.revision.as_str().into(),
            role_arn: machine.role_arn.as_str().into(),
            // The engine asks for it when it has not seen the revision lately.
            definition: None,
        },
        name: request.name.map(Into::into),
        input: request.input,
        trace_header: request.trace_header.map(Into::into),
        version_arn: request.version_arn.map(Into::into),
        alias_arn: request.alias_arn.map(Into::into),
        started_by: request.started_by.map(|task| StartedBy {
            idempotency_token: task.idempotency_token.into(),
            execution_arn: task.execution_arn.into(),
        }),
    }
}

fn start_error(error: stepwright_engine::StartError) -> StartError {
    match error {
        stepwright_engine::StartError::Deliver(DeliverError::Load(LoadError::Definition(_, reason))) => {
            StartError::InvalidDefinition(reason)
        }
        // Express has no quota of open executions: AWS takes as many as the account's rate allows.
        stepwright_engine::StartError::TooMany => StartError::Overloaded,
        error => StartError::Internal(error.to_string()),
    }
}

/// The state machine's ARN and the execution's name in the ARN of an execution that is stored.
fn parts_of(execution_arn: &str) -> Option<(String, &str)> {
    let account = Account::of(execution_arn)?;
    let standard = Arn::parse(execution_arn)?.resource_after("execution");
    let parts = standard.and_then(|parts| parts.split_once(':'));
    let (machine, name) = parts.or_else(|| map_runs::express_child(execution_arn))?;
    Some((account.state_machine(machine), name))
}

fn listing(request: &ListRequest) -> Listing {
    match &request.scope {
        ListScope::Machine(arn) => Listing::Machine(arn.as_str().into()),
        ListScope::Version { version_arn, .. } => Listing::Version(version_arn.as_str().into()),
        ListScope::Alias { alias_arn, .. } => Listing::Alias(alias_arn.as_str().into()),
        ListScope::MapRun(arn) => Listing::MapRun {
            arn: arn.as_str().into(),
            redriven: request.redrive.map(|filter| filter == ExecutionRedriveFilter::Redriven),
        },
    }
}

fn write_cursor((start_ms, key): (i64, ExecutionKey)) -> String {
    format!("{start_ms}/{}", key.bits())
}

fn read_cursor(text: &str) -> Result<(i64, ExecutionKey), ExecutionError> {
    let parts = text.split_once('/').and_then(|(start_ms, bits)| {
        Some((start_ms.parse().ok()?, ExecutionKey::from_bits(bits.parse().ok()?)?))
    });
    parts.ok_or(ExecutionError::InvalidCursor)
}

/// The ARN of a map run's EXPRESS child.
pub(crate) fn express_child_arn(row: &Row) -> String {
    map_runs::express_arn(row)
}

/// A status as the API says it.
pub fn status_of(status: Status) -> ExecutionStatus {
    match status {
        Status::Running => ExecutionStatus::Running,
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Failed => ExecutionStatus::Failed,
        Status::TimedOut => ExecutionStatus::TimedOut,
        Status::Aborted => ExecutionStatus::Aborted,
        Status::PendingRedrive => ExecutionStatus::PendingRedrive,
    }
}

fn store_status(wanted: ExecutionStatus) -> Status {
    Status::ALL.into_iter().find(|candidate| status_of(*candidate) == wanted).unwrap_or(Status::Running)
}

fn task_error(error: CallbackError) -> TaskError {
    match error {
        CallbackError::InvalidToken => TaskError::InvalidToken,
        CallbackError::TaskGone => TaskError::TimedOut,
        CallbackError::Deliver(error) => TaskError::Internal(error.to_string()),
    }
}

fn internal(error: impl std::fmt::Display) -> ExecutionError {
    ExecutionError::Internal(error.to_string())
}
