//! `CreateActivity`

use stepwright_store::Expect;

use super::{configuration, tag_resource};
use crate::api::Api;
use crate::catalog::{Activity, Record as _, Tags, WriteError};
use crate::error::ApiError;
use crate::model::{CreateActivityInput, CreateActivityOutput, ErrorName, Timestamp};
use crate::name;

pub async fn run(api: &Api, input: CreateActivityInput) -> Result<CreateActivityOutput, ApiError> {
    name::check(&input.name)?;
    tag_resource::check_characters(input.tags.as_deref().unwrap_or_default())?;
    let activity = Activity {
        arn: api.account.activity(&input.name),
        name: input.name,
        created_ms: api.environment.now_ms(),
        encryption: configuration::encryption(input.encryption_configuration)?,
    };
    let mut tags = Tags { arn: activity.arn.clone(), entries: Vec::new() };
    tags.set(input.tags.unwrap_or_default());
    tag_resource::check_count(&tags)?;
    if api.catalog.read::<Activity>(&activity.arn).await?.is_some() {
        return existing(api, &activity).await;
    }
    api.quotas.check_activities(api).await?;
    let mut writes = vec![activity.put(Expect::Absent)];
    if !tags.entries.is_empty() {
        writes.push(tags.put(Expect::Anything));
    }
    match api.catalog.write(writes).await {
        Ok(()) => Ok(output(&activity)),
        Err(WriteError::Conflict) => existing(api, &activity).await,
        Err(error) => Err(error.into()),
    }
}

/// Creating what is there already is answered as the first time.
async fn existing(api: &Api, wanted: &Activity) -> Result<CreateActivityOutput, ApiError> {
    let known = api.catalog.read::<Activity>(&wanted.arn).await?.ok_or(WriteError::Conflict)?;
    if known.encryption == wanted.encryption {
        return Ok(output(&known));
    }
    Err(ApiError::service(
        ErrorName::ActivityAlreadyExists,
        format!("Activity Already Exists: '{}'", wanted.arn),
    ))
}

fn output(activity: &Activity) -> CreateActivityOutput {
    CreateActivityOutput { activity_arn: activity.arn.clone(), creation_date: Timestamp(activity.created_ms) }
}
