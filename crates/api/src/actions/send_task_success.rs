//! `SendTaskSuccess`

use super::execution_input::task_output;
use crate::api::Api;
use crate::error::ApiError;
use crate::model::{SendTaskSuccessInput, SendTaskSuccessOutput};

pub async fn run(api: &Api, input: SendTaskSuccessInput) -> Result<SendTaskSuccessOutput, ApiError> {
    let output = match task_output(&input.output) {
        Ok(output) => output,
        Err(refused) => {
            // AWS looks at the token first.
            api.backend.check_task_token(&input.task_token).await?;
            return Err(refused);
        }
    };
    api.backend.send_task_success(&input.task_token, output).await?;
    Ok(SendTaskSuccessOutput {})
}
