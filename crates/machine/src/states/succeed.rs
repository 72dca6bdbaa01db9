//! Succeed: the line ends here, well.

use stepwright_asl::program::State;

use crate::event::BranchId;
use crate::fault::Trouble;
use crate::stages;
use crate::turn::Turn;

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State) -> Result<(), Trouble> {
    let outcome = turn.scene_of(id, state).and_then(|mut scene| stages::pass_on(&mut scene));
    match outcome {
        Ok((output, assigned)) => turn.leave(id, state, output, assigned),
        Err(fault) => Err(turn.fail_in(id, state, fault)),
    }
}
