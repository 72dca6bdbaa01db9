//! The state of one execution.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwright_asl::program::{FlowId, Program};

use crate::branch::{Branch, PendingTask, PendingTimer, Purpose};
use crate::breakpoints::Breakpoints;
use crate::budget::{Budget, Unbounded};
use crate::chance::{self, Chance, Seed};
use crate::codec::{CodecError, snapshot};
use crate::effect::{Effect, TaskCall};
use crate::event::{BranchId, Event, TaskId, TimerId};
use crate::hold::Holders;
use crate::identity::{BehaviourFlags, Identity};
use crate::input::Input;
use crate::outcome::{Outcome, Status};
use crate::test_state::Staging;
use crate::trace::Traces;
use crate::turn::Turn;

/// The state of one execution: small, dropped and rebuilt from its events at will.
#[derive(Clone, Debug)]
pub struct Execution {
    pub(crate) program: Arc<Program>,
    pub(crate) identity: Arc<Identity>,
    /// Where it begins: the machine's own flow, or, of a child of a map run, that of the Map's processor.
    pub(crate) flow: FlowId,
    pub(crate) flags: BehaviourFlags,
    pub(crate) branches: BTreeMap<BranchId, Box<Branch>>,
    /// The lines that can go on by themselves.
    pub(crate) ready: BTreeSet<BranchId>,
    pub(crate) tasks: BTreeMap<TaskId, PendingTask>,
    pub(crate) timers: BTreeMap<TimerId, PendingTimer>,
    pub(crate) next_sequence: u32,
    pub(crate) next_id: u32,
    pub(crate) next_branch: u32,
    pub(crate) next_task: u32,
    pub(crate) next_timer: u32,
    pub(crate) started: bool,
    /// Who holds all of it.
    pub(crate) holders: Holders,
    /// How many of its events tell of holds.
    pub(crate) hold_events: u32,
    pub(crate) seed: Option<Seed>,
    pub(crate) redrive_count: u32,
    pub(crate) redrive_ms: i64,
    /// The last redrives, oldest first.
    pub(crate) redrives: Vec<Redriven>,
    pub(crate) outcome: Option<Outcome>,
    /// Of a test of one state: what stands in for the world around it.
    pub(crate) staging: Option<Arc<Staging>>,
}

/// AWS: the tokens of the last 10 redrives are known.
pub(crate) const REDRIVES_KEPT: usize = 10;

/// A redrive that has happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Redriven {
    pub token_hash: Option<[u8; 32]>,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// What a step may use besides time and random numbers. By default it goes as far as it can, and nobody looks.
pub struct Hooks<'a> {
    pub budget: &'a dyn Budget,
    /// Asked wherever a line could stop.
    pub breakpoints: Option<&'a mut dyn Breakpoints>,
    /// Gets what happens to the data inside the states that run.
    pub traces: Option<&'a mut Traces>,
    /// Activities of the program that are not there: a state that would give a task to one of them fails.
    pub missing_activities: &'a [Arc<str>],
}

impl Default for Hooks<'_> {
    fn default() -> Self {
        Hooks { budget: &Unbounded, breakpoints: None, traces: None, missing_activities: &[] }
    }
}

/// What one step yields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// What happened; to be stored as one segment.
    pub events: Vec<Event>,
    /// What to do once the events are durable, in this order.
    pub effects: Vec<Effect>,
}

/// A step that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// `Start` for an execution that has begun.
    #[error("the execution has been started before")]
    AlreadyStarted,
    /// Anything but `Start` for an execution that has not.
    #[error("the execution has not been started")]
    NotStarted,
    /// A redrive of an execution that runs or has succeeded.
    #[error("the execution cannot be redriven")]
    NotRedrivable,
    /// The caller's [`Budget`] wanted it to end in the middle of a state. The execution is not to be used any more.
    #[error("the step was interrupted")]
    Interrupted,
    /// The interpreter made an event that it does not accept itself: a bug.
    #[error("the interpreter made an illegal event")]
    Illegal(#[source] EvolveError),
}

