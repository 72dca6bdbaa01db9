//! Holds: a line, or the whole execution, does not go on by itself while anybody holds it. Whoever lets go lets go of his own
//! hold only.
//!
//! What comes from outside still arrives: a task that a held line waits for may end, and a deadline may pass. What follows
//! by itself (the next state, the next iteration) waits until nobody holds the line any more.

use stepwright_value::Document;

use crate::branch::Phase;
use crate::breakpoints::{Hold, Point};
use crate::event::{BranchId, EventBody};
use crate::fault::{StateFailure, Trouble};
use crate::turn::Turn;
use crate::{failure, outstanding, states};

/// Who holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Limits over executions: it is not yet its turn.
    Limits,
    Debugger,
    /// The test of one state, which no line may leave.
    Test,
}

/// A set of owners.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Holders(pub u8);

impl Holders {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, owner: Owner) -> bool {
        self.0 & 1 << owner as u8 != 0
    }

    pub fn insert(&mut self, owner: Owner) {
        self.0 |= 1 << owner as u8;
    }

    pub fn remove(&mut self, owner: Owner) {
        self.0 &= !(1 << owner as u8);
    }
}

/// Somebody holds a line, or the whole execution.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    pub owner: Owner,
    /// Not only the line of the event.
    pub whole: bool,
    /// Where the line stopped, when a breakpoint stopped it.
    pub(crate) stop: Option<Stop>,
}

/// Where a line stands that a breakpoint has stopped, with what it goes on with. Nothing is computed again.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Stop {
    Entering,
    Iteration,
    Dispatch,
    Left,
    /// The result of its task is to be applied.
    Result(Document),
    /// The failure of its state is to be settled.
    Failed(StateFailure),
}

impl Turn<'_> {
    /// Asks the breakpoints about a line; whether it stops here. Free where there are none.
    pub fn stops(
        &mut self,
        id: BranchId,
        point: &Point<'_>,
        stop: impl FnOnce() -> Stop,
    ) -> Result<bool, Trouble> {
        let Some(breakpoints) = &mut self.breakpoints else { return Ok(false) };
        let verdict = match self.execution.line(id) {
            Some(line) => breakpoints.stop(self.execution, line, point),
            None => Hold::No,
        };
        let whole = match verdict {
            Hold::No => return Ok(false),
            Hold::Line => false,
            Hold::Execution => true,
        };
        let owner = breakpoints.owner();
        self.emit(id, EventBody::Held(Box::new(Held { owner, whole, stop: Some(stop()) })))?;
        Ok(true)
    }

    /// Somebody wants to hold a line, or (`None`) the whole execution.
    pub fn hold(&mut self, owner: Owner, line: Option<BranchId>) -> Result<(), Trouble> {
        if self.holders(line).is_none_or(|holders| holders.has(owner)) {
            return Ok(());
        }
        let held = Held { owner, whole: line.is_none(), stop: None };
        self.emit(line.unwrap_or(BranchId::ROOT), EventBody::Held(Box::new(held)))
    }

    /// Somebody lets go what he has held. Lines that a breakpoint had stopped go on from there, unless others hold them.
    pub fn release(&mut self, owner: Owner, line: Option<BranchId>) -> Result<(), Trouble> {
        if self.holders(line).is_none_or(|holders| !holders.has(owner)) {
            return Ok(());
        }
        let lines = self.execution.branches.values().filter(|branch| line.is_none_or(|id| branch.id == id));
        let stopped = lines.filter_map(|branch| {
            branch.stop.as_ref().map(|stop| (branch.id, (**stop).clone(), branch.phase.clone()))
        });
        let stopped: Vec<(BranchId, Stop, Phase)> = stopped.collect();
        let whole = line.is_none();
        self.emit(line.unwrap_or(BranchId::ROOT), EventBody::Released { owner, whole })?;
        for (id, stop, phase) in stopped {
            let line = self.execution.branches.get(&id);
            // One that goes on may take others with it.
            let is_where_it_was = match stop {
                Stop::Entering | Stop::Iteration => self.execution.ready.contains(&id),
                _ => line.is_some_and(|line| line.phase == phase),
            };
            if is_where_it_was
                && line.is_some_and(|line| line.holders.is_empty())
                && self.execution.holders.is_empty()
                && self.execution.outcome.is_none()
            {
                let result = self.resume(id, stop);
                self.settle(id, result)?;
            }
        }
        Ok(())
    }

    fn holders(&self, line: Option<BranchId>) -> Option<Holders> {
        match line {
            None => Some(self.execution.holders),
            Some(id) => self.execution.branches.get(&id).map(|branch| branch.holders),
        }
    }

    fn resume(&mut self, id: BranchId, stop: Stop) -> Result<(), Trouble> {
        match stop {
            Stop::Entering => states::enter(self, id),
            Stop::Iteration => states::map::begin_iterations(self, id, true),
            Stop::Dispatch => {
                let tasks = &self.execution.tasks;
                let found = tasks.iter().find(|(_, task)| task.branch == id);
                let call = found.and_then(|(task, found)| outstanding::call(self.execution, *task, found));
                call.into_iter().for_each(|call| self.want(call));
                Ok(())
            }
            Stop::Left => Ok(()),
            Stop::Result(result) => states::task::finish(self, id, result),
            Stop::Failed(failure) => failure::settle_on(self, id, failure),
        }
    }
}
