//! The stages of the data between a state's input and its output, each a small function.

use std::sync::Arc;

use stepwright_asl::program::{PathField, QueryLanguage, ResultPath, Template};
use stepwright_jsonpath::invalid_path;
use stepwright_types::{error_name, limit};
use stepwright_value::{DEPTH_MAX, Document, Object, Value};

use crate::fault::{Fault, too_deep};
use crate::scene::Scene;

/// Variables to set, with their values as JSON text too: events show that.
pub(crate) type Assigned = Vec<(Arc<str>, Document)>;

/// A document for `{}`.
pub(crate) fn empty_object() -> Document {
    Value::from(Object::new()).into()
}

/// `InputPath`.
pub(crate) fn effective_input(scene: &mut Scene<'_>) -> Result<Document, Fault> {
    let raw = scene.input().clone();
    let input = match &scene.state.input_path {
        PathField::Whole => raw,
        PathField::Empty => empty_object(),
        PathField::Path(path) => match scene.select(path, raw.value()) {
            Ok(value) => value.into(),
            Err(error) => return Err(Fault::runtime(invalid_path(path.text(), &error))),
        },
    };
    if scene.state.language == QueryLanguage::JsonPath {
        scene.note(|trace| trace.after_input_path = Some(input.clone()));
    }
    Ok(input)
}

/// `Parameters`, or JSONata's `Arguments`.
pub(crate) fn arguments(scene: &mut Scene<'_>, input: &Document) -> Result<Document, Fault> {
    let state = scene.state;
    let field = match state.language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    };
    let arguments = match &state.arguments {
        None => input.clone(),
        Some(template) => scene.payload(template, input.value(), field)?,
    };
    match state.language {
        QueryLanguage::JsonPath => scene.note(|trace| trace.after_parameters = Some(arguments.clone())),
        QueryLanguage::Jsonata => scene.note(|trace| trace.after_arguments = Some(arguments.clone())),
    }
    Ok(arguments)
}

/// `ResultSelector`.
pub(crate) fn selected_result(scene: &mut Scene<'_>, result: &Document) -> Result<Document, Fault> {
    let selected = match &scene.state.result_selector {
        None => result.clone(),
        Some(template) => scene.payload(template, result.value(), "ResultSelector")?,
    };
    scene.note(|trace| trace.after_result_selector = Some(selected.clone()));
    Ok(selected)
}

/// `ResultPath`: the raw input with the result in its place.
pub(crate) fn placed_result(
    raw: &Document,
    result: &Document,
    result_path: &ResultPath,
) -> Result<Document, Fault> {
    match result_path {
        ResultPath::Whole => Ok(result.clone()),
        ResultPath::Discard => Ok(raw.clone()),
        ResultPath::Path(path) => match path.set(raw.value(), result.value().clone()) {
            Ok(value) => Ok(value.into()),
            Err(error) => Err(Fault::named(error_name::RESULT_PATH_MATCH_FAILURE, error.to_string())),
        },
    }
}

/// `OutputPath`.
pub(crate) fn filtered_output(scene: &mut Scene<'_>, output: Document) -> Result<Document, Fault> {
    match &scene.state.output_path {
        PathField::Whole => Ok(output),
        PathField::Empty => Ok(empty_object()),
        PathField::Path(path) => match scene.select(path, output.value()) {
            Ok(value) => Ok(value.into()),
            Err(error) => Err(Fault::runtime(invalid_path(path.text(), &error))),
        },
    }
}

/// `Assign` of the state; for JSONPath `$` is `data`.
pub(crate) fn state_assigned(scene: &mut Scene<'_>, data: &Document) -> Result<Assigned, Fault> {
    match &scene.state.assign {
        None => Ok(Assigned::new()),
        Some(template) => assigned(scene, template, data, "Assign"),
    }
}

/// An `Assign` template. All of it sees the variables as they were before.
pub(crate) fn assigned(
    scene: &mut Scene<'_>,
    template: &Template,
    data: &Document,
    field: &str,
) -> Result<Assigned, Fault> {
    let value = scene.template(template, data.value(), field)?;
    let Some(members) = value.as_object() else { return Ok(Assigned::new()) };
    let assigned: Assigned =
        members.iter().map(|(name, value)| (name.clone(), Document::from(value.clone()))).collect();
    check_sizes(scene, &assigned)?;
    scene.note(|trace| {
        trace.variables = members.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    });
    Ok(assigned)
}

fn check_sizes(scene: &Scene<'_>, assigned: &Assigned) -> Result<(), Fault> {
    let bytes: usize = assigned.iter().map(|(_, value)| value.len_bytes()).sum();
    if bytes > limit::VARIABLE_BYTES_MAX {
        let detail = format!(
            "The variables of one Assign field exceed the limit of {} bytes.",
            limit::VARIABLE_BYTES_MAX
        );
        return Err(Fault::runtime(detail));
    }
    if assigned.iter().any(|(_, value)| value.value().is_deeper_than(DEPTH_MAX)) {
        return Err(Fault::runtime(too_deep("value of a variable")));
    }
    // What is replaced counts twice here; the exact sum is only needed near the limit.
    if bytes > 0 && scene.branch.variables.bytes_at_most() + bytes > limit::VARIABLES_BYTES_MAX {
        let detail = format!(
            "The variables of the execution exceed the limit of {} bytes.",
            limit::VARIABLES_BYTES_MAX
        );
        return Err(Fault::runtime(detail));
    }
    Ok(())
}

/// From a result to output and variables, for the states that have a result: Pass, Task, Parallel, Map.
pub(crate) fn conclude(scene: &mut Scene<'_>, result: Document) -> Result<(Document, Assigned), Fault> {
    match scene.state.language {
        QueryLanguage::JsonPath => {
            let selected = selected_result(scene, &result)?;
            let assigned = state_assigned(scene, &selected)?;
            let placed = placed_result(scene.input(), &selected, &scene.state.result_path)?;
            scene.note(|trace| trace.after_result_path = Some(placed.clone()));
            Ok((filtered_output(scene, placed)?, assigned))
        }
        QueryLanguage::Jsonata => {
            scene.set_result(result.value().clone());
            let assigned = state_assigned(scene, &result)?;
            let output = match &scene.state.output {
                None => result,
                Some(template) => scene.payload(template, &Value::Null, "Output")?,
            };
            Ok((output, assigned))
        }
    }
}

/// From the input to output and variables, for the states without a result: Wait, Succeed, Choice.
pub(crate) fn pass_on(scene: &mut Scene<'_>) -> Result<(Document, Assigned), Fault> {
    match scene.state.language {
        QueryLanguage::JsonPath => {
            let input = effective_input(scene)?;
            let assigned = state_assigned(scene, &input)?;
            Ok((filtered_output(scene, input)?, assigned))
        }
        QueryLanguage::Jsonata => {
            let input = scene.input().clone();
            let assigned = state_assigned(scene, &input)?;
            let output = match &scene.state.output {
                None => input,
                Some(template) => scene.payload(template, &Value::Null, "Output")?,
            };
            Ok((output, assigned))
        }
    }
}
