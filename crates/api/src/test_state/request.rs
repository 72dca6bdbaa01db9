//! What AWS refuses before a state is tested, and what is left to run. Wording: AWS's, where a recorded answer shows it;
//! else in its manner.

use std::sync::Arc;

use stepwright_asl::program::{Kind, Pattern, Program, Resource, State, StateId};
use stepwright_asl::{CompileOptions, Format, compile_state};
use stepwright_types::limit;
use stepwright_value::{Document, Object, Value};

use super::{context, mock};
use crate::actions::execution_input::why;
use crate::backend::TestStateError;
use crate::model::{MockInput, TestStateConfiguration, TestStateInput};

/// A request that can be run.
#[derive(Debug)]
pub(super) struct Request {
    pub program: Arc<Program>,
    pub state: StateId,
    pub role_arn: Option<String>,
    pub input: Document,
    pub variables: Vec<(Arc<str>, Value)>,
    pub context: Option<Object>,
    pub answer: Option<mock::Answer>,
    pub configuration: TestStateConfiguration,
}

/// Checks a request in the order in which AWS does.
pub(super) fn read(input: TestStateInput, format: Format) -> Result<Request, TestStateError> {
    let configuration = input.state_configuration.clone().unwrap_or_default();
    check_company(&input, &configuration)?;
    let options = CompileOptions { format, ..CompileOptions::default() };
    let compiled = compile_state(&input.definition, input.state_name.as_deref(), &options);
    let Some(program) = compiled.compilation.program.clone() else {
        let message = compiled.compilation.aws_error().unwrap_or_default();
        return Err(TestStateError::InvalidDefinition(message));
    };
    let Some(state_id) = compiled.state else { return refuse("State not found in definition") };
    let state = program.state(state_id);
    match &input.mock {
        Some(_) => check_takes_mock(state)?,
        None => check_goes_without_mock(state, input.role_arn.is_some())?,
    }
    let document = execution_input(input.input.as_deref())?;
    let variables = variables(input.variables.as_deref())?;
    let context = input.context.as_deref().map(|text| context::read(text, has_token(state))).transpose()?;
    let answer = input.mock.as_ref().map(|mock| mock::read(mock, state)).transpose()?;
    check_configuration(&program, state_id, &configuration, answer.as_ref())?;
    Ok(Request {
        role_arn: input.role_arn,
        input: document,
        variables,
        context,
        answer,
        configuration,
        state: state_id,
        program,
    })
}

pub(super) fn refuse<T>(message: impl Into<String>) -> Result<T, TestStateError> {
    Err(TestStateError::Validation(message.into()))
}

/// Members that go, or do not go, with a mock.
fn check_company(
    input: &TestStateInput,
    configuration: &TestStateConfiguration,
) -> Result<(), TestStateError> {
    let Some(MockInput { result, error_output, .. }) = &input.mock else {
        let given = [
            ("Context", input.context.is_some()),
            ("MapIterationFailureCount", configuration.map_iteration_failure_count.is_some()),
            ("RetrierRetryCount", configuration.retrier_retry_count.is_some()),
            ("ErrorCausedByState", configuration.error_caused_by_state.is_some()),
            ("MapItemReaderData", configuration.map_item_reader_data.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                refuse(format!("TestState does not support {name} when a mock is not specified."))
            }
            None => Ok(()),
        };
    };
    if input.reveal_secrets == Some(true) {
        return refuse("TestState does not support RevealSecrets when a mock is specified.");
    }
    match (result, error_output) {
        (Some(_), Some(_)) | (None, None) => {
            refuse("A test mock should have only one of the following fields: [result, errorOutput].")
        }
        (None, Some(output)) if output.error.is_none() => {
            refuse("The error of a mocked errorOutput is required.")
        }
        _ => Ok(()),
    }
}

fn check_takes_mock(state: &State) -> Result<(), TestStateError> {
    let name = match &state.kind {
        Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_) => return Ok(()),
        Kind::Pass(_) => "Pass",
        Kind::Choice(_) => "Choice",
        Kind::Wait(_) => "Wait",
        Kind::Succeed => "Succeed",
        Kind::Fail(_) => "Fail",
    };
    refuse(format!("State type '{name}' is not supported when a mock is specified"))
}

