//! Applies events: the only code that changes an execution. Total: an event that does not fit is a named error.

mod joins;
mod redrive;
mod runs;
mod tasks;

use std::sync::Arc;

use stepwright_asl::program::StateId;
use stepwright_value::Document;

use crate::branch::{Branch, PendingTimer, Phase, Purpose};
use crate::event::{BranchId, Event, EventBody, ExecutionStarted, StateExited, Timer, TimerId};
use crate::execution::{EvolveError, Execution};
use crate::hold::{Held, Owner};
use crate::outcome::Outcome;

/// Applies `event` to `execution`.
pub(crate) fn apply(execution: &mut Execution, event: &Event) -> Result<(), EvolveError> {
    if event.sequence != execution.next_sequence {
        return Err(EvolveError::Sequence { expected: execution.next_sequence, found: event.sequence });
    }
    execution.next_sequence = execution.next_sequence.saturating_add(1);
    if event.id != 0 {
        execution.next_id = event.id.saturating_add(1);
    }
    Change { execution, event }.apply()
}

/// One event on its way into the execution.
struct Change<'a> {
    execution: &'a mut Execution,
    event: &'a Event,
}

impl Change<'_> {
    fn apply(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        match &event.body {
            EventBody::StateEntered { state, input, .. } => self.state_entered(*state, input),
            EventBody::StateExited(exited) => self.state_exited(exited),
            EventBody::StateAborted { .. } => self.state_aborted(),
            EventBody::EvaluationFailed(_) => self.branch().map(|_| ()),

            EventBody::ExecutionStarted(started) => self.execution_started(started),
            EventBody::ExecutionSucceeded { output } => {
                self.ended(Outcome::Succeeded { output: output.clone() })
            }
            EventBody::ExecutionFailed(failure) => self.ended(Outcome::Failed(failure.clone())),
            EventBody::ExecutionTimedOut(failure) => self.ended(Outcome::TimedOut(failure.clone())),
            EventBody::ExecutionAborted(failure) => self.ended(Outcome::Aborted(failure.clone())),
            EventBody::ExecutionRedriven { count, timer, token_hash } => {
                self.redriven(*count, *timer, *token_hash)
            }

            EventBody::TaskScheduled(scheduled) => self.task_scheduled(scheduled),
            EventBody::TaskStarted(started) => self.task_started(started),
            EventBody::TaskSubmitted(submitted) => self.task_submitted(submitted),
            EventBody::TaskSucceeded(succeeded) => self.task_ended(succeeded.task),
            EventBody::TaskFailed(failed) => self.task_ended(failed.task),
            EventBody::TaskTimedOut(timed_out) => self.task_ended(timed_out.task),

            EventBody::ParallelStarted(started) => self.parallel_started(started),
            EventBody::MapStarted(started) => self.map_started(started),
            EventBody::IterationStarted(started) => self.iteration_started(started),
            EventBody::IterationSucceeded { .. } => self.iteration_succeeded(),
            EventBody::IterationFailed { .. } | EventBody::IterationAborted { .. } => {
                self.iteration_stopped()
            }
            EventBody::ParallelSucceeded | EventBody::MapSucceeded => self.join_succeeded(),
            EventBody::ParallelFailed | EventBody::MapFailed => self.join_failed(),
            EventBody::MapRunStarted(started) => self.map_run_started(started),
            EventBody::BranchEnded => self.branch_ended(),
            EventBody::JoinFailed => self.line_failed(),
            EventBody::MapRunSucceeded => self.map_run_succeeded(),
            EventBody::MapRunFailed(_) | EventBody::MapRunAborted => self.map_run_stopped(),
            EventBody::MapRunRedriven { count, .. } => self.map_run_redriven(*count),

            EventBody::WaitScheduled { timer } => self.wait_scheduled(*timer),
            EventBody::RetryScheduled { retrier, timer } => self.retry_scheduled(*retrier, *timer),
            EventBody::TimerFired { timer } => self.timer_fired(*timer),
            EventBody::Held(held) => self.held(held),
            EventBody::Released { owner, whole } => self.released(*owner, *whole),
        }
    }

    /// The event's line; its chain goes on at this event when AWS's history shows it.
    fn branch(&mut self) -> Result<&mut Branch, EvolveError> {
        let event = self.event;
        let branch = self
            .execution
            .branches
            .get_mut(&event.branch)
            .ok_or(EvolveError::NoSuchBranch { sequence: event.sequence, branch: event.branch.0 })?;
        if event.id != 0 {
            branch.last_id = event.id;
        }
        Ok(branch)
    }

    fn wrong_phase(&self) -> EvolveError {
        EvolveError::WrongPhase { sequence: self.event.sequence, branch: self.event.branch.0 }
    }

    /// Gives the event's line a new phase, and notes whether it can go on.
    fn set_phase(&mut self, phase: Phase) -> Result<(), EvolveError> {
        let branch = self.branch()?;
        (branch.phase, branch.stop) = (phase, None);
        self.refresh(self.event.branch);
        Ok(())
    }

    fn refresh(&mut self, id: BranchId) {
        let runnable = self.execution.branches.get(&id).is_some_and(|branch| branch.is_ready());
        if runnable {
            self.execution.ready.insert(id);
        } else {
            self.execution.ready.remove(&id);
        }
    }

    fn set_timer(&mut self, timer: Timer, purpose: Purpose) {
        self.execution.timers.insert(timer.id, PendingTimer { due_ms: timer.due_ms, purpose });
        if !timer.id.is_heartbeat() {
            self.execution.next_timer = self.execution.next_timer.max(timer.id.0.saturating_add(1));
        }
    }

    fn execution_started(&mut self, started: &ExecutionStarted) -> Result<(), EvolveError> {
        if self.execution.started {
            return Err(self.wrong_phase());
        }
        self.execution.started = true;
        self.execution.seed = started.seed;
        if let Some(timer) = started.timer {
            self.set_timer(timer, Purpose::Execution);
        }
        self.set_phase(Phase::Entering)?;
        // AWS: the first state's Entered event points to 0, not to ExecutionStarted.
        self.branch()?.last_id = 0;
        Ok(())
    }

    fn ended(&mut self, outcome: Outcome) -> Result<(), EvolveError> {
        self.branch()?;
        self.execution.outcome = Some(outcome);
        let lines: Vec<BranchId> = self.execution.branches.keys().copied().collect();
        lines.into_iter().for_each(|line| self.stop(line));
        self.execution.ready.clear();
        self.execution.tasks.clear();
        self.execution.timers.clear();
        Ok(())
    }

    fn state_entered(&mut self, state: StateId, input: &Document) -> Result<(), EvolveError> {
        let event = self.event;
        if state.0 as usize >= self.execution.program.states.len() {
            return Err(EvolveError::NoSuchState { sequence: event.sequence });
        }
        let branch = self.branch()?;
        branch.state = state;
        branch.input = input.clone();
        branch.before_entered_id = event.previous_id;
        branch.entered_id = event.id;
        branch.entered_sequence = event.sequence;
        branch.entered_ms = event.timestamp_ms;
        branch.retry_count = 0;
        branch.attempts.clear();
        branch.stop = None;
        if matches!(branch.phase, Phase::Entering) {
            branch.phase = Phase::Entered;
            return Ok(());
        }
        Err(self.wrong_phase())
    }

    fn state_exited(&mut self, exited: &StateExited) -> Result<(), EvolveError> {
        let event = self.event;
        if exited.next.is_some_and(|next| next.0 as usize >= self.execution.program.states.len()) {
            return Err(EvolveError::NoSuchState { sequence: event.sequence });
        }
        let branch = self.branch()?;
        let had_lines = matches!(branch.phase, Phase::Joining(_));
        let was_runnable = matches!(branch.phase, Phase::Entered);
        branch.stop = None;
        for (name, value) in &exited.assigned {
            Arc::make_mut(&mut branch.variables).set(name, value.value().clone());
        }
        match exited.next {
            Some(next) => {
                branch.state = next;
                branch.input = exited.output.clone();
                branch.phase = Phase::Entering;
            }
            None => branch.phase = Phase::Ended(exited.output.clone()),
        }
        if had_lines {
            self.remove_lines_of(event.branch);
        }
        if !was_runnable {
            self.refresh(event.branch);
        }
        Ok(())
    }

    fn state_aborted(&mut self) -> Result<(), EvolveError> {
        self.forget_work_of(self.event.branch);
        match &mut self.branch()?.phase {
            Phase::Joining(join) => join.stopped = true,
            Phase::Distributed(map) => map.stopped = true,
            phase => *phase = Phase::Stopped,
        }
        self.branch()?.stop = None;
        self.refresh(self.event.branch);
        Ok(())
    }

    /// Holds are no part of what happens to an execution: its random numbers are those that it would have drawn without.
    fn held(&mut self, held: &Held) -> Result<(), EvolveError> {
        self.execution.hold_events = self.execution.hold_events.saturating_add(1);
        let branch = self.branch()?;
        if let Some(stop) = &held.stop {
            branch.stop = Some(Box::new(stop.clone()));
        }
        if held.whole {
            self.execution.holders.insert(held.owner);
        } else {
            branch.holders.insert(held.owner);
        }
        self.refresh(self.event.branch);
        Ok(())
    }

    fn released(&mut self, owner: Owner, whole: bool) -> Result<(), EvolveError> {
        self.execution.hold_events = self.execution.hold_events.saturating_add(1);
        let id = self.event.branch;
        if whole {
            self.execution.holders.remove(owner);
        } else {
            self.branch()?.holders.remove(owner);
        }
        if self.execution.holders.is_empty() {
            let lines = self.execution.branches.values_mut();
            for line in lines.filter(|line| (whole || line.id == id) && line.holders.is_empty()) {
                line.stop = None;
            }
        }
        self.refresh(id);
        Ok(())
    }

    fn wait_scheduled(&mut self, timer: Timer) -> Result<(), EvolveError> {
        self.set_timer(timer, Purpose::Resume(self.event.branch));
        self.set_phase(Phase::Waiting(timer.id))
    }

    fn retry_scheduled(&mut self, retrier: u32, timer: Timer) -> Result<(), EvolveError> {
        let event = self.event;
        let state = self.execution.branches.get(&event.branch).map(|line| line.state);
        let known =
            state.is_some_and(|state| (retrier as usize) < self.execution.program.state(state).retry.len());
        if !known {
            return Err(self.wrong_phase());
        }
        let branch = self.branch()?;
        let had_lines = matches!(branch.phase, Phase::Joining(_));
        // The next attempt points to what failed, even where that was on another line.
        branch.last_id = event.previous_id;
        branch.retry_count = branch.retry_count.saturating_add(1);
        let retrier = retrier as usize;
        if branch.attempts.len() <= retrier {
            branch.attempts.resize(retrier + 1, 0);
        }
        branch.attempts[retrier] = branch.attempts[retrier].saturating_add(1);
        if had_lines {
            self.remove_lines_of(event.branch);
        }
        self.set_timer(timer, Purpose::Resume(event.branch));
        self.set_phase(Phase::Retrying(timer.id))
    }

    fn timer_fired(&mut self, timer: TimerId) -> Result<(), EvolveError> {
        self.execution.timers.remove(&timer);
        let next = match self.branch()?.phase {
            Phase::Waiting(at) if at == timer => Phase::Settling,
            Phase::Retrying(at) if at == timer => Phase::Entered,
            _ => return Err(self.wrong_phase()),
        };
        self.set_phase(next)
    }
}
