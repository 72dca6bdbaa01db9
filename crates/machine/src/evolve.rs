//! Applies events: the only code that changes an execution. Total: an event that does not fit is a named error.

use std::sync::Arc;

use stepwright_asl::program::StateId;
use stepwright_value::Document;

use crate::branch::{
    Branch, Items, Join, MapItem, MapJoin, PendingTask, PendingTimer, Phase, Progress, Purpose,
};
use crate::event::{
    BranchId, Event, EventBody, IterationStarted, MapRunStarted, MapStarted, ParallelStarted, StateExited,
    TaskId, TaskOutput, TaskScheduled, TaskStarted, Timer, TimerId,
};
use crate::execution::{EvolveError, Execution};
use crate::outcome::Outcome;
use crate::variables::Frame;

/// Applies `event` to `execution`.
pub(crate) fn apply(execution: &mut Execution, event: &Event) -> Result<(), EvolveError> {
    if event.sequence != execution.next_sequence {
        return Err(EvolveError::Sequence { expected: execution.next_sequence, found: event.sequence });
    }
    execution.next_sequence += 1;
    if event.id != 0 {
        execution.next_id = event.id + 1;
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

            EventBody::ExecutionStarted(started) => self.execution_started(started.timer),
            EventBody::ExecutionSucceeded { output } => {
                self.ended(Outcome::Succeeded { output: output.clone() })
            }
            EventBody::ExecutionFailed(failure) => self.ended(Outcome::Failed(failure.clone())),
            EventBody::ExecutionTimedOut(failure) => self.ended(Outcome::TimedOut(failure.clone())),
            EventBody::ExecutionAborted(failure) => self.ended(Outcome::Aborted(failure.clone())),
            EventBody::ExecutionRedriven { count, timer } => self.redriven(*count, *timer),

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
            EventBody::ChildFailed(_) => self.child_failed(),
            EventBody::IterationFailed { .. } | EventBody::IterationAborted { .. } => {
                self.iteration_stopped()
            }
            EventBody::ParallelSucceeded | EventBody::MapSucceeded => self.join_succeeded(),
            EventBody::ParallelFailed | EventBody::MapFailed => self.join_failed(),
            EventBody::MapRunStarted(started) => self.map_run_started(started),
            EventBody::BranchEnded => self.branch_ended(),
            EventBody::JoinFailed => self.line_failed(),
            EventBody::MapRunSucceeded | EventBody::MapRunFailed(_) | EventBody::MapRunAborted => {
                self.branch().map(|_| ())
            }

            EventBody::WaitScheduled { timer } => self.wait_scheduled(*timer),
            EventBody::RetryScheduled { retrier, timer } => self.retry_scheduled(*retrier, *timer),
            EventBody::TimerFired { timer } => self.timer_fired(*timer),
            EventBody::HeartbeatReceived { task, timer } => self.heartbeat(*task, *timer),
            EventBody::Paused(paused) => {
                self.execution.paused = *paused;
                Ok(())
            }
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
        self.branch()?.phase = phase;
        self.refresh(self.event.branch);
        Ok(())
    }

    fn refresh(&mut self, id: BranchId) {
        let runnable = self.execution.branches.get(&id).is_some_and(|branch| branch.phase.is_runnable());
        if runnable {
            self.execution.ready.insert(id);
        } else {
            self.execution.ready.remove(&id);
        }
    }

    fn set_timer(&mut self, timer: Timer, purpose: Purpose) {
        self.execution.timers.insert(timer.id, PendingTimer { due_ms: timer.due_ms, purpose });
        self.execution.next_timer = self.execution.next_timer.max(timer.id.0.saturating_add(1));
    }

    fn execution_started(&mut self, timer: Option<Timer>) -> Result<(), EvolveError> {
        if self.execution.started {
            return Err(self.wrong_phase());
        }
        self.execution.started = true;
        if let Some(timer) = timer {
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
            phase => *phase = Phase::Stopped,
        }
        self.refresh(self.event.branch);
        Ok(())
    }

    fn task_scheduled(&mut self, scheduled: &TaskScheduled) -> Result<(), EvolveError> {
        let event = self.event;
        let branch = self.branch()?;
        branch.phase = Phase::Task(scheduled.task);
        let (entered_sequence, attempt) = (branch.entered_sequence, branch.retry_count);
        self.refresh(event.branch);
        self.execution.next_task = self.execution.next_task.max(scheduled.task.0.saturating_add(1));
        let pending = PendingTask {
            branch: event.branch,
            resource: scheduled.resource.clone(),
            parameters: scheduled.parameters.clone(),
            credentials: scheduled.credentials.clone(),
            timeout_s: scheduled.timeout_s,
            heartbeat_s: scheduled.heartbeat_s,
            token_hash: scheduled.token_hash,
            progress: Progress::Scheduled,
            timeout: None,
            heartbeat: None,
            entered_sequence,
            attempt,
            deadline_ms: scheduled.timeout.map(|timer| timer.due_ms),
            submitted: None,
        };
        self.execution.tasks.insert(scheduled.task, pending);
        self.set_deadlines(scheduled.task, scheduled.timeout, scheduled.heartbeat)
    }

    fn task_started(&mut self, started: &TaskStarted) -> Result<(), EvolveError> {
        self.branch()?;
        let wrong = self.wrong_phase();
        let task = self.execution.tasks.get_mut(&started.task).ok_or(wrong)?;
        task.progress = Progress::Started;
        if started.token_hash.is_some() {
            task.token_hash = started.token_hash;
        }
        self.set_deadlines(started.task, started.timeout, started.heartbeat)
    }

    /// Replaces the timers of a task by those that are given.
    fn set_deadlines(
        &mut self,
        id: TaskId,
        timeout: Option<Timer>,
        heartbeat: Option<Timer>,
    ) -> Result<(), EvolveError> {
        let wrong = self.wrong_phase();
        let task = self.execution.tasks.get_mut(&id).ok_or(wrong)?;
        let mut stale = [None, None];
        if let Some(timer) = timeout {
            stale[0] = task.timeout.replace(timer.id);
            task.deadline_ms = Some(timer.due_ms);
        }
        if let Some(timer) = heartbeat {
            stale[1] = task.heartbeat.replace(timer.id);
        }
        for timer in stale.into_iter().flatten() {
            self.execution.timers.remove(&timer);
        }
        if let Some(timer) = timeout {
            self.set_timer(timer, Purpose::TaskTimeout(id));
        }
        if let Some(timer) = heartbeat {
            self.set_timer(timer, Purpose::TaskHeartbeat(id));
        }
        Ok(())
    }

    fn task_submitted(&mut self, submitted: &TaskOutput) -> Result<(), EvolveError> {
        self.branch()?;
        let wrong = self.wrong_phase();
        let task = self.execution.tasks.get_mut(&submitted.task).ok_or(wrong)?;
        task.progress = Progress::Submitted;
        if task.runs_job() {
            task.submitted = Some(submitted.output.clone());
        }
        Ok(())
    }

    fn task_ended(&mut self, task: TaskId) -> Result<(), EvolveError> {
        if !self.execution.tasks.contains_key(&task) {
            return Err(self.wrong_phase());
        }
        self.forget_task(task);
        self.set_phase(Phase::Settling)
    }

    fn forget_task(&mut self, id: TaskId) {
        if let Some(task) = self.execution.tasks.remove(&id) {
            for timer in [task.timeout, task.heartbeat].into_iter().flatten() {
                self.execution.timers.remove(&timer);
            }
        }
    }

    /// Forgets the task or timer that a line waits for.
    fn forget_work_of(&mut self, id: BranchId) {
        match self.execution.branches.get(&id).map(|line| &line.phase) {
            Some(Phase::Task(task)) => {
                let task = *task;
                self.forget_task(task);
            }
            Some(Phase::Waiting(timer) | Phase::Retrying(timer)) => {
                self.execution.timers.remove(timer);
            }
            _ => {}
        }
    }

    fn heartbeat(&mut self, task: TaskId, timer: Timer) -> Result<(), EvolveError> {
        self.set_deadlines(task, None, Some(timer))
    }

    fn wait_scheduled(&mut self, timer: Timer) -> Result<(), EvolveError> {
        self.set_timer(timer, Purpose::Resume(self.event.branch));
        self.set_phase(Phase::Waiting(timer.id))
    }

    fn retry_scheduled(&mut self, retrier: u32, timer: Timer) -> Result<(), EvolveError> {
        let event = self.event;
        let branch = self.branch()?;
        let had_lines = matches!(branch.phase, Phase::Joining(_));
        // The next attempt points to what failed, even where that was on another line.
        branch.last_id = event.previous_id;
        branch.retry_count += 1;
        let retrier = retrier as usize;
        if branch.attempts.len() <= retrier {
            branch.attempts.resize(retrier + 1, 0);
        }
        branch.attempts[retrier] += 1;
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

    fn parallel_started(&mut self, started: &ParallelStarted) -> Result<(), EvolveError> {
        let join = Join {
            outputs: vec![None; started.flows.len()],
            running: started.flows.len() as u32,
            ended: 0,
            last_id: self.event.id,
            stopped: false,
            map: None,
        };
        self.set_phase(Phase::Joining(Box::new(join)))?;
        for (slot, flow) in started.flows.iter().enumerate() {
            let program = &self.execution.program;
            let Some(flow) = program.flows.get(flow.0 as usize) else {
                return Err(EvolveError::NoSuchState { sequence: self.event.sequence });
            };
            let id = BranchId(started.first_branch.0.saturating_add(slot as u32));
            let (start_at, input) = (flow.start_at, started.input.clone());
            let child = self.branch()?.fork(id, slot as u32, start_at, input);
            self.add(child);
        }
        Ok(())
    }

    fn add(&mut self, branch: Branch) {
        let id = branch.id;
        self.execution.next_branch = self.execution.next_branch.max(id.0.saturating_add(1));
        self.execution.branches.insert(id, Box::new(branch));
        self.execution.ready.insert(id);
    }

    fn map_started(&mut self, started: &MapStarted) -> Result<(), EvolveError> {
        let items = Items(started.items.clone());
        let join = Join {
            outputs: vec![None; items.len()],
            running: 0,
            ended: 0,
            last_id: self.event.id,
            stopped: false,
            map: Some(MapJoin {
                items,
                next: 0,
                concurrency: started.concurrency.max(1),
                input: started.input.clone(),
                failed: 0,
                run: None,
                distributed: started.distributed,
                slot_id: self.event.id,
            }),
        };
        self.set_phase(Phase::Joining(Box::new(join)))
    }

    fn map_run_started(&mut self, started: &MapRunStarted) -> Result<(), EvolveError> {
        let id = self.event.id;
        let wrong = self.wrong_phase();
        let Phase::Joining(join) = &mut self.branch()?.phase else { return Err(wrong) };
        // The state's Exited event points here.
        join.last_id = id;
        let map = join.map.as_mut().ok_or(wrong)?;
        map.items = Items(started.inputs.clone());
        map.run = Some(started.clone());
        join.outputs = vec![None; map.items.len()];
        self.refresh(self.event.branch);
        Ok(())
    }

    fn iteration_started(&mut self, started: &IterationStarted) -> Result<(), EvolveError> {
        let event = self.event;
        let Some(flow) = self.execution.program.flows.get(started.flow.0 as usize) else {
            return Err(EvolveError::NoSuchState { sequence: event.sequence });
        };
        let start_at = flow.start_at;
        let wrong = self.wrong_phase();
        // The line belongs to the Map that holds the flow, which is the one whose next item this is.
        let parent = started.parent;
        let map_branch = self.execution.branches.get_mut(&parent).ok_or_else(|| wrong.clone())?;
        let Phase::Joining(join) = &mut map_branch.phase else { return Err(wrong) };
        let map = join.map.as_mut().ok_or_else(|| wrong.clone())?;
        let (key, value) = map.items.get(started.index as usize).ok_or(wrong)?;
        map.next = started.index.saturating_add(1);
        join.running += 1;
        let mut line = map_branch.fork(event.branch, started.index, start_at, started.input.clone());
        line.item = Some(Arc::new(MapItem { index: started.index, key, value }));
        if event.id != 0 {
            line.last_id = event.id;
        }
        if let Some(child) = &started.child {
            line.child = Some(child.clone());
            line.variables = Frame::empty();
            line.item = None;
        }
        self.add(line);
        self.refresh(parent);
        Ok(())
    }

    /// The Parallel or Map state to which the event's line belongs, and the line's slot in it.
    fn join_of_line(&mut self) -> Result<(BranchId, usize, &mut Join), EvolveError> {
        let wrong = self.wrong_phase();
        let line = self.execution.branches.get(&self.event.branch).ok_or_else(|| wrong.clone())?;
        let (Some(parent), slot) = (line.parent, line.slot as usize) else { return Err(wrong) };
        let branch = self.execution.branches.get_mut(&parent).ok_or_else(|| wrong.clone())?;
        let Phase::Joining(join) = &mut branch.phase else { return Err(wrong) };
        if slot >= join.outputs.len() {
            return Err(wrong);
        }
        Ok((parent, slot, join))
    }

    fn iteration_succeeded(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        let wrong = self.wrong_phase();
        let line = self.execution.branches.get(&event.branch).ok_or_else(|| wrong.clone())?;
        let Phase::Ended(output) = &line.phase else { return Err(wrong) };
        let output = output.clone();
        let (parent, slot, join) = self.join_of_line()?;
        join.outputs[slot] = Some(output);
        join.running = join.running.saturating_sub(1);
        join.ended += 1;
        if event.id != 0 {
            join.last_id = event.id;
        }
        if let Some(map) = &mut join.map {
            map.slot_id = event.previous_id;
        }
        self.remove_line(event.branch);
        self.refresh(parent);
        Ok(())
    }

    fn branch_ended(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        let wrong = self.wrong_phase();
        let line = self.execution.branches.get(&event.branch).ok_or_else(|| wrong.clone())?;
        let Phase::Ended(output) = &line.phase else { return Err(wrong) };
        let output = output.clone();
        let (parent, slot, join) = self.join_of_line()?;
        join.outputs[slot] = Some(output);
        join.running = join.running.saturating_sub(1);
        join.ended += 1;
        join.last_id = event.previous_id;
        self.remove_line(event.branch);
        self.refresh(parent);
        Ok(())
    }

    fn child_failed(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        let (parent, _, join) = self.join_of_line()?;
        join.running = join.running.saturating_sub(1);
        join.ended += 1;
        if let Some(map) = &mut join.map {
            map.failed += 1;
        }
        self.remove_lines_of(event.branch);
        self.remove_line(event.branch);
        self.refresh(parent);
        Ok(())
    }

    fn iteration_stopped(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        let (parent, _, join) = self.join_of_line()?;
        join.stopped = true;
        self.refresh(parent);
        self.stop(event.branch);
        Ok(())
    }

    fn join_succeeded(&mut self) -> Result<(), EvolveError> {
        let wrong = self.wrong_phase();
        let branch = self.branch()?;
        let Phase::Joining(join) = &branch.phase else { return Err(wrong) };
        // AWS: the Exited event points to the last event of the lines, not to the Succeeded event.
        branch.last_id = join.last_id;
        Ok(())
    }

    fn join_failed(&mut self) -> Result<(), EvolveError> {
        let id = self.event.branch;
        if let Phase::Joining(join) = &mut self.branch()?.phase {
            join.stopped = true;
        }
        self.refresh(id);
        self.stop_lines_of(id);
        Ok(())
    }

    fn line_failed(&mut self) -> Result<(), EvolveError> {
        let previous_id = self.event.previous_id;
        self.join_failed()?;
        self.branch()?.last_id = previous_id;
        Ok(())
    }

    /// All lines below `id`, in order of their ids.
    fn lines_of(&self, id: BranchId) -> Vec<BranchId> {
        crate::lines::below(self.execution, id)
    }

    /// Lines below `id` do not go on; what they are stays, for a redrive.
    fn stop_lines_of(&mut self, id: BranchId) {
        for line in self.lines_of(id) {
            self.forget_work_of(line);
            self.stop(line);
        }
    }

    fn stop(&mut self, id: BranchId) {
        if let Some(branch) = self.execution.branches.get_mut(&id) {
            match &mut branch.phase {
                Phase::Joining(join) => join.stopped = true,
                Phase::Entering | Phase::Ended(_) => {}
                phase => *phase = Phase::Stopped,
            }
        }
        self.execution.ready.remove(&id);
    }

    fn remove_lines_of(&mut self, id: BranchId) {
        for line in self.lines_of(id) {
            self.forget_work_of(line);
            self.remove_line(line);
        }
    }

    fn remove_line(&mut self, id: BranchId) {
        self.execution.branches.remove(&id);
        self.execution.ready.remove(&id);
    }

    fn redriven(&mut self, count: u32, timer: Option<Timer>) -> Result<(), EvolveError> {
        let event = self.event;
        self.execution.outcome = None;
        self.execution.redrive_count = count;
        self.execution.redrive_ms = event.timestamp_ms;
        if let Some(timer) = timer {
            self.set_timer(timer, Purpose::Execution);
        }
        // The children of a distributed Map are not kept: all of them run again.
        let lines = self.execution.branches.values();
        let runs: Vec<BranchId> = lines.filter(|line| line.has_run()).map(|line| line.id).collect();
        for id in runs {
            self.remove_lines_of(id);
        }
        let lines = self.execution.branches.values();
        let parents: Vec<BranchId> = lines.filter_map(|line| line.parent).collect();
        let ids: Vec<BranchId> = self.execution.branches.keys().copied().collect();
        for id in ids {
            let running = parents.iter().filter(|parent| **parent == id).count() as u32;
            if let Some(line) = self.execution.branches.get_mut(&id) {
                line.last_id = event.id;
                line.retry_count = 0;
                line.attempts.clear();
                let has_run = line.has_run();
                match &mut line.phase {
                    Phase::Joining(join) if !has_run => {
                        join.stopped = false;
                        join.running = running;
                    }
                    Phase::Entering | Phase::Ended(_) => {}
                    phase => *phase = Phase::Entered,
                }
            }
            self.refresh(id);
        }
        Ok(())
    }
}
