//! `TestState`: one state, run by the interpreter as it would run in an execution, with the world around it given.
//!
//! A [`StateTest`] is an execution that stands inside the state from the beginning and never enters another one. What the
//! state waits for is told as [`Progress`]; the caller makes the call, or answers with a mock ([`StateTest::answer`]). The
//! lines of a Map or Parallel state never run: only an answer goes on from there.
//!
//! Left out: which requests AWS refuses, and real answers of the world: those are the caller's.

mod inspection;
mod item_data;

use std::borrow::Cow;
use std::sync::Arc;

use stepwright_asl::program::{Kind, Program, StateId};
use stepwright_types::error_name;
use stepwright_value::{Document, Object, Value};

use crate::branch::{MapItem, Phase};
use crate::breakpoints::{Breakpoints, Hold, Point};
use crate::budget::Budget;
use crate::effect::{Effect, TaskCall};
use crate::event::{BranchId, Event, EventBody, TaskId, TimerId};
use crate::execution::{Execution, Hooks, Step, StepError};
use crate::fault::{StateFailure, Trouble};
use crate::hold::Owner;
use crate::identity::{BehaviourFlags, Identity};
use crate::input::{Input, TaskPhase};
use crate::outcome::Failure;
use crate::states::{map, parallel};
use crate::trace::{Trace, Traces};
use crate::turn::Turn;
use crate::variables::Frame;
use crate::view::Line;

pub use inspection::Inspection;
pub(crate) use item_data::{at_pointer, read as read_items};

/// What is tested, and what the state finds around it.
#[derive(Clone, Debug)]
pub struct Setup {
    pub program: Arc<Program>,
    pub state: StateId,
    /// Its input is the state's input.
    pub identity: Arc<Identity>,
    /// The variables that are set when the state begins.
    pub variables: Vec<(Arc<str>, Value)>,
    /// Takes the place of the context object, whatever it holds.
    pub context: Option<Object>,
    /// How often the retrier that takes a failure was used before.
    pub retries: u32,
    /// How many iterations of a Map have failed.
    pub failed_iterations: Option<u32>,
    /// What the `ItemReader` of a distributed Map has read, as it is in its source.
    pub reader_data: Option<Arc<str>>,
}

/// What stands in for the world around the tested state.
#[derive(Debug)]
pub(crate) struct Staging {
    pub context: Option<Object>,
    pub reader_data: Option<Arc<str>>,
}

/// One state at work.
#[derive(Debug)]
pub struct StateTest {
    execution: Execution,
    state: StateId,
    failed_iterations: Option<u32>,
    traces: Traces,
    inside: Inside,
}

/// No state is entered.
#[derive(Debug)]
struct Inside;

impl Breakpoints for Inside {
    fn owner(&self) -> Owner {
        Owner::Test
    }

    fn stop(&mut self, _: &Execution, _: Line<'_>, at: &Point<'_>) -> Hold {
        if *at == Point::Entering { Hold::Execution } else { Hold::No }
    }
}

/// How far the state has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Done(Verdict),
    /// It waits for the answer of a call: one of the inputs that name the task, or [`StateTest::answer`].
    Call(Box<TaskCall>),
    /// It waits for an activity's worker: [`StateTest::answer`].
    Activity,
    /// A Map or Parallel state is ready to begin its lines; a Map has so many iterations. [`StateTest::answer`].
    Lines {
        iterations: usize,
    },
    /// It waits for the time: [`StateTest::next_timer`].
    Time,
}

/// How the test ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// `next` is absent where the state ends the machine.
    Succeeded {
        output: Document,
        next: Option<StateId>,
    },
    /// A catcher took the failure.
    Caught {
        failure: Failure,
        output: Document,
        next: Option<StateId>,
    },
    /// A retrier would try again.
    Retriable(Failure),
    Failed(Failure),
}

