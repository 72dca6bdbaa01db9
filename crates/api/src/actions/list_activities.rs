//! `ListActivities`

use crate::api::Api;
use crate::catalog::Activity;
use crate::error::ApiError;
use crate::model::{ActivityListItem, ListActivitiesInput, ListActivitiesOutput, Timestamp};
use crate::paging;

pub async fn run(api: &Api, input: ListActivitiesInput) -> Result<ListActivitiesOutput, ApiError> {
    let prefix = api.account.activity("");
    let (activities, next_token) =
        paging::records::<Activity>(api, &prefix, input.max_results, input.next_token.as_deref()).await?;
    let activities = activities
        .into_iter()
        .map(|activity| ActivityListItem {
            activity_arn: activity.arn,
            name: activity.name,
            creation_date: Timestamp(activity.created_ms),
        })
        .collect();
    Ok(ListActivitiesOutput { activities, next_token })
}
