//! Executions that a state of another one starts, and the end of those that it waits for.

use stepwright_tasks::{Call, CancellationSignal, Failure, Pattern, Resource, Success};
use stepwright_value::{Document, Object, Value};

use super::cancelled;
use super::dialect::{self, Dialect};
use crate::actions::{describe_execution, redrive_execution, start_execution};
use crate::api::{Api, decode, encode};
use crate::arn;
use crate::backend::{ExecutionError, StartedBy, StopRequest};
use crate::error::ApiError;
use crate::model::{
    DescribeExecutionInput, ErrorName, ExecutionStatus, RedriveExecutionInput, StartExecutionInput,
    StartExecutionOutput, StateMachineType,
};

/// Starts an execution for the task that makes `call`: doing it again, after a crash, finds the one that is there.
pub async fn start(
    api: &Api,
    body: &[u8],
    call: &Call,
    is_job: bool,
) -> Result<StartExecutionOutput, ApiError> {
    let input: StartExecutionInput = decode(body)?;
    let name = input.name.unwrap_or_else(|| name_of(&call.idempotency_token));
    let mut request =
        start_execution::request(api, &input.state_machine_arn, Some(name), input.input, input.trace_header)
            .await?;
    if is_job && request.machine.r#type == StateMachineType::Express {
        // Nobody can ask an EXPRESS execution how it ended.
        return Err(ApiError::service(
            ErrorName::StateMachineTypeNotSupported,
            "This operation is not supported by this type of state machine",
        ));
    }
    request.started_by = Some(StartedBy {
        idempotency_token: call.idempotency_token.clone(),
        execution_arn: call.execution_arn.clone(),
    });
    start_execution::start(api, request).await
}

/// Redrives an execution for the task that makes `call`, with a client token of the task's own where it gives none.
pub async fn redrive(api: &Api, body: &[u8], call: &Call) -> Result<Vec<u8>, ApiError> {
    let mut input: RedriveExecutionInput = decode(body)?;
    input.client_token.get_or_insert_with(|| call.idempotency_token.clone());
    redrive_execution::run(api, input).await.and_then(|redriven| encode(&redriven))
}

/// A name as AWS makes one: a UUID, here the same for the same token.
fn name_of(idempotency_token: &str) -> String {
    let digits = idempotency_token.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok());
    let bytes = digits.unwrap_or_default().to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Stops the execution that `call` has started, whose end nobody waits for any more; `submitted` is what the call answered. One
/// that has ended stays as it is.
pub async fn stop(api: &Api, call: &Call, submitted: Option<&Document>) -> Result<(), Failure> {
    let execution_arn = match submitted {
        Some(submitted) => started_arn(submitted),
        None => own_child(api, call).await?,
    };
    let Some(execution_arn) = execution_arn else { return Ok(()) };
    // As measured on AWS (<https://github.com/floci-io/floci>, `AslExecutorParallelCutTest`).
    let cause = format!(
        "The Task state in AWS Step Functions execution [{}] which was managing this resource was aborted",
        call.execution_arn
    );
    let request = StopRequest { execution_arn, error: None, cause: Some(cause) };
    match api.backend.stop(request).await {
        Ok(_) | Err(ExecutionError::DoesNotExist) => Ok(()),
        Err(error) => Err(Failure::new("States.Runtime", error.to_string())),
    }
}

/// The execution that a task has started whose answer was lost: the one that has the name which the call gives it, if it is the
/// task's own.
async fn own_child(api: &Api, call: &Call) -> Result<Option<String>, Failure> {
    let input = dialect::request(&call.parameters).ok();
    let Some(input) = input.and_then(|body| decode::<StartExecutionInput>(&body).ok()) else {
        return Ok(None);
    };
    let Ok(machine) = arn::machine(&input.state_machine_arn) else { return Ok(None) };
    let name = input.name.unwrap_or_else(|| name_of(&call.idempotency_token));
    let execution_arn = format!("{}:{name}", machine.plain.replacen(":stateMachine:", ":execution:", 1));
    match api.backend.describe(&execution_arn).await {
        Ok(details) => {
            let is_own = details.started_by.as_ref() == Some(&call.idempotency_token);
            Ok(is_own.then_some(execution_arn))
        }
        Err(ExecutionError::DoesNotExist) => Ok(None),
        Err(error) => Err(Failure::new("States.Runtime", error.to_string())),
    }
}

/// The execution that the answer of a start names.
fn started_arn(submitted: &Document) -> Option<String> {
    submitted.value().get("ExecutionArn")?.as_str().map(str::to_owned)
}

/// Waits for the end of the execution that `submitted` names. The waiting state's end is its end.
pub async fn await_end(
    api: &Api,
    call: &Call,
    submitted: &Document,
    mut cancel: CancellationSignal,
) -> Result<Success, Failure> {
    let Some(execution_arn) = started_arn(submitted) else {
        return Err(Failure::new("States.Runtime", "The nested execution is not known."));
    };
    let failure = |error: &ApiError| Dialect::Optimised.failure(error, &api.environment.uuid());
    let described = loop {
        tokio::select! {
            ended = api.backend.ended(&execution_arn) => {
                ended.map_err(|error| failure(&ApiError::from_execution(error, &execution_arn)))?;
            }
            () = cancel.cancelled() => return Err(cancelled()),
        }
        let input = DescribeExecutionInput { execution_arn: execution_arn.clone(), included_data: None };
        let described = describe_execution::run(api, input).await.map_err(|error| failure(&error))?;
        // Else it was redriven a moment ago, and goes on.
        if described.status != ExecutionStatus::Running {
            break described;
        }
    };
    let with_json = matches!(call.resource, Resource::Integration { pattern: Pattern::Sync2, .. });
    let status = described.status;
    let body = encode(&described).map_err(|error| failure(&error))?;
    let value = stepwright_value::read_bytes(&body).unwrap_or(Value::Null);
    let shown = shown(&Dialect::Optimised.structure(&value), with_json);
    match status {
        ExecutionStatus::Succeeded => Ok(Success { output: shown.into() }),
        _ => Err(Failure::new("States.TaskFailed", shown.to_json())),
    }
}

/// What AWS shows of an execution that has ended: what `DescribeExecution` does, with `.sync:2` as JSON instead of text.
fn shown(described: &Value, with_json: bool) -> Value {
    let mut members = Object::new();
    for (name, value) in described.as_object().into_iter().flat_map(Object::iter) {
        let text = value.as_str().filter(|_| with_json && matches!(&**name, "Input" | "Output"));
        let json = text.and_then(|text| stepwright_value::read(text).ok());
        members.insert(name.clone(), json.unwrap_or_else(|| value.clone()));
    }
    members.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_the_task() {
        let token = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(name_of(token), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(name_of("short").len(), 36);
    }

    #[test]
    fn what_is_shown() {
        let described = stepwright_value::read(
            r#"{"Input":"{}","Name":"{}","Output":"{\"a\":1}","RedriveCount":0,"Status":"SUCCEEDED"}"#,
        );
        let described = described.expect("JSON");
        assert_eq!(shown(&described, false), described);
        assert_eq!(
            shown(&described, true).to_json(),
            r#"{"Input":{},"Name":"{}","Output":{"a":1},"RedriveCount":0,"Status":"SUCCEEDED"}"#
        );
    }
}
