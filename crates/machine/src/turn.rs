//! One step on its way: what has happened and is wanted so far, and the loop that takes lines as far as they go.

use std::sync::Arc;

use stepwright_asl::program::{FlowId, Program, State, StateId, Transition};
use stepwright_types::{error_name, limit};
use stepwright_value::{DEPTH_MAX, Document};

use crate::branch::{Branch, Phase, Purpose};
use crate::breakpoints::{Breakpoints, Point};
use crate::budget::Asked;
use crate::chance::Chance;
use crate::effect::Effect;
use crate::event::{
    BranchId, Event, EventBody, ExecutionStarted, StateExited, StateKind, TaskId, Timer, TimerId,
};
use crate::execution::{Execution, Hooks, Step, StepError};
use crate::fault::{Fault, StateFailure, Trouble, too_deep};
use crate::hold::Stop;
use crate::identity::ExecutionKind;
use crate::input::Input;
use crate::outcome::{Failure, Outcome};
use crate::scene::Scene;
use crate::stages::Assigned;
use crate::trace::{Trace, Traces};
use crate::{outstanding, states, stop, task_inputs};

/// Events after which a step ends, so that one execution cannot hog its driver.
const EVENTS_PER_STEP_MAX: usize = 10_000;
/// Bytes of new payloads after which a step ends.
const BYTES_PER_STEP_MAX: usize = 2 * 1024 * 1024;

pub(crate) struct Turn<'a> {
    pub execution: &'a mut Execution,
    pub program: Arc<Program>,
    pub now_ms: i64,
    pub entropy: &'a mut dyn FnMut() -> u64,
    pub breakpoints: Option<&'a mut dyn Breakpoints>,
    traces: Option<&'a mut Traces>,
    pub missing_activities: &'a [Arc<str>],
    /// Where random numbers are derived.
    chance: Option<&'a Chance>,
    budget: Asked<'a>,
    step: Step,
    new_bytes: usize,
}

