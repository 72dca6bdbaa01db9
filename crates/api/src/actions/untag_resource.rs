//! `UntagResource`

use super::tag_resource;
use crate::api::Api;
use crate::error::ApiError;
use crate::model::{UntagResourceInput, UntagResourceOutput};

pub async fn run(api: &Api, input: UntagResourceInput) -> Result<UntagResourceOutput, ApiError> {
    tag_resource::change(api, &input.resource_arn, |tags| {
        tags.remove(&input.tag_keys);
        Ok(())
    })
    .await?;
    Ok(UntagResourceOutput {})
}
