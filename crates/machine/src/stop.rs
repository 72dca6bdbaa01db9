//! The end of an execution from outside: `StopExecution`, and the machine's `TimeoutSeconds`.

use std::sync::Arc;

use crate::abort;
use crate::event::{BranchId, EventBody};
use crate::fault::Trouble;
use crate::outcome::{Failure, Outcome};
use crate::turn::Turn;

/// `StopExecution`.
pub(crate) fn abort(turn: &mut Turn<'_>, failure: Failure) -> Result<(), Trouble> {
    let failure = Arc::new(failure);
    abort::all_lines(turn)?;
    turn.cancel_timers();
    turn.emit(BranchId::ROOT, EventBody::ExecutionAborted(failure.clone()))?;
    turn.finished(Outcome::Aborted(failure));
    Ok(())
}

/// The machine's time is over.
pub(crate) fn time_out(turn: &mut Turn<'_>) -> Result<(), Trouble> {
    let failure = Arc::new(Failure::default());
    abort::all_lines(turn)?;
    turn.cancel_timers();
    turn.emit(BranchId::ROOT, EventBody::ExecutionTimedOut(failure.clone()))?;
    turn.finished(Outcome::TimedOut(failure));
    Ok(())
}
