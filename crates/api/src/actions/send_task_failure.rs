//! `SendTaskFailure`

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{SendTaskFailureInput, SendTaskFailureOutput};

pub async fn run(api: &Api, input: SendTaskFailureInput) -> Result<SendTaskFailureOutput, ApiError> {
    api.backend.send_task_failure(&input.task_token, input.error, input.cause).await?;
    Ok(SendTaskFailureOutput {})
}
