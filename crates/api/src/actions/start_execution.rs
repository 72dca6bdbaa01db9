//! `StartExecution`

use super::execution_input::execution_input;
use crate::api::Api;
use crate::backend::StartRequest;
use crate::error::ApiError;
use crate::model::{StartExecutionInput, StartExecutionOutput, StateMachineType, Timestamp};
use crate::{name, resolve};

pub async fn run(api: &Api, input: StartExecutionInput) -> Result<StartExecutionOutput, ApiError> {
    let request = request(api, &input.state_machine_arn, input.name, input.input, input.trace_header).await?;
    let is_express = request.machine.r#type == StateMachineType::Express;
    if !api.throttling().admits_start(is_express, || api.environment.now_ms()) {
        return Err(ApiError::overloaded());
    }
    start(api, request).await
}

/// Starts what was asked for.
pub async fn start(api: &Api, request: StartRequest) -> Result<StartExecutionOutput, ApiError> {
    let reply = api.backend.start(request).await;
    let reply = reply.map_err(|error| ApiError::from_start(error, "StartExecution"))?;
    Ok(StartExecutionOutput { execution_arn: reply.execution_arn, start_date: Timestamp(reply.start_ms) })
}

/// What to start, for this operation and for `StartSyncExecution`.
pub async fn request(
    api: &Api,
    machine_arn: &str,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
) -> Result<StartRequest, ApiError> {
    if let Some(name) = &name {
        name::check(name)?;
    }
    let startable = resolve::startable(api, machine_arn).await?;
    Ok(StartRequest {
        machine: startable.machine,
        version_arn: startable.version_arn,
        alias_arn: startable.alias_arn,
        name,
        input: execution_input(input)?,
        trace_header,
        started_by: None,
        test_case: startable.test_case,
    })
}
