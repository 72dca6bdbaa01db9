//! Pass: its result is `Result`, or its arguments, or its input.

use stepwright_asl::program::{Pass, QueryLanguage, State};

use crate::event::BranchId;
use crate::fault::{Fault, Trouble};
use crate::stages::{self, Assigned};
use crate::turn::Turn;

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, pass: &Pass) -> Result<(), Trouble> {
    let (output, assigned) = match outcome(turn, id, state, pass) {
        Ok(outcome) => outcome,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    turn.leave(id, state, output, assigned)
}

fn outcome(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    pass: &Pass,
) -> Result<(stepwright_value::Document, Assigned), Fault> {
    let mut scene = turn.scene_of(id, state)?;
    if state.language == QueryLanguage::Jsonata {
        return stages::pass_on(&mut scene);
    }
    let input = stages::effective_input(&mut scene)?;
    let result = match &pass.result {
        Some(result) => result.clone(),
        None => stages::arguments(&mut scene, &input)?,
    };
    stages::conclude(&mut scene, result)
}
