//! `DescribeMapRun`

use crate::api::Api;
use crate::arn;
use crate::error::ApiError;
use crate::model::{DescribeMapRunInput, DescribeMapRunOutput};

pub async fn run(api: &Api, input: DescribeMapRunInput) -> Result<DescribeMapRunOutput, ApiError> {
    let map_run_arn = arn::map_run(&input.map_run_arn)?;
    let described = api.backend.describe_map_run(map_run_arn).await;
    described.map_err(|error| ApiError::from_map_run(error, map_run_arn, "DescribeMapRun"))
}
