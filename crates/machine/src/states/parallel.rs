//! Parallel: its branches run at the same time; the result is the array of their outputs.

use stepwright_asl::program::{Parallel, State};
use stepwright_value::{Document, Value};

use crate::branch::Phase;
use crate::event::{BranchId, EventBody, ParallelStarted};
use crate::fault::{StateFailure, Trouble};
use crate::stages;
use crate::turn::Turn;

pub(crate) fn work(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    parallel: &Parallel,
) -> Result<(), Trouble> {
    let input = turn.scene_of(id, state).and_then(|mut scene| {
        let input = stages::effective_input(&mut scene)?;
        stages::arguments(&mut scene, &input)
    });
    let input = match input {
        Ok(input) => input,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    let first_branch = BranchId(turn.execution.next_branch);
    let started = ParallelStarted { first_branch, flows: parallel.branches.clone(), input };
    turn.emit(id, EventBody::ParallelStarted(Box::new(started)))
}

/// All branches have ended.
pub(crate) fn join(turn: &mut Turn<'_>, id: BranchId, state: &State) -> Result<(), Trouble> {
    let Phase::Joining(join) = &turn.branch(id)?.phase else { return Ok(()) };
    let last_id = join.last_id;
    let outputs = join.outputs.iter().flatten().map(|output| output.value().clone());
    let result = Value::from_iter(outputs).into();
    finish(turn, id, state, last_id, result)
}

/// The branches have yielded `result`; the last of their events is `last_id`.
pub(crate) fn finish(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    last_id: u32,
    result: Document,
) -> Result<(), Trouble> {
    turn.emit_after(id, last_id, EventBody::ParallelSucceeded)?;
    joined(turn, id, state, result)
}

/// The Succeeded event of a Parallel or Map state is written; now come output and variables.
pub(crate) fn joined(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    result: Document,
) -> Result<(), Trouble> {
    let succeeded_id = turn.execution.history_len();
    let outcome = turn.scene_of(id, state).and_then(|mut scene| stages::conclude(&mut scene, result));
    match outcome {
        Ok((output, assigned)) => turn.leave(id, state, output, assigned),
        Err(fault) => Err(match turn.fail_in(id, state, fault) {
            Trouble::State(failure) => StateFailure { tail_id: Some(succeeded_id), ..failure }.into(),
            other => other,
        }),
    }
}
