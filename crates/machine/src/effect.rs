//! What an execution wants from the outside world.

use std::sync::Arc;

use stepwright_asl::program::Resource;
use stepwright_value::Document;

use crate::event::{RunId, TaskId, TimerId};
use crate::map_run::MapRun;
use crate::outcome::Outcome;

/// What the driver has to do once the events of the same step are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Call a task target, or wait for the end of the job that it has started.
    Dispatch(Box<TaskCall>),
    /// Put an activity's task into its queue.
    Queue(Box<QueuedActivity>),
    /// Take an activity's task out of its queue: nobody waits for it any more.
    Dequeue { task: TaskId, activity_arn: Arc<str> },
    /// Feed [`crate::Input::TimerFired`] when the time has come. Milliseconds since 1970. A timer that is set already (only one
    /// with [`TimerId::is_heartbeat`] can be) moves.
    SetTimer { timer: TimerId, due_ms: i64 },
    /// `due_ms` is as the events tell it; a heartbeat timer may have moved since.
    CancelTimer { timer: TimerId, due_ms: i64 },
    /// End a call whose answer nobody waits for. One that `runs_job` has started a job, or is about to: the job is to be
    /// stopped, also after a crash; [`crate::Execution::job`] told of it before.
    CancelTask { task: TaskId, runs_job: bool },
    /// Run the items of a distributed Map as executions of their own, and feed [`crate::Input::MapRunFinished`] at the end.
    /// One with [`MapRun::redrive_count`] above 0 has run before: what did not succeed goes on.
    StartMapRun(Box<MapRun>),
    /// End a map run, and its children, whose end nobody waits for.
    CancelMapRun { run: RunId },
    /// The execution has ended. Last.
    Finished(Outcome),
    /// The step was cut short to let others run: feed [`crate::Input::Continue`].
    Continue,
}

/// One call of a Task state.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskCall {
    pub task: TaskId,
    pub state_name: Arc<str>,
    pub resource: Arc<Resource>,
    /// The effective input.
    pub parameters: Document,
    /// Stable for execution, state and attempt: equal when the same call is made again after a crash.
    pub idempotency: String,
    /// The role of `Credentials`, when the state has them.
    pub credentials: Option<Arc<str>>,
    pub timeout_s: Option<i64>,
    pub heartbeat_s: Option<i64>,
    /// When the state gives up. Milliseconds since 1970.
    pub deadline_ms: Option<i64>,
    /// Of `.sync`, once the job runs: what the call answered that started it. Nothing is to be called then; the end of the
    /// job is to be awaited.
    pub submitted: Option<Document>,
}

/// A task that waits for a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedActivity {
    pub task: TaskId,
    pub activity_arn: Arc<str>,
    pub input: Document,
    pub timeout_s: Option<i64>,
    pub heartbeat_s: Option<i64>,
    pub deadline_ms: Option<i64>,
}
