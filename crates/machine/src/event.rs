//! What has happened to an execution: AWS's history events, and what the interpreter needs to rebuild itself.
//!
//! Events are the only way in which an execution changes (`evolve`). What AWS's history does not show (chosen
//! delays, timers) are events too, with `id` 0.

use std::sync::Arc;

use stepwright_asl::program::{FlowId, Kind, Resource, StateId};
use stepwright_value::Document;

use crate::chance::Seed;
use crate::hold::{Held, Owner};
use crate::outcome::Failure;

/// A call of a Task state; unique within its execution, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskId(pub u32);

/// A timer; unique within its execution, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimerId(pub u32);

impl TimerId {
    const HEARTBEAT: u32 = 1 << 31;

    /// The timer of a task's heartbeat deadline. It moves with every heartbeat, and no event tells it: heartbeats are
    /// without end, histories are not. Where it stands, the driver knows.
    pub fn heartbeat_of(task: TaskId) -> TimerId {
        TimerId(Self::HEARTBEAT | task.0)
    }

    /// Whether it is the timer of a heartbeat deadline.
    pub fn is_heartbeat(self) -> bool {
        self.0 & Self::HEARTBEAT != 0
    }
}

/// A line of states that runs by itself: the machine (0), a branch of a Parallel state, an iteration of a Map state.
/// Unique within its execution, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BranchId(pub u32);

impl BranchId {
    /// The machine's own line.
    pub const ROOT: BranchId = BranchId(0);
}

/// A map run; unique within its execution: the sequence number of the event that started it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunId(pub u32);

/// Something that has happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Counts all events of the execution, from 1.
    pub sequence: u32,
    /// AWS's event id, counts from 1; 0 for an event that AWS's history does not show.
    pub id: u32,
    /// The `id` of the event before it on its line; AWS's rules.
    pub previous_id: u32,
    /// Milliseconds since 1970.
    pub timestamp_ms: i64,
    pub branch: BranchId,
    pub body: EventBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    ExecutionStarted(Box<ExecutionStarted>),
    ExecutionSucceeded {
        output: Document,
    },
    ExecutionFailed(Arc<Failure>),
    ExecutionTimedOut(Arc<Failure>),
    ExecutionAborted(Arc<Failure>),
    ExecutionRedriven {
        /// How many redrives there have been, this one included.
        count: u32,
        /// The machine's `TimeoutSeconds`, which count anew.
        timer: Option<Timer>,
        /// SHA-256 of the caller's client token.
        token_hash: Option<[u8; 32]>,
    },

    StateEntered {
        kind: StateKind,
        state: StateId,
        name: Arc<str>,
        input: Document,
    },
    StateExited(Box<StateExited>),
    /// `TaskStateAborted`, `WaitStateAborted`, `MapStateAborted`, `ParallelStateAborted`.
    StateAborted {
        kind: StateKind,
    },
    EvaluationFailed(Box<EvaluationFailed>),

    TaskScheduled(Box<TaskScheduled>),
    TaskStarted(Box<TaskStarted>),
    TaskSubmitted(Box<TaskOutput>),
    TaskSucceeded(Box<TaskOutput>),
    TaskFailed(Box<TaskFailed>),
    TaskTimedOut(Box<TaskTimedOut>),

    ParallelStarted(Box<ParallelStarted>),
    ParallelSucceeded,
    ParallelFailed,

    MapStarted(Box<MapStarted>),
    IterationStarted(Box<IterationStarted>),
    IterationSucceeded {
        name: Arc<str>,
        index: u32,
    },
    IterationFailed {
        name: Arc<str>,
        index: u32,
    },
    IterationAborted {
        name: Arc<str>,
        index: u32,
    },
    MapSucceeded,
    MapFailed,
    MapRunStarted(Box<MapRunStarted>),
    MapRunSucceeded,
    MapRunFailed(Arc<Failure>),
    MapRunAborted,
    MapRunRedriven {
        map_run_arn: Arc<str>,
        count: u32,
    },

    /// Internal: a branch of a Parallel state is at its end.
    BranchEnded,
    /// Internal: a line of a Parallel or Map state has failed; the state's next event points to `previous_id`.
    JoinFailed,
    /// Internal: a Wait state waits.
    WaitScheduled {
        timer: Timer,
    },
    /// Internal: a state will be tried again when the timer fires. `retrier` is its place in the state's `Retry`.
    RetryScheduled {
        retrier: u32,
        timer: Timer,
    },
    /// Internal: a timer fired, and its line goes on.
    TimerFired {
        timer: TimerId,
    },
    /// Internal: somebody holds the line, or the whole execution.
    Held(Box<Held>),
    /// Internal: somebody lets go what he has held.
    Released {
        owner: Owner,
        whole: bool,
    },
}

/// The eight types of states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateKind {
    Pass,
    Task,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

