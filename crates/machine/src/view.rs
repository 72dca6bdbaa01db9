//! What can be seen of an execution: its lines, where they are, and what they hold. For debuggers and live views.

use std::sync::Arc;

use stepwright_asl::program::{State, StateId};
use stepwright_value::{Document, Value};

use crate::branch::{Branch, Phase, Progress};
use crate::event::{BranchId, TaskId, TimerId};
use crate::execution::Execution;
use crate::hold::Owner;

/// A line of states: the machine's own, a branch of a Parallel state, an iteration of a Map state.
#[derive(Clone, Copy)]
pub struct Line<'e> {
    execution: &'e Execution,
    branch: &'e Branch,
}

/// What a line is doing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Doing<'e> {
    /// About to enter its state.
    Entering,
    /// In its state, whose work is to be done.
    Entered,
    /// In a Wait state.
    Waiting { due_ms: i64 },
    /// In a Task state, whose task is under way.
    Task { task: TaskId, has: Reached, parameters: &'e Document, deadline_ms: Option<i64> },
    /// Its task has ended, and what it means is to be decided.
    Settling,
    /// In a state that is tried again.
    Retrying { due_ms: i64 },
    /// In a Parallel or inline Map state: so many of its lines.
    Joining { total: usize, running: u32, ended: u32 },
    /// In a distributed Map state.
    Distributed { map_run_arn: Option<&'e Arc<str>> },
    /// At its end, with this output.
    Ended { output: &'e Document },
    /// Stopped by a failure, or by the end of the execution.
    Stopped,
}

/// How far a task has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reached {
    Scheduled,
    Started,
    /// Its call was answered, and its end is awaited.
    Submitted,
}

impl Execution {
    /// Its lines, each after the one around it.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.branches.values().map(|branch| Line { execution: self, branch })
    }

    pub fn line(&self, id: BranchId) -> Option<Line<'_>> {
        self.branches.get(&id).map(|branch| Line { execution: self, branch })
    }

    /// Whether somebody holds the whole execution.
    pub fn is_held_by(&self, owner: Owner) -> bool {
        self.holders.has(owner) && self.outcome.is_none()
    }
}

impl<'e> Line<'e> {
    pub fn id(self) -> BranchId {
        self.branch.id
    }

    /// The line whose Parallel or Map state this one belongs to, and its number there.
    pub fn parent(self) -> Option<(BranchId, u32)> {
        self.branch.parent.map(|parent| (parent, self.branch.slot))
    }

    pub fn state_id(self) -> StateId {
        self.branch.state
    }

    /// The state that it is in, or about to enter.
    pub fn state(self) -> &'e State {
        self.execution.program.state(self.branch.state)
    }

    /// That state's raw input.
    pub fn input(self) -> &'e Document {
        &self.branch.input
    }

    /// When the state was entered, in milliseconds since 1970, and the AWS id of that event.
    pub fn entered(self) -> (i64, u32) {
        (self.branch.entered_ms, self.branch.entered_id)
    }

    /// The variables by scope, the innermost first.
    pub fn variables(self) -> Vec<Vec<(&'e Arc<str>, &'e Value)>> {
        let mut scopes = Vec::new();
        let mut frame = Some(&*self.branch.variables);
        while let Some(at) = frame {
            scopes.push(at.own.iter().map(|(name, value)| (name, value)).collect());
            frame = at.outer.as_deref();
        }
        scopes
    }

    /// How often the state was tried again, and how often by each retrier.
    pub fn retries(self) -> (u32, &'e [u32]) {
        (self.branch.retry_count, &self.branch.attempts)
    }

    /// Number, key and value of the Map's item that it works on.
    pub fn item(self) -> Option<(u32, Option<&'e Arc<str>>, &'e Value)> {
        self.branch.item.as_ref().map(|item| (item.index, item.key.as_ref(), &item.value))
    }

    /// Whether somebody holds this line, apart from the execution.
    pub fn is_held_by(self, owner: Owner) -> bool {
        self.branch.holders.has(owner)
    }

    /// `$$`, `$states.context`.
    pub fn context(self) -> Value {
        crate::context::Context::new(self.execution, self.branch).value()
    }

    pub fn doing(self) -> Doing<'e> {
        match &self.branch.phase {
            Phase::Entering => Doing::Entering,
            Phase::Entered => Doing::Entered,
            Phase::Waiting(timer) => Doing::Waiting { due_ms: self.due_ms(*timer) },
            Phase::Retrying(timer) => Doing::Retrying { due_ms: self.due_ms(*timer) },
            Phase::Task(task) => self.task(*task),
            Phase::Settling => Doing::Settling,
            Phase::Joining(join) => {
                Doing::Joining { total: join.outputs.len(), running: join.running, ended: join.ended }
            }
            Phase::Distributed(map) => {
                let run = map.run.as_ref();
                Doing::Distributed { map_run_arn: run.map(|run| &run.started.map_run_arn) }
            }
            Phase::Ended(output) => Doing::Ended { output },
            Phase::Stopped => Doing::Stopped,
        }
    }

    fn task(self, id: TaskId) -> Doing<'e> {
        let Some(task) = self.execution.tasks.get(&id) else { return Doing::Stopped };
        let has = match task.progress {
            Progress::Scheduled => Reached::Scheduled,
            Progress::Started => Reached::Started,
            Progress::Submitted => Reached::Submitted,
        };
        Doing::Task { task: id, has, parameters: &task.parameters, deadline_ms: task.deadline_ms }
    }

    fn due_ms(self, timer: TimerId) -> i64 {
        self.execution.timers.get(&timer).map_or(0, |timer| timer.due_ms)
    }
}
