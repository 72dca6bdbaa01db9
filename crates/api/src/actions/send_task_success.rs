//! `SendTaskSuccess`

use super::execution_input::task_output;
use crate::api::Api;
use crate::error::ApiError;
use crate::model::{SendTaskSuccessInput, SendTaskSuccessOutput};

pub async fn run(api: &Api, input: SendTaskSuccessInput) -> Result<SendTaskSuccessOutput, ApiError> {
    let output = task_output(&input.output)?;
    api.backend.send_task_success(&input.task_token, output).await?;
    Ok(SendTaskSuccessOutput {})
}