/// An event that does not fit the execution: the events are not those of this execution, or not in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    #[error("event {found} instead of {expected}")]
    Sequence { expected: u32, found: u32 },
    #[error("event {sequence} is on line {branch}, which is not there")]
    NoSuchBranch { sequence: u32, branch: u32 },
    #[error("event {sequence} names a state that the program does not have")]
    NoSuchState { sequence: u32 },
    #[error("event {sequence} does not fit what line {branch} is doing")]
    WrongPhase { sequence: u32, branch: u32 },
}

impl Execution {
    /// An execution to which nothing has happened yet.
    pub fn new(program: Arc<Program>, identity: Arc<Identity>, flags: BehaviourFlags) -> Execution {
        Execution::beginning(program, identity, flags, FlowId(0))
    }

    /// A child of a map run, to which nothing has happened yet: it runs the processor of a distributed Map. `None` when the
    /// program has no such flow.
    pub fn child(
        program: Arc<Program>,
        identity: Arc<Identity>,
        flags: BehaviourFlags,
        processor: FlowId,
    ) -> Option<Execution> {
        let is_known = (processor.0 as usize) < program.flows.len();
        is_known.then(|| Execution::beginning(program, identity, flags, processor))
    }

    fn beginning(
        program: Arc<Program>,
        identity: Arc<Identity>,
        flags: BehaviourFlags,
        flow: FlowId,
    ) -> Execution {
        let start_at = program.flow(flow).start_at;
        let root = Branch::root(start_at, identity.input.clone());
        Execution {
            program,
            identity,
            flow,
            flags,
            branches: BTreeMap::from([(BranchId::ROOT, Box::new(root))]),
            ready: BTreeSet::new(),
            tasks: BTreeMap::new(),
            timers: BTreeMap::new(),
            next_sequence: 1,
            next_id: 1,
            next_branch: 1,
            next_task: 1,
            next_timer: 1,
            started: false,
            holders: Holders::default(),
            hold_events: 0,
            seed: None,
            redrive_count: 0,
            redrive_ms: 0,
            redrives: Vec::new(),
            outcome: None,
            staging: None,
        }
    }

    /// The same execution as it was before anything happened to it.
    pub fn unstarted(&self) -> Execution {
        Execution::beginning(self.program.clone(), self.identity.clone(), self.flags, self.flow)
    }

    /// Decides what `input` leads to, applies it, and returns it. `now_ms` is the time in milliseconds since 1970;
    /// `entropy` yields random numbers.
    pub fn step(
        &mut self,
        input: Input,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
    ) -> Result<Step, StepError> {
        self.step_with(input, now_ms, entropy, Hooks::default())
    }

    /// As [`Execution::step`], as far as `budget` lets it go.
    pub fn step_within(
        &mut self,
        input: Input,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        budget: &dyn Budget,
    ) -> Result<Step, StepError> {
        self.step_with(input, now_ms, entropy, Hooks { budget, ..Hooks::default() })
    }

    /// As [`Execution::step`], with hooks. What an execution draws is derived from what its start drew from `entropy`: the same
    /// step, taken again, draws the same.
    pub fn step_with(
        &mut self,
        input: Input,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        hooks: Hooks<'_>,
    ) -> Result<Step, StepError> {
        let seed = if self.started { self.seed } else { Some(chance::seed(entropy)) };
        let chance = Chance::new(seed, self.moment());
        let mut random = || chance.draw().unwrap_or_else(&mut *entropy);
        let Hooks { budget, breakpoints, traces, missing_activities } = hooks;
        // They are lent for this step only.
        let breakpoints = breakpoints.map(|breakpoints| breakpoints as &mut dyn Breakpoints);
        let hooks = Hooks { budget, breakpoints, traces, missing_activities };
        Turn::new(self, now_ms, &mut random, hooks).drawing(&chance).take(input)
    }

    /// Counts what has happened, but for holds.
    pub(crate) fn moment(&self) -> u32 {
        self.next_sequence.saturating_sub(self.hold_events)
    }

    /// Applies an event that a step returned before: `events` in their order rebuild the execution.
    pub fn evolve(&mut self, event: &Event) -> Result<(), EvolveError> {
        crate::evolve::apply(self, event)
    }

