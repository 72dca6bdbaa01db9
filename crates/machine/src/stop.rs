//! The end of an execution from outside: `StopExecution`, and the machine's `TimeoutSeconds`.

use std::sync::Arc;

use stepwright_asl::program::Kind;

use crate::event::{BranchId, EventBody};
use crate::failure;
use crate::fault::Trouble;
use crate::outcome::{Failure, Outcome};
use crate::turn::Turn;

/// `StopExecution`.
pub(crate) fn abort(turn: &mut Turn<'_>, failure: Failure) -> Result<(), Trouble> {
    let failure = Arc::new(failure);
    abort_all(turn)?;
    turn.emit(BranchId::ROOT, EventBody::ExecutionAborted(failure.clone()))?;
    turn.finished(Outcome::Aborted(failure));
    Ok(())
}

/// The machine's time is over.
pub(crate) fn time_out(turn: &mut Turn<'_>) -> Result<(), Trouble> {
    let failure = Arc::new(Failure::default());
    abort_all(turn)?;
    turn.emit(BranchId::ROOT, EventBody::ExecutionTimedOut(failure.clone()))?;
    turn.finished(Outcome::TimedOut(failure));
    Ok(())
}

/// Aborts every line, the innermost first.
fn abort_all(turn: &mut Turn<'_>) -> Result<(), Trouble> {
    let ids: Vec<BranchId> = turn.execution.branches.keys().rev().copied().collect();
    for id in ids {
        let last_id = turn.branch_last_id(id);
        failure::abort_state(turn, id, last_id)?;
        if let Some((name, index)) = iteration_of(turn, id)? {
            turn.emit(id, EventBody::IterationAborted { name, index })?;
        }
    }
    turn.cancel_timers();
    Ok(())
}

/// Map and index, when the line is an iteration.
fn iteration_of(turn: &Turn<'_>, id: BranchId) -> Result<Option<(Arc<str>, u32)>, Trouble> {
    let line = turn.branch(id)?;
    let Some(parent) = line.parent else { return Ok(None) };
    let state = turn.program.state(turn.branch(parent)?.state);
    Ok(matches!(state.kind, Kind::Map(_)).then(|| (state.name.clone(), line.slot)))
}
