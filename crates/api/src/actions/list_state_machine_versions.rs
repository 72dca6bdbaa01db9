//! `ListStateMachineVersions`: newest first.

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{
    ListStateMachineVersionsInput, ListStateMachineVersionsOutput, StateMachineVersionListItem, Timestamp,
};
use crate::{arn, page_token, paging, resolve};

pub async fn run(
    api: &Api,
    input: ListStateMachineVersionsInput,
) -> Result<ListStateMachineVersionsOutput, ApiError> {
    let plain = arn::plain_machine(&input.state_machine_arn)?;
    let question = ["ListStateMachineVersions", plain];
    let below = match page_token::decode(api, &question, input.next_token.as_deref()).await? {
        Some(cursor) => cursor.parse::<u32>().map_err(|_| ApiError::invalid_token())?,
        None => u32::MAX,
    };
    let limit = paging::limit(input.max_results);
    let mut versions = resolve::versions(api, plain).await?;
    versions.retain(|version| version.number < below);
    let more = versions.len() > limit;
    versions.truncate(limit);
    let next = versions.last().filter(|_| more).map(|last| last.number.to_string());
    let next_token = paging::next_token(api, &question, next.as_deref()).await?;
    let state_machine_versions = versions
        .into_iter()
        .map(|version| StateMachineVersionListItem {
            state_machine_version_arn: version.arn,
            creation_date: Timestamp(version.created_ms),
        })
        .collect();
    Ok(ListStateMachineVersionsOutput { state_machine_versions, next_token })
}
