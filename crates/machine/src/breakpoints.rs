//! Breakpoints: an argument of a step. Whoever wants lines to stop is asked wherever one could.

use std::sync::Arc;

use stepwright_asl::program::StateId;
use stepwright_value::Document;

use crate::event::TaskId;
use crate::execution::Execution;
use crate::hold::Owner;
use crate::outcome::Failure;
use crate::view::Line;

/// Says where lines stop. Asked in the middle of a step: what it sees of the execution is how it stands at that moment.
///
/// A line that stops is held by [`Breakpoints::owner`]; [`crate::Input::Release`] lets it go on from there, with what it
/// had, and does not ask again about the same point.
pub trait Breakpoints {
    fn owner(&self) -> Owner;

    fn stop(&mut self, execution: &Execution, line: Line<'_>, at: &Point<'_>) -> Hold;
}

/// Whether a line stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    No,
    /// The line stops, others go on.
    Line,
    /// The line stops, and no other goes on by itself.
    Execution,
}

/// Where a line is.
#[derive(Clone, PartialEq, Debug)]
pub enum Point<'a> {
    /// Its state is about to be entered, before anything is made of the input.
    Entering,
    /// The Map's next iteration is about to begin.
    Iteration { index: u32 },
    /// The task is scheduled; the call is about to be made.
    Dispatch { task: TaskId, parameters: &'a Document },
    /// The task has succeeded; nothing is made of its result yet.
    Result { result: &'a Document },
    /// The state has failed; nothing has followed yet.
    Failed { failure: &'a Failure, then: AfterFailure },
    /// The state is left, and the line is about to enter `next`, which is absent at its end.
    Left { state: StateId, output: &'a Document, assigned: &'a [(Arc<str>, Document)], next: Option<StateId> },
}

/// What follows the failure of a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterFailure {
    /// The state is tried again, by its retrier of this number.
    Retry(usize),
    /// It is caught, by the catcher of this number.
    Catch(usize),
    /// The Parallel or Map state around it fails.
    Outwards,
    /// The execution fails.
    End,
}
