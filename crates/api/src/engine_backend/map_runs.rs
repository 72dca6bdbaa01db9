//! Map runs and their children as the API shows them.

use std::sync::Arc;

use stepwright_engine::{Counts, Described, Engine, MapRunUpdate, RunRecord, UpdateMapRunError};
use stepwright_machine::ExecutionKind;
use stepwright_store::{Execution as Row, Status};
use stepwright_types::arn::{Account, Arn, MapRunArn};
use stepwright_value::Value;

use super::internal;
use crate::backend::{ExecutionError, ItemProcessor, MapRunError, MapRunPage};
use crate::catalog::{Machine, Record, decode};
use crate::model::{
    DescribeMapRunOutput, MapRunExecutionCounts, MapRunItemCounts, MapRunListItem, MapRunStatus, Timestamp,
    UpdateMapRunInput,
};

/// The two shapes have the same members.
macro_rules! shown {
    ($shape:ident, $counts:expr, $record:expr) => {
        $shape {
            pending: number($counts.pending()),
            running: number($counts.running),
            succeeded: number($counts.succeeded),
            failed: number($counts.failed),
            timed_out: number($counts.timed_out),
            aborted: number($counts.aborted),
            total: number($counts.total),
            results_written: number(results_written($counts, $record)),
            failures_not_redrivable: None,
            pending_redrive: some($counts.pending_redrive),
        }
    };
}

/// `machine/label` and the name in the ARN of a map run's EXPRESS child; `None` for other executions.
pub fn express_child(execution_arn: &str) -> Option<(&str, &str)> {
    let mut parts = Arn::parse(execution_arn)?.resource_after("express")?.split(':');
    let (labelled, name) = (parts.next()?, parts.next()?);
    labelled.contains('/').then_some((labelled, name))
}

/// The ARN of a map run's EXPRESS child.
pub fn express_arn(row: &Row) -> String {
    let map_run = row.listed.map_run.as_deref();
    let parts = map_run.and_then(|arn| Account::of(arn).zip(MapRunArn::parse(arn)));
    parts.map_or_else(String::new, |(account, parts)| {
        account.express_execution(parts.labelled, &row.name, parts.run)
    })
}

/// The type of an execution that is stored: only children of map runs can be EXPRESS.
pub fn kind_of_child(described: &Described) -> ExecutionKind {
    described.head.processor.map_or(ExecutionKind::Standard, |processor| processor.kind)
}

/// For a child of a map run: the definition that it runs, and the Map's label.
pub async fn item_processor(
    engine: &Engine,
    described: &Described,
) -> Result<Option<ItemProcessor>, ExecutionError> {
    let map_run = described.row.listed.map_run.as_deref();
    let Some((account, parts)) = map_run.and_then(|arn| Account::of(arn).zip(MapRunArn::parse(arn))) else {
        return Ok(None);
    };
    let machine_arn: Arc<str> = account.state_machine(parts.machine).into();
    let Some(owner) = engine.processor_owner(described, &machine_arn).await.map_err(internal)? else {
        return Ok(None);
    };
    let key = Machine::record_key(&machine_arn, &described.head.revision_id);
    let record = engine.store().record(Machine::KIND, &key).await.map_err(internal)?;
    let machine = record.map(|record| decode::<Machine>(&record)).transpose().map_err(internal)?;
    let Some(machine) = machine else { return Ok(None) };
    let definition = stepwright_value::read(&machine.definition).map_err(internal)?;
    let state = at_pointer(&definition, &owner);
    let processor = state.and_then(|state| state.get("ItemProcessor").or_else(|| state.get("Iterator")));
    Ok(processor.map(|processor| ItemProcessor {
        definition: processor.to_json().into(),
        label: Some(parts.label.to_owned()),
    }))
}

/// What a JSON Pointer (RFC 6901) points at.
fn at_pointer<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.split('/').skip(1).try_fold(value, |value, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match value {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => value.get(&part),
        }
    })
}

/// The type of a map run's children.
pub async fn kind_of(engine: &Engine, map_run_arn: &str) -> Result<ExecutionKind, ExecutionError> {
    let described = engine.describe_map_run(map_run_arn).await.map_err(internal)?;
    described.map(|described| described.record.kind).ok_or(ExecutionError::DoesNotExist)
}

