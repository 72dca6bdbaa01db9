//! Fail: the line ends here, with the error and cause that the definition gives or computes.

use std::sync::Arc;

use stepwright_asl::program::{Fail, Setting, State};
use stepwright_value::Value;

use crate::event::BranchId;
use crate::fault::{Fault, StateFailure, Trouble};
use crate::outcome::Failure;
use crate::scene::{Computed, Scene, not_in_input};
use crate::turn::Turn;

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, fail: &Fail) -> Result<(), Trouble> {
    match failure(turn, id, state, fail) {
        Ok(failure) => Err(StateFailure::plain(failure).into()),
        Err(fault) => Err(turn.fail_in(id, state, fault)),
    }
}

fn failure(turn: &mut Turn<'_>, id: BranchId, state: &State, fail: &Fail) -> Result<Failure, Fault> {
    let mut scene = turn.scene_of(id, state)?;
    let error = text(&mut scene, fail.error.as_ref())?;
    let cause = text(&mut scene, fail.cause.as_ref())?;
    Ok(Failure { error, cause })
}

fn text(scene: &mut Scene<'_>, setting: Option<&Setting<Arc<str>>>) -> Result<Option<Arc<str>>, Fault> {
    let Some(setting) = setting else { return Ok(None) };
    let input = scene.input().clone();
    let value = match scene.setting(setting, input.value(), not_in_input(input.value()))? {
        Computed::Literal(text) => return Ok(Some(text.clone())),
        Computed::Path(Value::String(text), ..) | Computed::Expression(Value::String(text), ..) => {
            return Ok(Some(text));
        }
        other => other,
    };
    Err(value.wrong_type("string", |field, path, value| {
        format!("The {field} field refers to value {value} which is not a string: {path}")
    }))
}
