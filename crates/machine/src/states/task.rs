//! Task: calls something, and waits for its answer.

use std::sync::Arc;

use stepwright_asl::program::{Integration, Pattern, Resource, State, Task};
use stepwright_types::limit;
use stepwright_value::{Document, Value};

use crate::breakpoints::Point;
use crate::event::{BranchId, EventBody, TaskId, TaskScheduled, Timer, TimerId};
use crate::fault::{Fault, StateFailure, Trouble};
use crate::hold::Stop;
use crate::outstanding;
use crate::scene::Scene;
use crate::stages;
use crate::states::numbers;
use crate::token::{self, TaskToken};
use crate::turn::Turn;

/// What a call is made with.
struct Call {
    parameters: Document,
    credentials: Option<Arc<str>>,
    timeout_s: Option<i64>,
    heartbeat_s: Option<i64>,
}

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, task: &Task) -> Result<(), Trouble> {
    let task_id = TaskId(turn.execution.next_task);
    let token = match &task.resource {
        // AWS gives a token to `.sync` too: whoever holds it can end the task before the job ends.
        Resource::Integration(Integration {
            pattern: Pattern::WaitForTaskToken | Pattern::Sync | Pattern::Sync2,
            ..
        }) => {
            let locator = turn.execution.identity.locator.clone();
            Some(TaskToken::mint(&locator, task_id, turn.entropy).text())
        }
        _ => None,
    };
    let token_hash = token.as_deref().map(token::hash);
    let call = turn.scene_of(id, state).and_then(|mut scene| {
        scene.context.token = token.map(Arc::from);
        prepare(&mut scene, task)
    });
    let call = match call {
        Ok(call) => call,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    if call.parameters.len_bytes() > limit::PAYLOAD_BYTES_MAX {
        return Err(StateFailure::too_large(&state.name).into());
    }
    if let Resource::Activity { arn } = &task.resource
        && turn.missing_activities.contains(arn)
    {
        let fault = Fault::runtime(format!("The activity {arn} does not exist."));
        return Err(turn.fail_in(id, state, fault));
    }
    // A worker's heartbeats count from when it takes the task.
    let beats = call.heartbeat_s.filter(|_| !matches!(task.resource, Resource::Activity { .. }));
    let (timeout, heartbeat) = deadlines(turn, task_id, call.timeout_s, beats);
    let scheduled = TaskScheduled {
        task: task_id,
        resource: Arc::new(task.resource.clone()),
        parameters: call.parameters,
        region: turn.execution.identity.account.region.as_str().into(),
        timeout_s: call.timeout_s,
        heartbeat_s: call.heartbeat_s,
        credentials: call.credentials,
        token_hash,
        timeout,
        heartbeat,
    };
    let parameters = scheduled.parameters.clone();
    turn.emit(id, EventBody::TaskScheduled(Box::new(scheduled)))?;
    let point = Point::Dispatch { task: task_id, parameters: &parameters };
    if !turn.stops(id, &point, || Stop::Dispatch)? {
        let task = turn.execution.tasks.get(&task_id);
        let effect = task.and_then(|task| outstanding::call(turn.execution, task_id, task));
        effect.into_iter().for_each(|effect| turn.want(effect));
    }
    turn.want_timer(timeout);
    turn.want_timer(heartbeat);
    Ok(())
}

fn prepare(scene: &mut Scene<'_>, task: &Task) -> Result<Call, Fault> {
    let input = stages::effective_input(scene)?;
    let timeout_s = numbers::seconds(scene, "TimeoutSeconds", task.timeout_s.as_ref(), input.value())?;
    let heartbeat_s = numbers::seconds(scene, "HeartbeatSeconds", task.heartbeat_s.as_ref(), input.value())?;
    let parameters = stages::arguments(scene, &input)?;
    let credentials = match &task.credentials {
        None => None,
        Some(template) => {
            let value = scene.template(template, input.value(), "Credentials")?;
            value.get("RoleArn").and_then(Value::as_str).map(Arc::from)
        }
    };
    Ok(Call { parameters, credentials, timeout_s, heartbeat_s })
}

/// Timers for a task's deadlines, counted from now.
pub(crate) fn deadlines(
    turn: &Turn<'_>,
    task: TaskId,
    timeout_s: Option<i64>,
    heartbeat_s: Option<i64>,
) -> (Option<Timer>, Option<Timer>) {
    let timeout = timeout_s.map(|seconds| turn.new_timer(seconds.saturating_mul(1000)));
    let heartbeat = heartbeat_s.map(|seconds| Timer {
        id: TimerId::heartbeat_of(task),
        ..turn.new_timer(seconds.saturating_mul(1000))
    });
    (timeout, heartbeat)
}

/// The task has succeeded with `result`.
pub(crate) fn finish(turn: &mut Turn<'_>, id: BranchId, result: Document) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let outcome = turn.scene_of(id, state).and_then(|mut scene| {
        scene.note(|trace| trace.result = Some(result.clone()));
        stages::conclude(&mut scene, result)
    });
    match outcome {
        Ok((output, assigned)) => turn.leave(id, state, output, assigned),
        Err(fault) => Err(turn.fail_in(id, state, fault)),
    }
}
