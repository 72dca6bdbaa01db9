//! `RedriveExecution`

use super::redrivable;
use crate::api::Api;
use crate::arn;
use crate::backend::RedriveError;
use crate::error::ApiError;
use crate::model::{RedriveExecutionInput, RedriveExecutionOutput, Timestamp};

pub async fn run(api: &Api, input: RedriveExecutionInput) -> Result<RedriveExecutionOutput, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?;
    let details = api.backend.describe(execution_arn).await;
    let details = details.map_err(|error| ApiError::from_execution(error, execution_arn))?;
    if let Some(reason) = redrivable::refusal_of_catalog(api, &details).await? {
        return Err(ApiError::from_redrive(RedriveError::NotRedrivable(reason), execution_arn));
    }
    let redriven = api.backend.redrive(execution_arn, input.client_token).await;
    let redrive_ms = redriven.map_err(|error| ApiError::from_redrive(error, execution_arn))?;
    Ok(RedriveExecutionOutput { redrive_date: Timestamp(redrive_ms) })
}