/// A timer that was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    pub id: TimerId,
    /// Milliseconds since 1970.
    pub due_ms: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExecutionStarted {
    pub input: Document,
    pub role_arn: Arc<str>,
    /// The machine's `TimeoutSeconds`.
    pub timer: Option<Timer>,
    /// What the execution's random numbers are derived from.
    pub seed: Option<Seed>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StateExited {
    pub kind: StateKind,
    pub state: StateId,
    pub name: Arc<str>,
    pub output: Document,
    /// `None`: the line ends here.
    pub next: Option<StateId>,
    /// The variables that were set, in the order of `Assign`.
    pub assigned: Vec<(Arc<str>, Document)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationFailed {
    pub failure: Failure,
    /// The field whose evaluation failed: `Output/FunctionResult`.
    pub location: Option<Arc<str>>,
    pub state: Arc<str>,
}

/// `TaskScheduled`, `LambdaFunctionScheduled` or `ActivityScheduled`, by the resource.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskScheduled {
    pub task: TaskId,
    pub resource: Arc<Resource>,
    /// The effective input.
    pub parameters: Document,
    pub region: Arc<str>,
    pub timeout_s: Option<i64>,
    pub heartbeat_s: Option<i64>,
    /// The role of `Credentials`.
    pub credentials: Option<Arc<str>>,
    /// SHA-256 of the task token, when there is one already.
    pub token_hash: Option<[u8; 32]>,
    pub timeout: Option<Timer>,
    pub heartbeat: Option<Timer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskStarted {
    pub task: TaskId,
    pub resource: Arc<Resource>,
    /// Of an activity.
    pub worker_name: Option<Arc<str>>,
    pub token_hash: Option<[u8; 32]>,
    /// The deadlines count from the start: these replace those of `TaskScheduled`.
    pub timeout: Option<Timer>,
    pub heartbeat: Option<Timer>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskOutput {
    pub task: TaskId,
    pub resource: Arc<Resource>,
    pub output: Document,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskFailed {
    pub task: TaskId,
    pub resource: Arc<Resource>,
    pub failure: Failure,
    pub phase: crate::input::TaskPhase,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TaskTimedOut {
    pub task: TaskId,
    pub resource: Arc<Resource>,
    pub failure: Failure,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ParallelStarted {
    /// The branches get consecutive ids from here.
    pub first_branch: BranchId,
    pub flows: Vec<FlowId>,
    /// What every branch begins with.
    pub input: Document,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MapStarted {
    /// The array (or, for a Map over an object, the object) whose items are processed.
    pub items: Document,
    /// What AWS shows as `length`.
    pub length: u32,
    /// How many iterations may run at a time; of a distributed Map 0 when the definition does not say.
    pub concurrency: u32,
    pub distributed: bool,
    /// The Map state's input after `InputPath`, which `ItemSelector` sees.
    pub input: Document,
}

/// A distributed Map begins with its items: everything about the run that its state decides.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRunStarted {
    pub map_run_arn: Arc<str>,
    /// The state's `Label`, or a UUID: stands in the ARNs of the run and of its children.
    pub label: Arc<str>,
    /// Children at a time; 0 when the definition does not say.
    pub max_concurrency: u32,
    /// How many items may fail. Without both limits, none may.
    pub tolerated_failure_count: Option<i64>,
    /// How many percent of the items may fail.
    pub tolerated_failure_percentage: Option<f64>,
    pub batching: Option<Batching>,
}

/// What `ItemBatcher` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Batching {
    pub items_max: Option<i64>,
    pub bytes_max: Option<i64>,
    pub batch_input: Option<Document>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IterationStarted {
    /// The line that is in the Map state.
    pub parent: BranchId,
    pub name: Arc<str>,
    pub index: u32,
    pub input: Document,
    pub flow: FlowId,
}

impl StateKind {
    pub fn of(kind: &Kind) -> StateKind {
        match kind {
            Kind::Pass(_) => StateKind::Pass,
            Kind::Task(_) => StateKind::Task,
            Kind::Choice(_) => StateKind::Choice,
            Kind::Wait(_) => StateKind::Wait,
            Kind::Succeed => StateKind::Succeed,
            Kind::Fail(_) => StateKind::Fail,
            Kind::Parallel(_) => StateKind::Parallel,
            Kind::Map(_) => StateKind::Map,
        }
    }

    /// As the definition and the event types write it.
    pub fn name(self) -> &'static str {
        match self {
            StateKind::Pass => "Pass",
            StateKind::Task => "Task",
            StateKind::Choice => "Choice",
            StateKind::Wait => "Wait",
            StateKind::Succeed => "Succeed",
            StateKind::Fail => "Fail",
            StateKind::Parallel => "Parallel",
            StateKind::Map => "Map",
        }
    }
}

impl EventBody {
    /// Whether AWS's history has such events.
    pub fn is_visible(&self) -> bool {
        !matches!(
            self,
            EventBody::BranchEnded
                | EventBody::JoinFailed
                | EventBody::WaitScheduled { .. }
                | EventBody::RetryScheduled { .. }
                | EventBody::TimerFired { .. }
                | EventBody::Held(_)
                | EventBody::Released { .. }
        )
    }

    /// Whether the execution ends with it.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            EventBody::ExecutionSucceeded { .. }
                | EventBody::ExecutionFailed(_)
                | EventBody::ExecutionTimedOut(_)
                | EventBody::ExecutionAborted(_)
        )
    }
}
