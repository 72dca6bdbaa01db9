//! Choice: the first rule whose condition holds decides where to go.

use stepwright_asl::program::{Choice, ChoiceRule, Condition, QueryLanguage, State, StateId};
use stepwright_value::{Document, Value};

use crate::event::BranchId;
use crate::fault::{Fault, Trouble};
use crate::scene::Scene;
use crate::stages::{self, Assigned};
use crate::states::comparison;
use crate::turn::Turn;

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, choice: &Choice) -> Result<(), Trouble> {
    let decided = turn.scene_of(id, state).and_then(|mut scene| decide(&mut scene, choice));
    match decided {
        Ok((next, output, assigned)) => {
            let state_id = turn.branch(id)?.state;
            turn.exit(id, state_id, output, Some(next), assigned)
        }
        Err(fault) => Err(turn.fail_in(id, state, fault)),
    }
}

fn decide(scene: &mut Scene<'_>, choice: &Choice) -> Result<(StateId, Document, Assigned), Fault> {
    let input = stages::effective_input(scene)?;
    for (index, rule) in choice.rules.iter().enumerate() {
        if holds(scene, &rule.condition, input.value(), index)? {
            return take(scene, rule, input, index);
        }
    }
    let Some(default) = choice.default else {
        // AWS documents States.NoChoiceMatched, and reports this.
        return Err(Fault::runtime(
            "Failed to transition out of the state. The state does not point to a next state.",
        ));
    };
    let (output, assigned) = match scene.state.language {
        QueryLanguage::JsonPath => {
            let assigned = stages::state_assigned(scene, &input)?;
            (stages::filtered_output(scene, input)?, assigned)
        }
        QueryLanguage::Jsonata => stages::pass_on(scene)?,
    };
    Ok((default, output, assigned))
}

fn holds(scene: &mut Scene<'_>, condition: &Condition, input: &Value, index: usize) -> Result<bool, Fault> {
    match condition {
        Condition::Literal(value) => Ok(*value),
        Condition::Comparison(test) => comparison::holds(scene, test, input),
        Condition::Expression(expression) => {
            let field = format!("Choices[{index}]/Condition");
            match scene.expression(expression, &field)? {
                Value::Bool(value) => Ok(value),
                other => {
                    let detail =
                        crate::jsonata::unexpected_type(expression.source(), &field, "boolean", &other);
                    Err(Fault::query(Some(&field), detail))
                }
            }
        }
    }
}

/// A rule has its own `Assign` and `Output`; those of the state are for `Default` alone.
fn take(
    scene: &mut Scene<'_>,
    rule: &ChoiceRule,
    input: Document,
    index: usize,
) -> Result<(StateId, Document, Assigned), Fault> {
    let assigned = match &rule.assign {
        None => Assigned::new(),
        Some(template) => stages::assigned(scene, template, &input, &format!("Choices[{index}]/Assign"))?,
    };
    let output = match scene.state.language {
        QueryLanguage::JsonPath => stages::filtered_output(scene, input)?,
        QueryLanguage::Jsonata => match &rule.output {
            Some(template) => scene.payload(template, &Value::Null, &format!("Choices[{index}]/Output"))?,
            None => input,
        },
    };
    Ok((rule.next, output, assigned))
}
