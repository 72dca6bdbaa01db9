//! What the outside world owes an execution: made into effects when a step asks for it, and again after a rebuild.

use sha2::{Digest, Sha256};
use stepwright_asl::program::Resource;

use crate::branch::{PendingTask, Progress};
use crate::effect::{Effect, QueuedActivity, TaskCall};
use crate::event::TaskId;
use crate::execution::Execution;
use crate::map_run::MapRun;

/// The effects that a rebuilt execution needs: calls whose answer has not come, timers, and the wish to go on.
pub(crate) fn of(execution: &Execution) -> Vec<Effect> {
    let mut effects = Vec::new();
    if execution.outcome.is_some() {
        return effects;
    }
    for (id, task) in &execution.tasks {
        let answered = match &*task.resource {
            // A worker has it.
            Resource::Activity { .. } => task.progress >= Progress::Started,
            // The call was made; a callback is awaited.
            _ => task.progress >= Progress::Submitted && !task.runs_job(),
        };
        if !answered {
            effects.extend(call(execution, *id, task));
        }
    }
    let runs = execution.branches.values().filter(|line| line.open_run().is_some());
    effects.extend(
        runs.filter_map(|line| MapRun::of(execution, line)).map(|run| Effect::StartMapRun(Box::new(run))),
    );
    effects.extend(
        execution.timers.iter().map(|(id, timer)| Effect::SetTimer { timer: *id, due_ms: timer.due_ms }),
    );
    if !execution.ready.is_empty() && execution.holders.is_empty() {
        effects.push(Effect::Continue);
    }
    effects
}

/// The effect that makes a task's call.
pub(crate) fn call(execution: &Execution, id: TaskId, task: &PendingTask) -> Option<Effect> {
    if let Resource::Activity { arn } = &*task.resource {
        return Some(Effect::Queue(Box::new(QueuedActivity {
            task: id,
            activity_arn: arn.clone(),
            input: task.parameters.clone(),
            timeout_s: task.timeout_s,
            heartbeat_s: task.heartbeat_s,
            deadline_ms: task.deadline_ms,
        })));
    }
    let branch = execution.branches.get(&task.branch)?;
    Some(Effect::Dispatch(Box::new(TaskCall {
        task: id,
        state_name: execution.program.state(branch.state).name.clone(),
        resource: task.resource.clone(),
        parameters: task.parameters.clone(),
        idempotency: idempotency(execution, task),
        credentials: task.credentials.clone(),
        timeout_s: task.timeout_s,
        heartbeat_s: task.heartbeat_s,
        deadline_ms: task.deadline_ms,
        submitted: task.submitted.clone(),
    })))
}

/// The effect that ends a task's call.
pub(crate) fn cancellation(id: TaskId, task: &PendingTask) -> Effect {
    match &*task.resource {
        Resource::Activity { arn } if task.progress == Progress::Scheduled => {
            Effect::Dequeue { task: id, activity_arn: arn.clone() }
        }
        _ => Effect::CancelTask { task: id, runs_job: task.runs_job() },
    }
}

/// 64 hexadecimal digits, equal for equal execution, visit of a state, and attempt.
fn idempotency(execution: &Execution, task: &PendingTask) -> String {
    let mut hash = Sha256::new();
    hash.update(execution.identity.execution_arn.as_bytes());
    for number in [task.entered_sequence, task.attempt, execution.redrive_count] {
        hash.update(number.to_be_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}
