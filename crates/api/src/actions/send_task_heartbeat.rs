//! `SendTaskHeartbeat`

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{SendTaskHeartbeatInput, SendTaskHeartbeatOutput};

pub async fn run(api: &Api, input: SendTaskHeartbeatInput) -> Result<SendTaskHeartbeatOutput, ApiError> {
    api.backend.send_task_heartbeat(&input.task_token).await?;
    Ok(SendTaskHeartbeatOutput {})
}
