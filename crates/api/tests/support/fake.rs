//! A backend in memory: executions of one Pass state that ends at once, or run until they are stopped.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use stepwright_api::backend::*;
use stepwright_api::catalog::Machine;
use stepwright_api::definitions::{
    CheckedDefinition, Definitions, Diagnostic, InvalidDefinition, Validation,
};
use stepwright_api::model::{ExecutionStatus, StateMachineType, ValidateStateMachineDefinitionSeverity};
use stepwright_server::Environment;
use stepwright_store::Pending;
use stepwright_types::arn::Account;
use stepwright_value::Document;
use tokio::sync::Notify;

/// The machines whose name contains this run until they are stopped; others have succeeded at once.
pub const RUNS_ON: &str = "waiting";

pub struct FakeBackend {
    /// Where the catalogue is kept.
    pub catalog: std::sync::OnceLock<Arc<stepwright_store::memory::Memory>>,
    pub account: Account,
    executions: Mutex<BTreeMap<String, ExecutionDetails>>,
    /// Execution ARNs in the order of their starts.
    starts: Mutex<Vec<String>>,
    pub tasks: Mutex<VecDeque<ActivityTask>>,
    pub task_added: Notify,
    polls: AtomicU64,
    environment: Arc<FakeEnvironment>,
}

impl FakeBackend {
    pub fn new(account: Account, environment: Arc<FakeEnvironment>) -> FakeBackend {
        FakeBackend {
            catalog: Default::default(),
            account,
            executions: Mutex::default(),
            starts: Mutex::default(),
            tasks: Mutex::default(),
            task_added: Notify::new(),
            polls: AtomicU64::new(0),
            environment,
        }
    }

    /// How many long polls have arrived.
    pub fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    fn start_now(&self, request: StartRequest) -> Result<StartReply, StartError> {
        let name = request.name.unwrap_or_else(|| self.environment.uuid());
        let execution_arn = self.account.execution(&request.machine.name, &name);
        let mut executions = self.executions.lock().unwrap();
        if let Some(known) = executions.get(&execution_arn) {
            return if known.summary.status == ExecutionStatus::Running
                && known.input.text() == request.input.text()
            {
                Ok(StartReply { execution_arn, start_ms: known.summary.start_ms })
            } else {
                Err(StartError::AlreadyExists { execution_arn })
            };
        }
        let runs_on = request.machine.name.contains(RUNS_ON);
        let start_ms = self.environment.now_ms();
        let summary = summary(&request.machine, &execution_arn, name, start_ms, runs_on);
        let summary =
            ExecutionSummary { version_arn: request.version_arn, alias_arn: request.alias_arn, ..summary };
        let details = ExecutionDetails {
            summary,
            revision: request.machine.revision.as_str().into(),
            output: (!runs_on).then(|| request.input.clone()),
            input: request.input,
            error: None,
            cause: None,
            trace_header: request.trace_header,
            started_by: request.started_by.map(|task| task.idempotency_token),
            not_redrivable_reason: None,
            item_processor: None,
        };
        executions.insert(execution_arn.clone(), details);
        self.starts.lock().unwrap().push(execution_arn.clone());
        Ok(StartReply { execution_arn, start_ms })
    }

    fn page(&self, request: &ListRequest) -> ExecutionPage {
        let executions = self.executions.lock().unwrap();
        let starts = self.starts.lock().unwrap();
        let skip = request.after.as_ref().map_or(0, |after| after.parse::<usize>().unwrap());
        let is_wanted = |summary: &ExecutionSummary| {
            request.status.is_none_or(|status| summary.status == status)
                && match &request.scope {
                    ListScope::Machine(arn) => summary.state_machine_arn == *arn,
                    ListScope::Version { version_arn, .. } => {
                        summary.version_arn.as_ref() == Some(version_arn)
                    }
                    ListScope::Alias { alias_arn, .. } => summary.alias_arn.as_ref() == Some(alias_arn),
                    ListScope::MapRun(arn) => summary.map_run_arn.as_ref() == Some(arn),
                }
        };
        let all: Vec<ExecutionSummary> = starts
            .iter()
            .rev()
            .map(|arn| executions[arn].summary.clone())
            .filter(is_wanted)
            .skip(skip)
            .take(request.limit + 1)
            .collect();
        let next = (all.len() > request.limit).then(|| (skip + request.limit).to_string());
        ExecutionPage { executions: all.into_iter().take(request.limit).collect(), next }
    }
}

fn summary(
    machine: &Machine,
    execution_arn: &str,
    name: String,
    start_ms: i64,
    runs_on: bool,
) -> ExecutionSummary {
    ExecutionSummary {
        execution_arn: execution_arn.to_owned(),
        state_machine_arn: machine.arn.clone(),
        version_arn: None,
        alias_arn: None,
        name,
        status: if runs_on { ExecutionStatus::Running } else { ExecutionStatus::Succeeded },
        start_ms,
        stop_ms: (!runs_on).then_some(start_ms),
        redrive_count: 0,
        redrive_ms: None,
        map_run_arn: None,
        item_count: None,
    }
}

impl Backend for FakeBackend {
    /// What has ended stays: tests look at it.
    fn forget_executions(&self, state_machine_arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        let executions = self.executions.lock().unwrap();
        let runs = |details: &ExecutionDetails| {
            details.summary.state_machine_arn == state_machine_arn
                && details.summary.status == ExecutionStatus::Running
        };
        let none_runs = !executions.values().any(runs);
        Box::pin(std::future::ready(Ok(none_runs)))
    }

