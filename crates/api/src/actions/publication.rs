//! Publishing a version: used by creating, updating and publishing.

use stepwright_store::Expect;

use crate::api::Api;
use crate::catalog::{CatalogWrite, MachineEntry, Record as _, Version, WriteError};
use crate::error::ApiError;
use crate::resolve;

/// Refuses a description of a version that is not published.
pub fn check_description(publish: Option<bool>, description: &Option<String>) -> Result<(), ApiError> {
    if description.is_some() && !publish.unwrap_or(false) {
        return Err(ApiError::validation("Version description can only be set when publish is true"));
    }
    Ok(())
}

/// The version of the current revision: the newest one where it is of that revision, else a new one. A new version
/// comes with its write and counts up `entry.versions`.
pub async fn version_of(
    api: &Api,
    entry: &mut MachineEntry,
    description: Option<String>,
) -> Result<(Version, Option<CatalogWrite>), ApiError> {
    let versions = resolve::versions(api, &entry.arn).await?;
    if let Some(newest) = versions.first()
        && newest.revision == entry.revision
    {
        return Ok((newest.clone(), None));
    }
    api.quotas.check_versions(versions.len())?;
    let (version, write) = new_version(api, entry, description)?;
    Ok((version, Some(write)))
}

/// A new version of the current revision.
pub fn new_version(
    api: &Api,
    entry: &mut MachineEntry,
    description: Option<String>,
) -> Result<(Version, CatalogWrite), WriteError> {
    entry.versions += 1;
    let version = Version {
        arn: format!("{}:{}", entry.arn, entry.versions),
        number: entry.versions,
        revision: entry.revision.clone(),
        description,
        created_ms: api.environment.now_ms(),
    };
    let write = version.put(Expect::Absent);
    Ok((version, write))
}