fn check_goes_without_mock(state: &State, has_role: bool) -> Result<(), TestStateError> {
    let unsupported = |message: &str| Err(TestStateError::InvalidDefinition(message.to_owned()));
    match &state.kind {
        Kind::Map(_) | Kind::Parallel(_) => unsupported(
            "TestState API does not support Map or Parallel states. Supported state types include: \
             [Task, Wait, Pass, Succeed, Fail, Choice]",
        ),
        Kind::Task(task) => match &task.resource {
            Resource::Activity { .. } => unsupported("TestState API does not support Activity tasks."),
            Resource::Integration(integration) if integration.pattern != Pattern::RequestResponse => {
                unsupported(
                    "TestState API does not support .sync or .waitForTaskToken service integration patterns.",
                )
            }
            _ if !has_role => refuse("RoleArn must be specified when testing a Task state"),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Whether the state's context object has a task token.
fn has_token(state: &State) -> bool {
    let Kind::Task(task) = &state.kind else { return false };
    matches!(&task.resource, Resource::Integration(integration) if integration.pattern != Pattern::RequestResponse)
}

fn execution_input(text: Option<&str>) -> Result<Document, TestStateError> {
    let text = text.unwrap_or("{}");
    if text.len() > limit::PAYLOAD_BYTES_MAX {
        return refuse(format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: \
             Member must have length less than or equal to {}",
            limit::PAYLOAD_BYTES_MAX
        ));
    }
    Document::parse(text).map_err(|error| {
        let why = why(text, &error);
        TestStateError::InvalidInput(format!("Invalid State Machine Execution Input: '{why}'"))
    })
}

fn variables(text: Option<&str>) -> Result<Vec<(Arc<str>, Value)>, TestStateError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    match stepwright_value::read(text) {
        Ok(Value::Object(members)) => {
            Ok(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Ok(_) => refuse("Variables must be a JSON object."),
        Err(error) => refuse(format!("Variables must be valid JSON: {error}")),
    }
}

fn check_configuration(
    program: &Program,
    state_id: StateId,
    configuration: &TestStateConfiguration,
    answer: Option<&mock::Answer>,
) -> Result<(), TestStateError> {
    let state = program.state(state_id);
    if let Some(name) = &configuration.error_caused_by_state
        && !holds(program, state_id, name)
    {
        return refuse(format!("ErrorCausedByState '{name}' not found in the state under test"));
    }
    let Kind::Map(map) = &state.kind else {
        let only_of_maps = [
            ("MapIterationFailureCount", configuration.map_iteration_failure_count.is_some()),
            ("MapItemReaderData", configuration.map_item_reader_data.is_some()),
        ];
        return match only_of_maps.iter().find(|(_, given)| *given) {
            Some((name, _)) => refuse(format!("{name} is only supported when testing a Map state.")),
            None => Ok(()),
        };
    };
    let reads = map.distributed.as_ref().is_some_and(|distributed| distributed.item_reader.is_some());
    if configuration.map_item_reader_data.is_some() && !reads {
        return refuse("MapItemReaderData is only supported when the Map state has an ItemReader.");
    }
    let results = answer.and_then(mock::Answer::items);
    match (configuration.map_iteration_failure_count, results) {
        (Some(failed), Some(results)) => check_failure_count(failed, results),
        _ => Ok(()),
    }
}

/// AWS: no more iterations can have failed than there were.
pub(super) fn check_failure_count(failed: i32, iterations: usize) -> Result<(), TestStateError> {
    if usize::try_from(failed).is_ok_and(|failed| failed > iterations) {
        return refuse(
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        );
    }
    Ok(())
}

/// Whether a state of this name is somewhere inside the Map or Parallel state.
fn holds(program: &Program, outer: StateId, name: &str) -> bool {
    let is_inside = |state: &State| {
        let mut flow = state.flow;
        // Flows nest no deeper than there are flows.
        for _ in 0..program.flows.len() {
            match program.flow(flow).owner {
                Some(owner) if owner == outer => return true,
                Some(owner) => flow = program.state(owner).flow,
                None => return false,
            }
        }
        false
    };
    program.states.iter().any(|state| &*state.name == name && is_inside(state))
}
