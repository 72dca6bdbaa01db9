//! `StopExecution`

use crate::api::Api;
use crate::arn;
use crate::backend::StopRequest;
use crate::error::ApiError;
use crate::model::{StopExecutionInput, StopExecutionOutput, Timestamp};

pub async fn run(api: &Api, input: StopExecutionInput) -> Result<StopExecutionOutput, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?.to_owned();
    let request = StopRequest { execution_arn, error: input.error, cause: input.cause };
    let stopped = api.backend.stop(request).await;
    let stop_ms = stopped.map_err(|error| ApiError::from_execution(error, &input.execution_arn))?;
    Ok(StopExecutionOutput { stop_date: Timestamp(stop_ms) })
}
