//! Events of tasks: scheduled, under way, ended; their deadlines.

use super::Change;
use crate::branch::{PendingTask, Phase, Progress, Purpose};
use crate::event::{BranchId, TaskId, TaskOutput, TaskScheduled, TaskStarted, Timer};
use crate::execution::EvolveError;

impl Change<'_> {
    pub(super) fn task_scheduled(&mut self, scheduled: &TaskScheduled) -> Result<(), EvolveError> {
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

    pub(super) fn task_started(&mut self, started: &TaskStarted) -> Result<(), EvolveError> {
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
    pub(super) fn set_deadlines(
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

    pub(super) fn task_submitted(&mut self, submitted: &TaskOutput) -> Result<(), EvolveError> {
        self.branch()?;
        let wrong = self.wrong_phase();
        let task = self.execution.tasks.get_mut(&submitted.task).ok_or(wrong)?;
        task.progress = Progress::Submitted;
        if task.runs_job() {
            task.submitted = Some(submitted.output.clone());
        }
        Ok(())
    }

    pub(super) fn task_ended(&mut self, task: TaskId) -> Result<(), EvolveError> {
        if !self.execution.tasks.contains_key(&task) {
            return Err(self.wrong_phase());
        }
        self.forget_task(task);
        self.set_phase(Phase::Settling)
    }

    pub(super) fn forget_task(&mut self, id: TaskId) {
        if let Some(task) = self.execution.tasks.remove(&id) {
            for timer in [task.timeout, task.heartbeat].into_iter().flatten() {
                self.execution.timers.remove(&timer);
            }
        }
    }

    /// Forgets the task or timer that a line waits for.
    pub(super) fn forget_work_of(&mut self, id: BranchId) {
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
}