impl<'a> Turn<'a> {
    pub fn new(
        execution: &'a mut Execution,
        now_ms: i64,
        entropy: &'a mut dyn FnMut() -> u64,
        hooks: Hooks<'a>,
    ) -> Turn<'a> {
        let program = execution.program.clone();
        let Hooks { budget, breakpoints, traces, missing_activities } = hooks;
        let (step, budget) = (Step::default(), Asked::new(budget));
        Turn {
            execution,
            program,
            now_ms,
            entropy,
            breakpoints,
            traces,
            missing_activities,
            chance: None,
            budget,
            step,
            new_bytes: 0,
        }
    }

    /// `entropy` derives its numbers here.
    pub fn drawing(mut self, chance: &'a Chance) -> Turn<'a> {
        self.chance = Some(chance);
        self
    }

    /// What happens to the data in the line's state, if anybody wants to know.
    pub fn trace_of(&mut self, id: BranchId) -> Option<&mut Trace> {
        let branch = self.execution.branches.get(&id)?;
        self.traces.as_deref_mut().map(|traces| traces.of(branch))
    }

    /// The whole step.
    pub fn take(self, input: Input) -> Result<Step, StepError> {
        self.check(&input)?;
        self.run(|turn| turn.receive(input))
    }

    /// A step that begins with `first`.
    pub fn run(mut self, first: impl FnOnce(&mut Self) -> Result<(), Trouble>) -> Result<Step, StepError> {
        let done = first(&mut self).and_then(|()| self.drive());
        let done = match done {
            Err(Trouble::HistoryFull) => self.history_full(),
            other => other,
        };
        match done {
            Ok(()) => Ok(self.step),
            Err(Trouble::Illegal(error)) => Err(StepError::Illegal(error)),
            Err(Trouble::Interrupted) => Err(StepError::Interrupted),
            // A line's failure is settled where it happens.
            Err(Trouble::State(_) | Trouble::HistoryFull) => Ok(self.step),
        }
    }

    fn check(&self, input: &Input) -> Result<(), StepError> {
        match input {
            Input::Start | Input::StartHeld { .. } if self.execution.started => {
                Err(StepError::AlreadyStarted)
            }
            Input::Start | Input::StartHeld { .. } => Ok(()),
            _ if !self.execution.started => Err(StepError::NotStarted),
            Input::Redrive { .. } | Input::RedriveHeld { .. } => match self.execution.outcome {
                None | Some(Outcome::Succeeded { .. }) => Err(StepError::NotRedrivable),
                Some(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn receive(&mut self, input: Input) -> Result<(), Trouble> {
        let is_redrive = matches!(input, Input::Redrive { .. } | Input::RedriveHeld { .. });
        if self.execution.outcome.is_some() && !is_redrive {
            return Ok(());
        }
        if let Some(due_ms) = self.deadline_ms().filter(|due_ms| *due_ms <= self.now_ms) {
            // AWS: it ends at its deadline, whatever came afterwards and however late we are told.
            self.now_ms = due_ms;
            return stop::time_out(self);
        }
        match input {
            Input::Start => self.start(),
            Input::StartHeld { owner } => {
                self.start()?;
                self.hold(owner, None)
            }
            Input::Continue => Ok(()),
            Input::MapRunFinished { run, result } => states::distributed::finished(self, run, result),
            Input::TimerFired { timer } => self.timer_fired(timer),
            Input::Stop { error, cause } => stop::abort(self, Failure { error, cause }),
            Input::Fail { error, cause } => {
                self.fail(self.execution.next_id - 1, Failure { error: Some(error), cause })
            }
            Input::Redrive { token_hash } => self.redrive(token_hash),
            Input::RedriveHeld { token_hash, owner } => {
                self.redrive(token_hash)?;
                self.hold(owner, None)
            }
            Input::Hold { owner, line } => self.hold(owner, line),
            Input::Release { owner, line } => self.release(owner, line),
            task_input => task_inputs::receive(self, task_input),
        }
    }

    fn start(&mut self) -> Result<(), Trouble> {
        let timer = self.execution_timer();
        let identity = &self.execution.identity;
        let started = ExecutionStarted {
            input: identity.input.clone(),
            role_arn: identity.role_arn.clone(),
            timer,
            seed: self.chance.and_then(Chance::seed),
        };
        self.emit(BranchId::ROOT, EventBody::ExecutionStarted(Box::new(started)))?;
        self.want_timer(timer);
        Ok(())
    }

    /// The timer of the whole execution: the machine's `TimeoutSeconds`, and the limit of EXPRESS.
    fn execution_timer(&self) -> Option<Timer> {
        // It is the machine's own, not that of the children of its map runs.
        let own_s = self.program.timeout_s.filter(|_| self.execution.flow == FlowId(0));
        let own_ms = own_s.map(|seconds| seconds.saturating_mul(1000));
        let ms = match (self.execution.identity.kind, own_ms) {
            (ExecutionKind::Express, Some(ms)) => Some(ms.min(limit::EXPRESS_DURATION_MS_MAX)),
            (ExecutionKind::Express, None) => Some(limit::EXPRESS_DURATION_MS_MAX),
            (ExecutionKind::Standard, ms) => ms,
        }?;
        Some(self.new_timer(ms))
    }

    /// When the whole execution's time is over.
    fn deadline_ms(&self) -> Option<i64> {
        let mut timers = self.execution.timers.values();
        timers.find(|timer| timer.purpose == Purpose::Execution).map(|timer| timer.due_ms)
    }

    fn redrive(&mut self, token_hash: Option<[u8; 32]>) -> Result<(), Trouble> {
        let timer = self.execution_timer();
        let count = self.execution.redrive_count.saturating_add(1);
        self.emit(BranchId::ROOT, EventBody::ExecutionRedriven { count, timer, token_hash })?;
        self.want_timer(timer);
        Ok(())
    }

    fn timer_fired(&mut self, timer: TimerId) -> Result<(), Trouble> {
        let Some(pending) = self.execution.timers.get(&timer).copied() else { return Ok(()) };
        match pending.purpose {
            Purpose::Execution => stop::time_out(self),
            Purpose::TaskTimeout(task) | Purpose::TaskHeartbeat(task) => {
                task_inputs::timed_out(self, task, timer)
            }
            Purpose::Resume(id) => {
                self.emit_after(id, self.branch_last_id(id), EventBody::TimerFired { timer })?;
                if let Some(Phase::Settling) = self.execution.branches.get(&id).map(|line| &line.phase) {
                    let result = states::wait::finish(self, id);
                    self.settle(id, result)?;
                }
                Ok(())
            }
        }
    }

    /// Takes lines on, the first first, until none can go on by itself.
    fn drive(&mut self) -> Result<(), Trouble> {
        while self.execution.outcome.is_none() && self.execution.holders.is_empty() {
            let Some(id) = self.execution.ready.first().copied() else { break };
            if !self.has_more() {
                self.step.effects.push(Effect::Continue);
                break;
            }
            let result = states::advance(self, id);
            self.settle(id, result)?;
        }
        Ok(())
    }

    /// Whether another state, or iteration of one, may begin in this step.
    pub fn has_more(&self) -> bool {
        let is_full = self.step.events.len() >= EVENTS_PER_STEP_MAX || self.new_bytes >= BYTES_PER_STEP_MAX;
        !is_full && self.budget.has_more()
    }

    /// Lets a state's failure meet Retry and Catch; everything else passes.
    pub fn settle(&mut self, id: BranchId, result: Result<(), Trouble>) -> Result<(), Trouble> {
        match result {
            Err(Trouble::State(failure)) => crate::failure::settle(self, id, failure),
            other => other,
        }
    }

    /// The line. Lines are only removed by events, so one that is being worked on is there.
    pub fn branch(&self, id: BranchId) -> Result<&Branch, Trouble> {
        self.execution.branches.get(&id).map(|line| &**line).ok_or({
            Trouble::Illegal(crate::execution::EvolveError::NoSuchBranch {
                sequence: self.execution.next_sequence,
                branch: id.0,
            })
        })
    }

    pub fn branch_last_id(&self, id: BranchId) -> u32 {
        self.execution.branches.get(&id).map_or(0, |line| line.last_id)
    }

    /// Something happened on a line, after what happened there last.
    pub fn emit(&mut self, id: BranchId, body: EventBody) -> Result<(), Trouble> {
        self.emit_after(id, self.branch_last_id(id), body)
    }

    /// As [`Turn::emit`], with the `previousEventId` given.
    pub fn emit_after(&mut self, id: BranchId, previous_id: u32, body: EventBody) -> Result<(), Trouble> {
        // Whatever came out of an evaluation that was interrupted, it is none of the state's.
        if self.budget.was_interrupted() {
            return Err(Trouble::Interrupted);
        }
        let id_of_event = if body.is_visible() { self.execution.next_id } else { 0 };
        if id_of_event >= limit::HISTORY_EVENTS_MAX
            && !body.is_final()
            && self.execution.identity.kind == ExecutionKind::Standard
        {
            return Err(Trouble::HistoryFull);
        }
        let event = Event {
            sequence: self.execution.next_sequence,
            id: id_of_event,
            previous_id,
            timestamp_ms: self.now_ms,
            branch: id,
            body,
        };
        self.execution.evolve(&event).map_err(Trouble::Illegal)?;
        self.step.events.push(event);
        if let Some(chance) = self.chance {
            chance.is_at(self.execution.moment());
        }
        Ok(())
    }

    /// AWS: event 25,000 is the failure.
    fn history_full(&mut self) -> Result<(), Trouble> {
        let cause = format!(
            "The execution reached the maximum number of history events ({}).",
            limit::HISTORY_EVENTS_MAX
        );
        self.fail(self.execution.next_id - 1, Failure::new(error_name::RUNTIME, cause))
    }

    /// The execution fails; `last_id` is the AWS id of what made it fail.
    pub fn fail(&mut self, last_id: u32, failure: Failure) -> Result<(), Trouble> {
        let failure = Arc::new(failure);
        self.cancel_everything();
        self.emit_after(BranchId::ROOT, last_id, EventBody::ExecutionFailed(failure.clone()))?;
        self.finished(Outcome::Failed(failure));
        Ok(())
    }

    pub fn want(&mut self, effect: Effect) {
        self.step.effects.push(effect);
    }

    pub fn want_timer(&mut self, timer: Option<Timer>) {
        if let Some(timer) = timer {
            self.want(Effect::SetTimer { timer: timer.id, due_ms: timer.due_ms });
        }
    }

    pub fn finished(&mut self, outcome: Outcome) {
        // What was wanted for a line that is gone now is not wanted any more, and the end is told last.
        self.want(Effect::Finished(outcome));
    }

    /// A timer that fires `delay_ms` from now. Its number is taken when an event names it.
    pub fn new_timer(&self, delay_ms: i64) -> Timer {
        Timer { id: TimerId(self.execution.next_timer), due_ms: self.now_ms.saturating_add(delay_ms.max(0)) }
    }

    /// Tells the outside that a line's task or timer is not waited for any more.
    pub fn cancel_work_of(&mut self, id: BranchId) {
        match self.execution.branches.get(&id).map(|line| &line.phase) {
            Some(Phase::Task(task)) => {
                let task = *task;
                self.cancel_task(task);
            }
            Some(Phase::Waiting(timer) | Phase::Retrying(timer)) => {
                let timer = *timer;
                self.cancel_timer(timer);
            }
            Some(Phase::Distributed(_)) => self.cancel_run_of(id),
            _ => {}
        }
    }

    fn cancel_run_of(&mut self, id: BranchId) {
        let run = self.execution.branches.get(&id).and_then(|line| line.open_run()).map(|run| run.id);
        if let Some(run) = run {
            self.want(Effect::CancelMapRun { run });
        }
    }

    pub fn cancel_task(&mut self, id: TaskId) {
        if let Some(task) = self.execution.tasks.get(&id) {
            let cancellation = outstanding::cancellation(id, task);
            self.want(cancellation);
        }
        self.cancel_deadlines(id);
    }

    /// The timers of a task that has ended.
    pub fn cancel_deadlines(&mut self, id: TaskId) {
        if let Some(task) = self.execution.tasks.get(&id) {
            for timer in [task.timeout, task.heartbeat].into_iter().flatten() {
                self.cancel_timer(timer);
            }
        }
    }

    pub fn cancel_timer(&mut self, id: TimerId) {
        if let Some(timer) = self.execution.timers.get(&id) {
            let due_ms = timer.due_ms;
            self.want(Effect::CancelTimer { timer: id, due_ms });
        }
    }

    /// Before the end of the execution: nothing is waited for any more.
    pub fn cancel_everything(&mut self) {
        let tasks: Vec<Effect> =
            self.execution.tasks.iter().map(|(id, task)| outstanding::cancellation(*id, task)).collect();
        self.step.effects.extend(tasks);
        let lines: Vec<BranchId> = self.execution.branches.keys().copied().collect();
        lines.into_iter().for_each(|line| self.cancel_run_of(line));
        self.cancel_timers();
    }

    /// The state that a line is in.
    pub fn state_of(&self, id: BranchId) -> StateId {
        self.execution.branches.get(&id).map_or(StateId(0), |line| line.state)
    }

    /// The line's state, to evaluate its fields.
    pub fn scene_of<'s>(&'s mut self, id: BranchId, state: &'s State) -> Result<Scene<'s>, Fault> {
        let execution: &Execution = self.execution;
        let branch =
            execution.branches.get(&id).ok_or_else(|| Fault::runtime("The line of the state is gone."))?;
        let trace = self.traces.as_deref_mut().map(|traces| traces.of(branch));
        Ok(Scene::new(execution, branch, state, self.now_ms, self.entropy, &self.budget, trace))
    }

    /// The line leaves its state for the next, or ends.
    pub fn leave(
        &mut self,
        id: BranchId,
        state: &State,
        output: Document,
        assigned: Assigned,
    ) -> Result<(), Trouble> {
        let next = match state.transition {
            Some(Transition::Next(next)) => Some(next),
            Some(Transition::End) | None => None,
        };
        self.exit(id, self.state_of(id), output, next, assigned)
    }

    /// Tells the outside that no timer is waited for any more.
    pub fn cancel_timers(&mut self) {
        let timers = self.execution.timers.iter();
        let timers: Vec<Effect> =
            timers.map(|(id, timer)| Effect::CancelTimer { timer: *id, due_ms: timer.due_ms }).collect();
        self.step.effects.extend(timers);
    }

    /// A fault in the line's state, as the state's failure.
    pub fn fail_in(&self, id: BranchId, state: &State, fault: Fault) -> Trouble {
        if self.execution.staging.is_some() {
            // AWS: a test of one state does not say which state it was.
            return Trouble::State(fault.alone());
        }
        let entered_id = self.execution.branches.get(&id).map_or(0, |line| line.entered_id);
        Trouble::State(fault.in_state(&state.name, entered_id))
    }

    /// The line leaves its state.
    pub fn exit(
        &mut self,
        id: BranchId,
        state_id: StateId,
        output: Document,
        next: Option<StateId>,
        assigned: Assigned,
    ) -> Result<(), Trouble> {
        let program = self.program.clone();
        let state = program.state(state_id);
        if !output.ptr_eq(&self.branch(id)?.input) {
            let bytes = output.len_bytes();
            if bytes > limit::PAYLOAD_BYTES_MAX {
                return Err(StateFailure::too_large(&state.name).into());
            }
            if output.value().is_deeper_than(DEPTH_MAX) {
                return Err(self.fail_in(id, state, Fault::runtime(too_deep("output"))));
            }
            self.new_bytes += bytes;
        }
        let exited = StateExited {
            kind: StateKind::of(&state.kind),
            state: state_id,
            name: state.name.clone(),
            output,
            next,
            assigned,
        };
        if self.breakpoints.is_none() {
            return self.emit(id, EventBody::StateExited(Box::new(exited)));
        }
        self.emit(id, EventBody::StateExited(Box::new(exited.clone())))?;
        let point = Point::Left { state: state_id, output: &exited.output, assigned: &exited.assigned, next };
        self.stops(id, &point, || Stop::Left).map(|_| ())
    }
}
