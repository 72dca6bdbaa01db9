//! What can happen to an execution.

use std::sync::Arc;

use stepwright_value::Document;

use crate::event::{BranchId, RunId, TaskId, TimerId};
use crate::hold::Owner;
use crate::outcome::Failure;

/// Everything that an execution can be told. What comes too late (for a task or timer that is no longer outstanding)
/// changes nothing and yields no event.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The execution begins. First, and once.
    Start,
    /// As [`Input::Start`], but held from the beginning: nothing goes on before [`Input::Release`].
    StartHeld {
        owner: Owner,
    },
    /// The target of a task was reached. Optional: an answer implies it.
    TaskStarted {
        task: TaskId,
    },
    /// The call of a `.sync` or `.waitForTaskToken` task was answered; the task itself goes on.
    TaskSubmitted {
        task: TaskId,
        output: Document,
    },
    TaskSucceeded {
        task: TaskId,
        output: Document,
    },
    TaskFailed {
        task: TaskId,
        error: Arc<str>,
        cause: Option<Arc<str>>,
        phase: TaskPhase,
    },
    /// A worker took an activity's task; `token_hash` is that of the token it got ([`crate::token::hash`]).
    ActivityStarted {
        task: TaskId,
        worker_name: Option<Arc<str>>,
        token_hash: [u8; 32],
    },
    /// The worker is alive: the heartbeat deadline moves.
    Heartbeat {
        task: TaskId,
    },
    /// A timer that [`crate::Effect::SetTimer`] asked for is due.
    TimerFired {
        timer: TimerId,
    },
    /// `StopExecution`.
    Stop {
        error: Option<Arc<str>>,
        cause: Option<Arc<str>>,
    },
    /// Whoever runs it cannot go on with it.
    Fail {
        error: Arc<str>,
        cause: Option<Arc<str>>,
    },
    /// A map run that [`crate::Effect::StartMapRun`] asked for has ended, with the result of the Map state.
    MapRunFinished {
        run: RunId,
        result: Result<Document, Failure>,
    },
    /// `RedriveExecution`: goes on at what did not succeed. `token_hash` is that of the caller's client token
    /// ([`crate::token::hash`]).
    Redrive {
        token_hash: Option<[u8; 32]>,
    },
    /// As [`Input::Redrive`], but held from the beginning: nothing goes on before [`Input::Release`].
    RedriveHeld {
        token_hash: Option<[u8; 32]>,
        owner: Owner,
    },
    /// Nothing happened; goes on after [`crate::Effect::Continue`].
    Continue,
    /// The line, or (`None`) the whole execution, does not go on by itself any more.
    Hold {
        owner: Owner,
        line: Option<BranchId>,
    },
    /// Lets go what the owner has held. What others hold stays held.
    Release {
        owner: Owner,
        line: Option<BranchId>,
    },
}

/// How far a task came before it failed; says which event tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskPhase {
    /// It could not be scheduled: `LambdaFunctionScheduleFailed`, `ActivityScheduleFailed`.
    Schedule,
    /// The call could not begin: `TaskStartFailed`, `LambdaFunctionStartFailed`.
    Start,
    /// The answer of the call could not be used: `TaskSubmitFailed`.
    Submit,
    /// It ran and failed: `TaskFailed`, `LambdaFunctionFailed`, `ActivityFailed`.
    Run,
}
