//! `GetActivityTask`: a long poll.

use std::time::Duration;

use crate::api::Api;
use crate::arn;
use crate::catalog::Activity;
use crate::error::ApiError;
use crate::model::{GetActivityTaskInput, GetActivityTaskOutput};

/// How long a worker waits for a task (API reference of GetActivityTask).
const POLL: Duration = Duration::from_secs(60);

pub async fn run(api: &Api, input: GetActivityTaskInput) -> Result<GetActivityTaskOutput, ApiError> {
    let activity_arn = arn::activity(&input.activity_arn)?;
    if api.catalog.read::<Activity>(activity_arn).await?.is_none() {
        return Err(ApiError::activity_does_not_exist(activity_arn));
    }
    let polls_stopped = api.polls_stopped();
    let task = tokio::select! {
        task = api.backend.activity_task(activity_arn, input.worker_name) => task,
        () = tokio::time::sleep(POLL) => return Ok(GetActivityTaskOutput::default()),
        () = polls_stopped => return Ok(GetActivityTaskOutput::default()),
    };
    let task = task.map_err(|error| ApiError::from_execution(error, activity_arn))?;
    Ok(GetActivityTaskOutput { task_token: Some(task.token), input: Some(task.input.text().to_owned()) })
}
