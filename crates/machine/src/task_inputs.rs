//! What comes back from a task: started, submitted, succeeded, failed, alive, timed out.

use std::sync::Arc;

use stepwright_asl::program::Resource;
use stepwright_types::{error_name, limit};
use stepwright_value::Document;

use crate::branch::{PendingTask, Phase, Progress};
use crate::breakpoints::Point;
use crate::effect::Effect;
use crate::event::{BranchId, EventBody, TaskFailed, TaskId, TaskOutput, TaskStarted, TaskTimedOut, TimerId};
use crate::fault::{StateFailure, Trouble, too_large};
use crate::hold::Stop;
use crate::input::{Input, TaskPhase};
use crate::outcome::Failure;
use crate::outstanding;
use crate::states;
use crate::turn::Turn;

/// Takes one of the inputs that name a task. One for a task that is not outstanding changes nothing.
pub(crate) fn receive(turn: &mut Turn<'_>, input: Input) -> Result<(), Trouble> {
    match input {
        Input::TaskStarted { task } => match pending(turn, task) {
            Some(found) if found.progress == Progress::Scheduled => started(turn, task, &found, None, None),
            _ => Ok(()),
        },
        Input::ActivityStarted { task, worker_name, token_hash } => match pending(turn, task) {
            Some(found) if found.progress == Progress::Scheduled => {
                started(turn, task, &found, worker_name, Some(token_hash))
            }
            _ => Ok(()),
        },
        Input::TaskSubmitted { task, output } => submitted(turn, task, output),
        Input::TaskSucceeded { task, output } => succeeded(turn, task, output),
        Input::TaskFailed { task, error, cause, phase } => {
            let failure = Failure { error: (!error.is_empty()).then_some(error), cause };
            failed(turn, task, failure, phase)
        }
        Input::Heartbeat { task } => heartbeat(turn, task),
        _ => Ok(()),
    }
}

fn pending(turn: &Turn<'_>, task: TaskId) -> Option<PendingTask> {
    turn.execution.tasks.get(&task).cloned()
}

/// The task runs: its deadlines count from now.
fn started(
    turn: &mut Turn<'_>,
    task: TaskId,
    found: &PendingTask,
    worker_name: Option<Arc<str>>,
    token_hash: Option<[u8; 32]>,
) -> Result<(), Trouble> {
    let (timeout, heartbeat) = states::task::deadlines(turn, task, found.timeout_s, found.heartbeat_s);
    // Deadlines that were counted from this very moment stay as they are.
    let stay = found.deadline_ms == timeout.map(|timer| timer.due_ms) && heartbeat.is_none();
    let (timeout, heartbeat) = if stay { (None, None) } else { (timeout, heartbeat) };
    if !stay {
        turn.cancel_deadlines(task);
    }
    let event =
        TaskStarted { task, resource: found.resource.clone(), worker_name, token_hash, timeout, heartbeat };
    turn.emit(found.branch, EventBody::TaskStarted(Box::new(event)))?;
    turn.want_timer(timeout);
    turn.want_timer(heartbeat);
    Ok(())
}

/// An answer implies that the task was started.
fn ensure_started(turn: &mut Turn<'_>, task: TaskId, found: &PendingTask) -> Result<(), Trouble> {
    match found.progress {
        Progress::Scheduled => {
            let event = TaskStarted {
                task,
                resource: found.resource.clone(),
                worker_name: None,
                token_hash: None,
                timeout: None,
                heartbeat: None,
            };
            turn.emit(found.branch, EventBody::TaskStarted(Box::new(event)))
        }
        _ => Ok(()),
    }
}

fn submitted(turn: &mut Turn<'_>, task: TaskId, output: Document) -> Result<(), Trouble> {
    let Some(found) = pending(turn, task) else { return Ok(()) };
    if found.progress == Progress::Submitted || matches!(&*found.resource, Resource::Activity { .. }) {
        return Ok(());
    }
    ensure_started(turn, task, &found)?;
    let event = TaskOutput { task, resource: found.resource.clone(), output };
    turn.emit(found.branch, EventBody::TaskSubmitted(Box::new(event)))?;
    let job = pending(turn, task).filter(PendingTask::runs_job);
    if let Some(effect) = job.and_then(|job| outstanding::call(turn.execution, task, &job)) {
        turn.want(effect);
    }
    Ok(())
}

