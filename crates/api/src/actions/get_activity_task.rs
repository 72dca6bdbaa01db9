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
    let stopped = api.polls_stopped();
    let patience = Box::pin(async move {
        // Either way the wait is over.
        let _ = tokio::time::timeout(POLL, stopped).await;
    });
    let task = api.backend.activity_task(activity_arn, input.worker_name, patience).await;
    let task = task.map_err(|error| ApiError::from_execution(error, activity_arn))?;
    Ok(match task {
        Some(task) => {
            GetActivityTaskOutput { task_token: Some(task.token), input: Some(task.input.text().to_owned()) }
        }
        None => GetActivityTaskOutput::default(),
    })
}