    /// The state as bytes, equal for equal executions. What no longer matters is not in them.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::encode(self)
    }

    /// Brings an execution to which nothing has happened yet into the state of a snapshot that was taken of it. After an
    /// error it is of no use.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<(), CodecError> {
        snapshot::decode(self, snapshot)
    }

    /// What the outside world has to be told again after a rebuild: calls without an answer, timers, queues.
    pub fn outstanding(&self) -> Vec<Effect> {
        crate::outstanding::of(self)
    }

    pub fn status(&self) -> Status {
        match &self.outcome {
            Some(outcome) => outcome.status(),
            None if self.started => Status::Running,
            None => Status::New,
        }
    }

    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The sequence number that the next event will have.
    pub fn next_sequence(&self) -> u32 {
        self.next_sequence
    }

    /// How many events AWS's history of this execution shows so far.
    pub fn history_len(&self) -> u32 {
        self.next_id - 1
    }

    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    pub fn flags(&self) -> BehaviourFlags {
        self.flags
    }

    pub fn redrive_count(&self) -> u32 {
        self.redrive_count
    }

    /// When the last redrive was, in milliseconds since 1970.
    pub fn redrive_ms(&self) -> Option<i64> {
        (self.redrive_count > 0).then_some(self.redrive_ms)
    }

    /// When the redrive with the client token of this hash was, in milliseconds since 1970. The last ten are known.
    pub fn redriven_with(&self, token_hash: &[u8; 32]) -> Option<i64> {
        let found = self.redrives.iter().rfind(|redriven| redriven.token_hash.as_ref() == Some(token_hash));
        found.map(|redriven| redriven.at_ms)
    }

    /// The outstanding task whose token has this hash.
    pub fn task_for_token(&self, hash: &[u8; 32]) -> Option<TaskId> {
        self.tasks.iter().find(|(_, task)| task.token_hash.as_ref() == Some(hash)).map(|(id, _)| *id)
    }

    /// The call of an open task that runs a job (`.sync`).
    pub fn job(&self, task: TaskId) -> Option<TaskCall> {
        let found = self.tasks.get(&task).filter(|found| found.runs_job())?;
        match crate::outstanding::call(self, task, found)? {
            Effect::Dispatch(call) => Some(*call),
            _ => None,
        }
    }

    /// The timer of the whole execution, and when it is due: its time is over then. Milliseconds since 1970.
    pub fn deadline(&self) -> Option<(TimerId, i64)> {
        let of_execution = |timer: &PendingTimer| timer.purpose == Purpose::Execution;
        let found = self.timers.iter().find(|(_, timer)| of_execution(timer));
        found.map(|(id, timer)| (*id, timer.due_ms))
    }

    /// How many lines it has: its own, and those of its Parallel and Map states.
    pub fn line_count(&self) -> usize {
        self.branches.len()
    }

    pub(crate) fn is_due(&self, timer: TimerId, now_ms: i64) -> bool {
        self.timers.get(&timer).is_some_and(|timer| timer.due_ms <= now_ms)
    }

    /// Whether nothing is outstanding but timers and callbacks, so that the state can be dropped until something comes.
    pub fn is_parked(&self) -> bool {
        self.ready.is_empty()
    }
}

impl PartialEq for Execution {
    /// Whether both would go on alike.
    fn eq(&self, other: &Execution) -> bool {
        self.flow == other.flow
            && self.branches == other.branches
            && self.ready == other.ready
            && self.tasks == other.tasks
            && self.timers == other.timers
            && (self.next_sequence, self.next_id, self.next_branch, self.next_task, self.next_timer)
                == (other.next_sequence, other.next_id, other.next_branch, other.next_task, other.next_timer)
            && (self.started, self.holders, self.hold_events, self.seed)
                == (other.started, other.holders, other.hold_events, other.seed)
            && (self.redrive_count, self.redrive_ms) == (other.redrive_count, other.redrive_ms)
            && self.redrives == other.redrives
            && self.outcome == other.outcome
    }
}
