//! The end of an execution from outside: `StopExecution`, and the machine's `TimeoutSeconds`. AWS shows nothing of what was
//! under way then: one event, which points to none.

use std::sync::Arc;

use crate::event::{BranchId, EventBody};
use crate::fault::Trouble;
use crate::outcome::{Failure, Outcome};
use crate::turn::Turn;

/// `StopExecution`.
pub(crate) fn abort(turn: &mut Turn<'_>, failure: Failure) -> Result<(), Trouble> {
    let failure = Arc::new(failure);
    turn.cancel_everything();
    turn.emit_after(BranchId::ROOT, 0, EventBody::ExecutionAborted(failure.clone()))?;
    turn.finished(Outcome::Aborted(failure));
    Ok(())
}

/// The machine's time is over.
pub(crate) fn time_out(turn: &mut Turn<'_>) -> Result<(), Trouble> {
    let failure = Arc::new(Failure::default());
    turn.cancel_everything();
    turn.emit_after(BranchId::ROOT, 0, EventBody::ExecutionTimedOut(failure.clone()))?;
    turn.finished(Outcome::TimedOut(failure));
    Ok(())
}
