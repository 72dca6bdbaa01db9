//! `ListTagsForResource`

use super::tag_resource;
use crate::api::Api;
use crate::catalog::Tags;
use crate::error::ApiError;
use crate::model::{ListTagsForResourceInput, ListTagsForResourceOutput};

pub async fn run(api: &Api, input: ListTagsForResourceInput) -> Result<ListTagsForResourceOutput, ApiError> {
    tag_resource::check_resource(api, &input.resource_arn).await?;
    let tags = api.catalog.read::<Tags>(&input.resource_arn).await?;
    let tags = tags.map(|tags| Tags::clone(&tags).into_list()).unwrap_or_default();
    Ok(ListTagsForResourceOutput { tags: Some(tags) })
}
