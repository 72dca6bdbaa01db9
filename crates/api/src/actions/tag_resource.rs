//! `TagResource`, and what all operations on tags share.

use stepwright_store::Expect;

use super::WRITE_ATTEMPTS;
use crate::api::Api;
use crate::arn;
use crate::catalog::{Activity, MachineEntry, Record as _, TAGS_MAX, Tags, WriteError};
use crate::error::ApiError;
use crate::model::{ErrorName, Tag, TagResourceInput, TagResourceOutput};

pub async fn run(api: &Api, input: TagResourceInput) -> Result<TagResourceOutput, ApiError> {
    check_characters(&input.tags)?;
    change(api, &input.resource_arn, |tags| {
        tags.set(input.tags.clone());
        check_count(tags)
    })
    .await?;
    Ok(TagResourceOutput {})
}

/// What a tag may be made of besides letters, digits and white space (API reference of TagResource).
const TAG_SYMBOLS: &str = "_.:/=+-@";
/// Only AWS itself sets tags that begin so.
const RESERVED: &str = "aws:";

/// Refuses characters that tags must not have, and keys that are AWS's own.
pub fn check_characters(tags: &[Tag]) -> Result<(), ApiError> {
    let is_allowed = |character: char| {
        character.is_alphanumeric() || character.is_whitespace() || TAG_SYMBOLS.contains(character)
    };
    for (index, tag) in tags.iter().enumerate() {
        for (member, text) in [("key", &tag.key), ("value", &tag.value)] {
            let Some(text) = text else { continue };
            if !text.chars().all(is_allowed) {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{text}' at 'tags.{}.member.{member}' failed to satisfy \
                     constraint: Member must satisfy regular expression pattern: \
                     ^([\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]*)$",
                    index + 1
                )));
            }
        }
        if tag.key.as_ref().is_some_and(|key| key.to_ascii_lowercase().starts_with(RESERVED)) {
            return Err(ApiError::validation(
                "aws: prefixed tag key names are not allowed for external use.",
            ));
        }
    }
    Ok(())
}

/// Refuses more tags than a resource may have.
pub fn check_count(tags: &Tags) -> Result<(), ApiError> {
    if tags.entries.len() <= TAGS_MAX {
        return Ok(());
    }
    let message = format!("Too many tags: a resource can have at most {TAGS_MAX}");
    let error = ApiError::service(ErrorName::TooManyTags, message);
    Err(ApiError { detail: Some(("resourceName", tags.arn.clone())), ..error })
}

/// Refuses an ARN that names nothing which can have tags; versions and aliases cannot.
pub async fn check_resource(api: &Api, resource_arn: &str) -> Result<(), ApiError> {
    let found = match arn::taggable(resource_arn)? {
        activity if activity.contains(":activity:") => {
            api.catalog.read::<Activity>(activity).await?.is_some()
        }
        machine => api.catalog.read::<MachineEntry>(machine).await?.is_some(),
    };
    if found { Ok(()) } else { Err(ApiError::resource_not_found(resource_arn)) }
}

/// Changes the tags of a resource.
pub async fn change(
    api: &Api,
    resource_arn: &str,
    change: impl Fn(&mut Tags) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    check_resource(api, resource_arn).await?;
    for _ in 0..WRITE_ATTEMPTS {
        let known = api.catalog.read_for_write::<Tags>(resource_arn).await?;
        let (mut tags, expect) = known
            .unwrap_or_else(|| (Tags { arn: resource_arn.to_owned(), entries: Vec::new() }, Expect::Absent));
        change(&mut tags)?;
        match api.catalog.write(vec![tags.put(expect)]).await {
            Err(WriteError::Conflict) => continue,
            written => return Ok(written?),
        }
    }
    Err(WriteError::Conflict.into())
}
