//! One file per state type: what a line does in a state of that type.

mod choice;
pub(crate) mod comparison;
pub(crate) mod distributed;
mod fail;
pub(crate) mod map;
pub(crate) mod numbers;
pub(crate) mod parallel;
mod pass;
mod succeed;
pub(crate) mod task;
pub(crate) mod wait;

use stepwright_asl::program::Kind;

use crate::branch::Phase;
use crate::breakpoints::Point;
use crate::event::{BranchId, EventBody, StateKind};
use crate::fault::Trouble;
use crate::hold::{Owner, Stop};
use crate::outcome::Outcome;
use crate::turn::Turn;

/// Takes a line that can go on one step further: into its state, through it, out of it, or to its end.
pub(crate) fn advance(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    match &turn.branch(id)?.phase {
        Phase::Entering => match turn.stops(id, &Point::Entering, || Stop::Entering)? {
            true => Ok(()),
            false => enter(turn, id),
        },
        Phase::Entered => work(turn, id),
        Phase::Ended(_) => end(turn, id),
        // A test of one state says itself what comes out of its lines.
        Phase::Joining(_) if turn.execution.staging.is_some() => turn.hold(Owner::Test, None),
        Phase::Joining(join) if join.can_begin() => map::begin_iterations(turn, id, false),
        Phase::Joining(_) => join(turn, id),
        Phase::Distributed(_) => distributed::redrive(turn, id),
        // Not runnable: whoever chose it was wrong, and nothing is lost by leaving it.
        _ => Ok(()),
    }
}

/// Enters the line's state, and does its work.
pub(crate) fn enter(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let branch = turn.branch(id)?;
    let state = branch.state;
    let input = branch.input.clone();
    let compiled = turn.program.state(state);
    let kind = StateKind::of(&compiled.kind);
    let name = compiled.name.clone();
    turn.emit(id, EventBody::StateEntered { kind, state, name, input })?;
    work(turn, id)
}

/// Does the work of the state in which the line is.
fn work(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state_id = turn.branch(id)?.state;
    let state = program.state(state_id);
    match &state.kind {
        Kind::Pass(pass) => pass::work(turn, id, state, pass),
        Kind::Task(task) => task::work(turn, id, state, task),
        Kind::Choice(choice) => choice::work(turn, id, state, choice),
        Kind::Wait(wait) => wait::work(turn, id, state, wait),
        Kind::Succeed => succeed::work(turn, id, state),
        Kind::Fail(fail) => fail::work(turn, id, state, fail),
        Kind::Parallel(parallel) => parallel::work(turn, id, state, parallel),
        Kind::Map(map) => map::work(turn, id, state, map),
    }
}

/// All lines of a Parallel or Map state have ended.
fn join(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state_id = turn.branch(id)?.state;
    let state = program.state(state_id);
    match &state.kind {
        Kind::Parallel(_) => parallel::join(turn, id, state),
        Kind::Map(map) => map::join(turn, id, state, map),
        _ => Ok(()),
    }
}

/// A line is at its end: the execution's, a branch's, or an iteration's.
fn end(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let branch = turn.branch(id)?;
    let Phase::Ended(output) = &branch.phase else { return Ok(()) };
    let output = output.clone();
    let Some(parent) = branch.parent else {
        turn.cancel_everything();
        turn.emit(id, EventBody::ExecutionSucceeded { output: output.clone() })?;
        turn.finished(Outcome::Succeeded { output });
        return Ok(());
    };
    let (slot, state) = (branch.slot, turn.branch(parent)?.state);
    let program = turn.program.clone();
    let state = program.state(state);
    match &state.kind {
        Kind::Map(_) => {
            turn.emit(id, EventBody::IterationSucceeded { name: state.name.clone(), index: slot })
        }
        _ => turn.emit(id, EventBody::BranchEnded),
    }
}
