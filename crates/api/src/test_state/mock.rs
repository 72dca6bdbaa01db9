//! A mocked result or error, checked against what the state's real target would answer.

use stepwright_asl::program::{Kind, Pattern, Resource, State};
use stepwright_machine::Failure;
use stepwright_value::{Document, Value};

use super::request::refuse;
use super::responses::{self, Presence};
use crate::backend::TestStateError;
use crate::model::{MockInput, MockResponseValidationMode};

/// What takes the place of the state's work.
#[derive(Clone, Debug)]
pub(super) struct Answer(pub Result<Document, Failure>);

impl Answer {
    /// How many items a mocked result has.
    pub fn items(&self) -> Option<usize> {
        Some(self.0.as_ref().ok()?.value().as_array()?.len())
    }
}

/// The mock of a request, which has a result or an error.
pub(super) fn read(mock: &MockInput, state: &State) -> Result<Answer, TestStateError> {
    if let Some(output) = &mock.error_output {
        let failure = Failure {
            error: output.error.as_deref().map(Into::into),
            cause: output.cause.as_deref().map(Into::into),
        };
        return Ok(Answer(Err(failure)));
    }
    let text = mock.result.as_deref().unwrap_or("null");
    let Ok(result) = Document::parse(text) else { return refuse("Mocked result must be valid JSON") };
    let mode = mock.field_validation_mode.unwrap_or(MockResponseValidationMode::Strict);
    check(result.value(), mode, state)?;
    Ok(Answer(Ok(result)))
}

fn check(result: &Value, mode: MockResponseValidationMode, state: &State) -> Result<(), TestStateError> {
    let array = || match result {
        Value::Array(items) => Ok(items.len()),
        _ => refuse("Mocked result must be an array."),
    };
    match &state.kind {
        Kind::Map(map) => {
            let writes =
                map.distributed.as_ref().is_some_and(|distributed| distributed.result_writer.is_some());
            match (writes, result) {
                (true, Value::Object(_)) => Ok(()),
                (true, _) => refuse("Mocked result must be a JSON object."),
                (false, _) => array().map(|_| ()),
            }
        }
        Kind::Parallel(parallel) => match array()? {
            length if length == parallel.branches.len() => Ok(()),
            _ => {
                refuse("Mocked result must contain the same number of items as number of Parallel branches.")
            }
        },
        Kind::Task(task) => check_response(result, mode, &task.resource),
        _ => Ok(()),
    }
}

/// What a callback or a function gives is the user's own; all else is the answer of an AWS service.
fn check_response(
    result: &Value,
    mode: MockResponseValidationMode,
    resource: &Resource,
) -> Result<(), TestStateError> {
    let presence = match mode {
        MockResponseValidationMode::Strict => Presence::Required,
        MockResponseValidationMode::Present => Presence::Optional,
        MockResponseValidationMode::None => return Ok(()),
    };
    let Resource::Integration(integration) = resource else { return Ok(()) };
    if integration.pattern == Pattern::WaitForTaskToken {
        return Ok(());
    }
    match responses::check(integration, result, presence) {
        Ok(()) => Ok(()),
        Err(reason) => refuse(format!("Mock result schema validation error: {reason}")),
    }
}