impl StateTest {
    /// The state entered at `now_ms`, its work not yet begun.
    pub fn new(setup: Setup, now_ms: i64) -> StateTest {
        let mut variables = Frame::default();
        for (name, value) in setup.variables {
            variables.set(&name, value);
        }
        let retriers = setup.program.state(setup.state).retry.len();
        let mut execution = Execution::new(setup.program, setup.identity, BehaviourFlags::CURRENT);
        execution.started = true;
        let mut traces = Traces::default();
        execution.staging =
            Some(Arc::new(Staging { context: setup.context, reader_data: setup.reader_data }));
        if let Some(line) = execution.branches.get_mut(&BranchId::ROOT) {
            line.state = setup.state;
            line.phase = Phase::Entered;
            line.entered_ms = now_ms;
            line.variables = Arc::new(variables);
            line.retry_count = setup.retries;
            line.attempts = vec![setup.retries; retriers];
            traces.of(line);
        }
        execution.ready.insert(BranchId::ROOT);
        StateTest {
            execution,
            state: setup.state,
            failed_iterations: setup.failed_iterations,
            traces,
            inside: Inside,
        }
    }

    /// Lets the state begin.
    pub fn begin(
        &mut self,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        budget: &dyn Budget,
    ) -> Result<Progress, StepError> {
        let mut step = self.turn(now_ms, entropy, budget).take(Input::Continue)?;
        if self.is_joining() {
            let more = self.turn(now_ms, entropy, budget).run(|turn| {
                let selected = select_items(turn);
                turn.settle(BranchId::ROOT, selected)
            })?;
            step.events.extend(more.events);
        }
        Ok(self.progress(step))
    }

    /// Tells the state what has happened.
    pub fn receive(
        &mut self,
        input: Input,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        budget: &dyn Budget,
    ) -> Result<Progress, StepError> {
        let step = self.turn(now_ms, entropy, budget).take(input)?;
        Ok(self.progress(step))
    }

    /// Says how that ended which the state waits for: the task, or the lines of a Map or Parallel state.
    pub fn answer(
        &mut self,
        answer: Result<Document, Failure>,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        budget: &dyn Budget,
    ) -> Result<Progress, StepError> {
        if let Some(task) = self.task() {
            let input = match answer {
                Ok(output) => Input::TaskSucceeded { task, output },
                Err(Failure { error, cause }) => {
                    Input::TaskFailed { task, error: error.unwrap_or_default(), cause, phase: TaskPhase::Run }
                }
            };
            return self.receive(input, now_ms, entropy, budget);
        }
        let answer = answer.and_then(|result| match self.exceeds_tolerance() {
            false => Ok(result),
            true => Err(Failure::new(
                error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
                "The specified tolerated failure threshold was exceeded",
            )),
        });
        let step = self.turn(now_ms, entropy, budget).run(|turn| {
            let joined = join(turn, answer);
            turn.settle(BranchId::ROOT, joined)
        })?;
        Ok(self.progress(step))
    }

    /// The timer that is due first, and when. Milliseconds since 1970.
    pub fn next_timer(&self) -> Option<(TimerId, i64)> {
        let timers = self.execution.timers.iter().map(|(id, timer)| (*id, timer.due_ms));
        timers.min_by_key(|(_, due_ms)| *due_ms)
    }

    /// What happened to the data, stage by stage, as far as AWS shows it for a state of this type.
    pub fn inspect(&self) -> Inspection {
        inspection::of(&self.trace(), self.execution.program.state(self.state), self.variables())
    }

    /// All variables that are set now; `None` when there is not one.
    fn variables(&self) -> Option<Document> {
        let line = self.execution.branches.get(&BranchId::ROOT)?;
        let visible = line.variables.visible();
        let members: Object =
            visible.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        (!members.is_empty()).then(|| Value::from(members).into())
    }