pub async fn describe(engine: &Engine, map_run_arn: &str) -> Result<DescribeMapRunOutput, MapRunError> {
    let described = engine.describe_map_run(map_run_arn).await.map_err(failed)?;
    let described = described.ok_or(MapRunError::DoesNotExist)?;
    let record = described.record;
    let limits = described.limits;
    Ok(DescribeMapRunOutput {
        map_run_arn: record.map_run_arn.to_string(),
        execution_arn: record.execution_arn.to_string(),
        status: run_status(record.status),
        start_date: Timestamp(record.start_ms),
        stop_date: record.stop_ms.map(Timestamp),
        max_concurrency: i32::try_from(limits.max_concurrency).unwrap_or(i32::MAX),
        tolerated_failure_percentage: limits.tolerated_failure_percentage.unwrap_or(0.0),
        tolerated_failure_count: limits.tolerated_failure_count.unwrap_or(0),
        item_counts: shown!(MapRunItemCounts, &described.items, &record),
        execution_counts: shown!(MapRunExecutionCounts, &described.executions, &record),
        redrive_count: Some(i32::try_from(record.redrive_count).unwrap_or(i32::MAX)),
        redrive_date: record.redrive_ms.map(Timestamp),
    })
}

pub async fn list(
    engine: &Engine,
    parent: &Described,
    execution_arn: &str,
    limit: usize,
    after: Option<String>,
) -> Result<MapRunPage, MapRunError> {
    let invalid = || MapRunError::Internal("a cursor that was not given out".to_owned());
    let after = after.map(|after| after.parse::<u32>().map_err(|_| invalid())).transpose()?;
    let (runs, more) = engine.map_runs(parent.row.key, after, limit).await.map_err(failed)?;
    let next = runs.last().filter(|_| more).map(|(key, _)| key.run.to_string());
    let item = |record: RunRecord| {
        let account = Account::of(&record.map_run_arn);
        let machine = record.parts().zip(account);
        MapRunListItem {
            execution_arn: execution_arn.to_owned(),
            map_run_arn: record.map_run_arn.to_string(),
            state_machine_arn: machine
                .map_or_else(String::new, |(parts, account)| account.state_machine(parts.labelled)),
            start_date: Timestamp(record.start_ms),
            stop_date: record.stop_ms.map(Timestamp),
        }
    };
    Ok(MapRunPage { map_runs: runs.into_iter().map(|(_, record)| item(record)).collect(), next })
}

pub async fn update(engine: &Arc<Engine>, request: UpdateMapRunInput) -> Result<(), MapRunError> {
    let update = MapRunUpdate {
        max_concurrency: request.max_concurrency.map(|wished| u32::try_from(wished).unwrap_or(0)),
        tolerated_failure_count: request.tolerated_failure_count,
        tolerated_failure_percentage: request.tolerated_failure_percentage,
    };
    engine.update_map_run(&request.map_run_arn, update).await.map_err(|error| match error {
        UpdateMapRunError::NotFound => MapRunError::DoesNotExist,
        UpdateMapRunError::Completed => MapRunError::Completed,
        other => failed(other),
    })
}

/// The execution whose map runs were asked for could not be found or read.
pub fn from_execution(error: ExecutionError) -> MapRunError {
    match error {
        ExecutionError::DoesNotExist => MapRunError::DoesNotExist,
        other => failed(other),
    }
}

fn failed(error: impl std::fmt::Display) -> MapRunError {
    MapRunError::Internal(error.to_string())
}

fn run_status(status: Status) -> MapRunStatus {
    match status {
        Status::Running | Status::PendingRedrive => MapRunStatus::Running,
        Status::Succeeded => MapRunStatus::Succeeded,
        Status::Failed | Status::TimedOut => MapRunStatus::Failed,
        Status::Aborted => MapRunStatus::Aborted,
    }
}

/// Items whose results have been written: those of all that succeeded, once the run has.
fn results_written(counts: &Counts, record: &RunRecord) -> u64 {
    if record.status == Status::Succeeded { counts.succeeded } else { 0 }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// AWS shows it where there is something to show.
fn some(count: u64) -> Option<i64> {
    (count > 0).then(|| number(count))
}
