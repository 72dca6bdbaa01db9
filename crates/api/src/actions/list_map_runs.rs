//! `ListMapRuns`

use crate::api::Api;
use crate::backend::MapRunError;
use crate::error::ApiError;
use crate::model::{ListMapRunsInput, ListMapRunsOutput};
use crate::{arn, page_token, paging};

pub async fn run(api: &Api, input: ListMapRunsInput) -> Result<ListMapRunsOutput, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?;
    let question = ["ListMapRuns", execution_arn];
    let after = page_token::decode(api, &question, input.next_token.as_deref()).await?;
    let listed = api.backend.list_map_runs(execution_arn, paging::limit(input.max_results), after).await;
    let page = listed.map_err(|error| match error {
        MapRunError::DoesNotExist => ApiError::execution_does_not_exist(execution_arn),
        other => ApiError::from_map_run(other, execution_arn, "ListMapRuns"),
    })?;
    let next_token = paging::next_token(api, &question, page.next.as_deref()).await?;
    Ok(ListMapRunsOutput { map_runs: page.map_runs, next_token })
}