    /// A step in which no further state is entered.
    fn turn<'t>(
        &'t mut self,
        now_ms: i64,
        entropy: &'t mut dyn FnMut() -> u64,
        budget: &'t dyn Budget,
    ) -> Turn<'t> {
        let StateTest { execution, traces, inside, .. } = self;
        let hooks = Hooks { budget, breakpoints: Some(inside), traces: Some(traces), ..Hooks::default() };
        Turn::new(execution, now_ms, entropy, hooks)
    }

    /// Of the one state that there is, in its one attempt.
    fn trace(&self) -> Cow<'_, Trace> {
        self.traces.0.values().next().map_or_else(Cow::default, Cow::Borrowed)
    }

    fn task(&self) -> Option<TaskId> {
        self.execution.tasks.keys().next().copied()
    }

    fn is_joining(&self) -> bool {
        self.phase().is_some_and(|phase| matches!(phase, Phase::Joining(_)))
    }

    fn phase(&self) -> Option<&Phase> {
        self.execution.branches.get(&BranchId::ROOT).map(|line| &line.phase)
    }

    /// AWS: without a tolerance in the definition any number of failed iterations is tolerated here.
    fn exceeds_tolerance(&self) -> bool {
        let Some(failed) = self.failed_iterations.map(f64::from) else { return false };
        let iterations = self.iterations().unwrap_or(0);
        let percentage = 100.0 * failed / iterations.max(1) as f64;
        self.trace().tolerated_failure_count.is_some_and(|count| failed > count as f64)
            || self.trace().tolerated_failure_percentage.is_some_and(|bound| percentage > bound)
    }

    fn progress(&self, step: Step) -> Progress {
        if let Some(verdict) = step.events.into_iter().find_map(|event| self.verdict(event)) {
            return Progress::Done(verdict);
        }
        for effect in step.effects {
            match effect {
                Effect::Dispatch(call) => return Progress::Call(call),
                Effect::Queue(_) => return Progress::Activity,
                _ => {}
            }
        }
        match self.iterations() {
            Some(iterations) => Progress::Lines { iterations },
            None => Progress::Time,
        }
    }

    /// How many lines would begin, once the state is ready for them. Of a distributed Map with batches: those.
    fn iterations(&self) -> Option<usize> {
        match self.phase()? {
            Phase::Joining(join) => Some(join.outputs.len()),
            Phase::Distributed(map) => {
                let trace = self.trace();
                let batches = trace.after_item_batcher.as_ref().and_then(|it| it.value().as_array());
                Some(batches.map_or(map.items.len(), |batches| batches.len()))
            }
            _ => None,
        }
    }

    /// What the event says about the end of the state.
    fn verdict(&self, event: Event) -> Option<Verdict> {
        if event.branch != BranchId::ROOT {
            return None;
        }
        let failure = || self.trace().failure.clone().unwrap_or_default();
        match event.body {
            EventBody::StateExited(exited) => Some(match self.trace().catch_index {
                None => Verdict::Succeeded { output: exited.output, next: exited.next },
                Some(_) => Verdict::Caught { failure: failure(), output: exited.output, next: exited.next },
            }),
            EventBody::RetryScheduled { .. } => Some(Verdict::Retriable(failure())),
            EventBody::ExecutionFailed(failure) => Some(Verdict::Failed((*failure).clone())),
            _ => None,
        }
    }
}

/// The lines of the state have ended with `answer`.
fn join(turn: &mut Turn<'_>, answer: Result<Document, Failure>) -> Result<(), Trouble> {
    let id = BranchId::ROOT;
    let result = answer.map_err(StateFailure::plain)?;
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let last_id = turn.branch_last_id(id);
    match &state.kind {
        Kind::Parallel(_) => parallel::finish(turn, id, state, last_id, result),
        Kind::Map(map) => map::finish(turn, id, state, map, last_id, result),
        _ => Ok(()),
    }
}

/// What the iterations of an inline Map would begin with; a distributed Map has prepared that already.
fn select_items(turn: &mut Turn<'_>) -> Result<(), Trouble> {
    let id = BranchId::ROOT;
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let Kind::Map(map) = &state.kind else { return Ok(()) };
    let Phase::Joining(join) = &turn.branch(id)?.phase else { return Ok(()) };
    let Some(of_map) = join.map.as_ref().filter(|_| map.distributed.is_none()) else { return Ok(()) };
    let (items, input) = (of_map.items.clone(), of_map.input.clone());
    for index in 0..items.len() {
        let Some((key, value)) = items.get(index) else { break };
        let item = MapItem { index: u32::try_from(index).unwrap_or(u32::MAX), key, value };
        if let Err(fault) = map::item_input(turn, id, state, map, &input, item) {
            return Err(turn.fail_in(id, state, fault));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