fn succeeded(turn: &mut Turn<'_>, task: TaskId, output: Document) -> Result<(), Trouble> {
    let Some(found) = pending(turn, task) else { return Ok(()) };
    if output.len_bytes() > limit::PAYLOAD_BYTES_MAX {
        let name: &str = match &*found.resource {
            Resource::Lambda { arn } | Resource::Activity { arn } => arn,
            Resource::Integration(integration) => &integration.service,
        };
        let failure = Failure::new(error_name::DATA_LIMIT_EXCEEDED, too_large(name));
        return failed(turn, task, failure, TaskPhase::Run);
    }
    ensure_started(turn, task, &found)?;
    turn.cancel_deadlines(task);
    let event = TaskOutput { task, resource: found.resource.clone(), output: output.clone() };
    turn.emit(found.branch, EventBody::TaskSucceeded(Box::new(event)))?;
    let point = Point::Result { result: &output };
    if turn.stops(found.branch, &point, || Stop::Result(output.clone()))? {
        return Ok(());
    }
    let result = states::task::finish(turn, found.branch, output);
    turn.settle(found.branch, result)
}

fn failed(turn: &mut Turn<'_>, task: TaskId, failure: Failure, phase: TaskPhase) -> Result<(), Trouble> {
    let Some(found) = pending(turn, task) else { return Ok(()) };
    if matches!(phase, TaskPhase::Run | TaskPhase::Submit) {
        ensure_started(turn, task, &found)?;
    }
    turn.cancel_deadlines(task);
    let event = TaskFailed { task, resource: found.resource.clone(), failure: failure.clone(), phase };
    turn.emit(found.branch, EventBody::TaskFailed(Box::new(event)))?;
    turn.settle(found.branch, Err(StateFailure::plain(failure).into()))
}

/// The deadline moves, and nothing else: a task that lives for months has no longer a history for it.
fn heartbeat(turn: &mut Turn<'_>, task: TaskId) -> Result<(), Trouble> {
    let Some(found) = pending(turn, task) else { return Ok(()) };
    if let (Some(timer), Some(seconds)) = (found.heartbeat, found.heartbeat_s) {
        let due_ms = turn.now_ms.saturating_add(seconds.saturating_mul(1000));
        turn.want(Effect::SetTimer { timer, due_ms });
    }
    Ok(())
}

/// A deadline of a task has passed. Tasks whose time is over at the same moment time out together, as AWS shows it (those
/// whose heartbeat is overdue one by one: only the driver knows where those deadlines are); then the failures are
/// settled, first the one whose timer fired.
pub(crate) fn timed_out(turn: &mut Turn<'_>, task: TaskId, timer: TimerId) -> Result<(), Trouble> {
    let due: Vec<TaskId> = std::iter::once(task)
        .chain(turn.execution.tasks.keys().copied().filter(|other| *other != task))
        .filter(|other| *other == task || is_over(turn, *other))
        .collect();
    let mut failures: Vec<(BranchId, Failure)> = Vec::with_capacity(due.len());
    for id in due {
        let Some(found) = pending(turn, id) else { continue };
        let by_heartbeat = id == task && found.heartbeat == Some(timer);
        let error = if by_heartbeat { error_name::HEARTBEAT_TIMEOUT } else { error_name::TIMEOUT };
        let failure = Failure { error: Some(error.into()), cause: None };
        if !matches!(&*found.resource, Resource::Activity { .. }) {
            ensure_started(turn, id, &found)?;
        }
        match found.progress {
            Progress::Submitted if !found.runs_job() => turn.cancel_deadlines(id),
            _ => turn.cancel_task(id),
        }
        let event = TaskTimedOut { task: id, resource: found.resource.clone(), failure: failure.clone() };
        turn.emit(found.branch, EventBody::TaskTimedOut(Box::new(event)))?;
        failures.push((found.branch, failure));
    }
    for (branch, failure) in failures {
        // An earlier one may have taken this line with it.
        let waits = turn.execution.branches.get(&branch).is_some_and(|line| line.phase == Phase::Settling);
        if waits {
            turn.settle(branch, Err(StateFailure::plain(failure).into()))?;
        }
    }
    Ok(())
}

fn is_over(turn: &Turn<'_>, task: TaskId) -> bool {
    let timeout = turn.execution.tasks.get(&task).and_then(|found| found.timeout);
    timeout.is_some_and(|timer| turn.execution.is_due(timer, turn.now_ms))
}
