//! Lines that cannot go on because another has failed.

use std::sync::Arc;

use stepwright_asl::program::Kind;

use crate::branch::Phase;
use crate::event::{BranchId, EventBody, StateKind};
use crate::fault::Trouble;
use crate::lines;
use crate::turn::Turn;

/// One line's part in an abort, seen before the first event of it changes anything.
struct Abort {
    id: BranchId,
    /// Map and index, when the line is an iteration.
    iteration: Option<(Arc<str>, u32)>,
    /// The state it is in, when AWS has an event for the abort of such a state.
    state: Option<StateKind>,
    /// Whether that state is a distributed Map whose run has started.
    run: bool,
}

/// Aborts the lines of a Parallel or Map state. AWS's order: one line after the other, the one that failed in its place; of
/// each, the iteration before the state it was in. All events point to the failure. `failed` is `None` when the state itself
/// failed.
pub(crate) fn lines_of(
    turn: &mut Turn<'_>,
    parent: BranchId,
    failed: Option<BranchId>,
    last_id: u32,
) -> Result<(), Trouble> {
    let mut aborts = Vec::new();
    for id in lines::directly_below(turn.execution, parent) {
        // The line's iteration first, then what is inside it, then the state it is in itself.
        let mut own = plan(turn, id)?;
        let iteration = own.iteration.take();
        aborts.push(Abort { id, iteration, state: None, run: false });
        for below in lines::below(turn.execution, id).into_iter().rev() {
            aborts.push(plan(turn, below)?);
        }
        aborts.push(own);
    }
    for abort in aborts {
        let as_failed = Some(abort.id) == failed;
        perform(turn, abort, as_failed, last_id)?;
    }
    Ok(())
}

fn plan(turn: &Turn<'_>, id: BranchId) -> Result<Abort, Trouble> {
    let line = turn.branch(id)?;
    let iteration = match line.parent {
        Some(parent) => {
            let state = turn.program.state(turn.branch(parent)?.state);
            matches!(state.kind, Kind::Map(_)).then(|| (state.name.clone(), line.slot))
        }
        None => None,
    };
    let kind = StateKind::of(&turn.program.state(line.state).kind);
    let shown = matches!(kind, StateKind::Task | StateKind::Wait | StateKind::Map | StateKind::Parallel);
    let inside = match &line.phase {
        Phase::Entered | Phase::Waiting(_) | Phase::Task(_) | Phase::Settling | Phase::Retrying(_) => true,
        // One that has failed has its own event for that.
        Phase::Joining(join) => !join.stopped,
        Phase::Distributed(map) => !map.stopped,
        Phase::Entering | Phase::Ended(_) | Phase::Stopped => false,
    };
    let run = line.open_run().is_some();
    // A line that is done with its work is no iteration that could be aborted any more.
    let running = !matches!(line.phase, Phase::Stopped);
    Ok(Abort { id, iteration: iteration.filter(|_| running), state: (shown && inside).then_some(kind), run })
}

fn perform(turn: &mut Turn<'_>, abort: Abort, as_failed: bool, last_id: u32) -> Result<(), Trouble> {
    turn.cancel_work_of(abort.id);
    if let Some((name, index)) = abort.iteration {
        let body = match as_failed {
            true => EventBody::IterationFailed { name, index },
            false => EventBody::IterationAborted { name, index },
        };
        turn.emit_after(abort.id, last_id, body)?;
    }
    if let Some(kind) = abort.state {
        if abort.run {
            turn.emit_after(abort.id, last_id, EventBody::MapRunAborted)?;
        }
        turn.emit_after(abort.id, last_id, EventBody::StateAborted { kind })?;
    }
    Ok(())
}
