//! `DescribeActivity`

use crate::api::Api;
use crate::arn;
use crate::catalog::Activity;
use crate::error::ApiError;
use crate::model::{DescribeActivityInput, DescribeActivityOutput, Timestamp};

pub async fn run(api: &Api, input: DescribeActivityInput) -> Result<DescribeActivityOutput, ApiError> {
    let activity_arn = arn::activity(&input.activity_arn)?;
    let activity = api.catalog.read::<Activity>(activity_arn).await?;
    let activity = activity.ok_or_else(|| ApiError::activity_does_not_exist(activity_arn))?;
    Ok(DescribeActivityOutput {
        activity_arn: activity.arn.clone(),
        name: activity.name.clone(),
        creation_date: Timestamp(activity.created_ms),
        encryption_configuration: Some(activity.encryption.clone()),
    })
}