    fn pause(&self) -> Pending<'_, ()> {
        Box::pin(tokio::task::yield_now())
    }

    fn start(&self, request: StartRequest) -> Pending<'_, Result<StartReply, StartError>> {
        Box::pin(async move { self.start_now(request) })
    }

    fn stop(&self, request: StopRequest) -> Pending<'_, Result<i64, ExecutionError>> {
        Box::pin(async move {
            let mut executions = self.executions.lock().unwrap();
            let details = executions.get_mut(&request.execution_arn).ok_or(ExecutionError::DoesNotExist)?;
            let stop_ms = details.summary.stop_ms.unwrap_or_else(|| self.environment.now_ms());
            if details.summary.stop_ms.replace(stop_ms).is_none() {
                details.summary.status = ExecutionStatus::Aborted;
                (details.error, details.cause) = (request.error, request.cause);
            }
            Ok(stop_ms)
        })
    }

    fn describe(&self, execution_arn: &str) -> Pending<'_, Result<ExecutionDetails, ExecutionError>> {
        let found = self.executions.lock().unwrap().get(execution_arn).cloned();
        Box::pin(async move { found.ok_or(ExecutionError::DoesNotExist) })
    }

    fn list(&self, request: ListRequest) -> Pending<'_, Result<ExecutionPage, ExecutionError>> {
        Box::pin(async move { Ok(self.page(&request)) })
    }

    /// Every execution has five events.
    fn history(&self, request: HistoryRequest) -> Pending<'_, Result<HistoryPage, ExecutionError>> {
        Box::pin(async move {
            if !self.executions.lock().unwrap().contains_key(&request.execution_arn) {
                return Err(ExecutionError::DoesNotExist);
            }
            let mut ids: Vec<u32> = (1..=5).collect();
            if request.reverse {
                ids.reverse();
            }
            let from =
                request.from.and_then(|from| ids.iter().position(|id| *id == from.event_id)).unwrap_or(0);
            let events =
                ids[from..].iter().take(request.limit).map(|id| format!("{{\"id\":{id}}}")).collect();
            Ok(HistoryPage {
                events,
                next: ids.get(from + request.limit).map(|id| HistoryPosition { event_id: *id, section: 1 }),
            })
        })
    }

    fn send_task_success(&self, token: &str, _output: Document) -> Pending<'_, Result<(), TaskError>> {
        self.send_task_heartbeat(token)
    }

    fn send_task_failure(
        &self,
        token: &str,
        _error: Option<String>,
        _cause: Option<String>,
    ) -> Pending<'_, Result<(), TaskError>> {
        self.send_task_heartbeat(token)
    }

    fn check_task_token(&self, token: &str) -> Pending<'_, Result<(), TaskError>> {
        self.send_task_heartbeat(token)
    }

    fn send_task_heartbeat(&self, token: &str) -> Pending<'_, Result<(), TaskError>> {
        let result = match token {
            "good" => Ok(()),
            "gone" => Err(TaskError::DoesNotExist),
            "late" => Err(TaskError::TimedOut),
            _ => Err(TaskError::InvalidToken),
        };
        Box::pin(async move { result })
    }

    fn activity_task(
        &self,
        _activity_arn: &str,
        _worker: Option<String>,
    ) -> Pending<'_, Result<ActivityTask, ExecutionError>> {
        Box::pin(async move {
            self.polls.fetch_add(1, Ordering::Relaxed);
            loop {
                if let Some(task) = self.tasks.lock().unwrap().pop_front() {
                    return Ok(task);
                }
                self.task_added.notified().await;
            }
        })
    }

    fn log_destination_exists(&self, arn: &str) -> Pending<'_, Result<bool, ExecutionError>> {
        let exists = !arn.contains("missing");
        Box::pin(async move { Ok(exists) })
    }
}

/// Accepts every JSON object that has `States`.
pub struct FakeDefinitions;

impl Definitions for FakeDefinitions {
    fn check(
        &self,
        definition: &str,
        r#type: StateMachineType,
    ) -> Result<CheckedDefinition, InvalidDefinition> {
        let severity = ValidateStateMachineDefinitionSeverity::Error;
        match self.validate(definition, r#type, severity, 0).diagnostics.pop() {
            None => Ok(CheckedDefinition::default()),
            Some(found) => {
                let message =
                    format!("{}: {} at {}", found.code, found.message, found.location.unwrap_or_default());
                Err(InvalidDefinition { message })
            }
        }
    }

    fn validate(
        &self,
        definition: &str,
        _type: StateMachineType,
        _severity: ValidateStateMachineDefinitionSeverity,
        _results_max: usize,
    ) -> Validation {
        let is_good =
            Document::parse(definition).is_ok_and(|document| document.value().get("States").is_some());
        let finding = || Diagnostic {
            severity: ValidateStateMachineDefinitionSeverity::Error,
            code: "SCHEMA_VALIDATION_FAILED".to_owned(),
            message: "These fields are required: [States]".to_owned(),
            location: Some("/".to_owned()),
        };
        let diagnostics = (!is_good).then(finding).into_iter().collect();
        Validation { ok: is_good, diagnostics, truncated: false }
    }
}

/// Each look at the clock is a millisecond later; random numbers count up.
#[derive(Default)]
pub struct FakeEnvironment {
    ticks: AtomicU64,
    draws: AtomicU64,
}

impl Environment for FakeEnvironment {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + self.ticks.fetch_add(1, Ordering::Relaxed) as i64
    }

    fn random(&self) -> u128 {
        u128::from(self.draws.fetch_add(1, Ordering::Relaxed))
    }
}
