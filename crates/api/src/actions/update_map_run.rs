//! `UpdateMapRun`

use crate::api::Api;
use crate::arn;
use crate::error::ApiError;
use crate::model::{UpdateMapRunInput, UpdateMapRunOutput};

pub async fn run(api: &Api, input: UpdateMapRunInput) -> Result<UpdateMapRunOutput, ApiError> {
    let map_run_arn = arn::map_run(&input.map_run_arn)?.to_owned();
    let updated = api.backend.update_map_run(input).await;
    updated.map_err(|error| ApiError::from_map_run(error, &map_run_arn, "UpdateMapRun"))?;
    Ok(UpdateMapRunOutput {})
}
