//! `StartSyncExecution`

use super::start_execution;
use crate::api::Api;
use crate::error::ApiError;
use crate::model::{
    BillingDetails, CloudWatchEventsExecutionDataDetails as DataDetails, ErrorName, IncludedData,
    StartSyncExecutionInput, StartSyncExecutionOutput, StateMachineType, Timestamp,
};

pub async fn run(api: &Api, input: StartSyncExecutionInput) -> Result<StartSyncExecutionOutput, ApiError> {
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    let trace_header = input.trace_header.clone();
    let request =
        start_execution::request(api, &input.state_machine_arn, input.name, input.input, input.trace_header)
            .await?;
    if request.machine.r#type != StateMachineType::Express {
        return Err(ApiError::service(
            ErrorName::StateMachineTypeNotSupported,
            "This operation is not supported by this type of state machine",
        ));
    }
    let payload = request.input.clone();
    let state_machine_arn = request.machine.arn.clone();
    let reply = api.backend.start_sync(request).await;
    let reply = reply.map_err(|error| ApiError::from_start(error, "StartSyncExecution"))?;
    let details = || Some(DataDetails { included: Some(with_data) });
    Ok(StartSyncExecutionOutput {
        execution_arn: reply.execution_arn,
        state_machine_arn: Some(state_machine_arn),
        name: Some(reply.name),
        start_date: Timestamp(reply.start_ms),
        stop_date: Timestamp(reply.stop_ms),
        status: reply.status,
        error: reply.error,
        cause: reply.cause,
        input: with_data.then(|| payload.text().to_owned()),
        input_details: details(),
        output_details: details(),
        output: reply.output.filter(|_| with_data).map(|output| output.text().to_owned()),
        trace_header,
        billing_details: Some(BillingDetails {
            billed_memory_used_in_mb: Some(reply.billed_memory_mb),
            billed_duration_in_milliseconds: Some(reply.billed_duration_ms),
        }),
    })
}
