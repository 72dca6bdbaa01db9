//! From ARNs to what they name.

use std::sync::Arc;

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::catalog::{Alias, Machine, MachineEntry, Version};
use crate::error::ApiError;

/// Versions and aliases of one state machine, at most (quota: 1,000 and 100).
pub const QUALIFIED_MAX: usize = 1_000;

/// What an execution is started from.
pub struct Startable {
    pub machine: Arc<Machine>,
    pub version_arn: Option<String>,
    pub alias_arn: Option<String>,
    pub test_case: Option<String>,
}

/// The state machine, version or alias that a start request names.
pub async fn startable(api: &Api, text: &str) -> Result<Startable, ApiError> {
    let arn = arn::unlabelled_machine(text)?;
    let entry = entry(api, arn.plain, text).await?;
    if entry.deleting {
        return Err(ApiError::machine_deleting(text));
    }
    let test_case = arn.test_case.map(str::to_owned);
    let (version_arn, alias_arn) = match arn.qualifier {
        Qualifier::None => {
            let machine = revision(api, &entry.arn, &entry.revision).await?;
            return Ok(Startable { machine, version_arn: None, alias_arn: None, test_case });
        }
        Qualifier::Version(_) => (arn.qualified.to_owned(), None),
        Qualifier::Alias(_) => {
            let alias = api.catalog.read::<Alias>(arn.qualified).await?;
            let alias = alias.ok_or_else(|| ApiError::machine_does_not_exist(text))?;
            let draw = (api.environment.random() % 100) as u32;
            let version = alias.route(draw).unwrap_or_default().to_owned();
            (version, Some(arn.qualified.to_owned()))
        }
    };
    let version = api.catalog.read::<Version>(&version_arn).await?;
    let version = version.ok_or_else(|| ApiError::machine_does_not_exist(text))?;
    let machine = revision(api, arn.plain, &version.revision).await?;
    Ok(Startable { machine, version_arn: Some(version_arn), alias_arn, test_case })
}

/// The state machine with the plain ARN; errors name it as `shown`.
pub async fn entry(api: &Api, plain: &str, shown: &str) -> Result<Arc<MachineEntry>, ApiError> {
    let entry = api.catalog.read::<MachineEntry>(plain).await?;
    entry.ok_or_else(|| ApiError::machine_does_not_exist(shown))
}

/// A revision that something refers to, so that it must be there.
pub async fn revision(api: &Api, arn: &str, revision: &str) -> Result<Arc<Machine>, ApiError> {
    let machine = api.catalog.read::<Machine>(&Machine::record_key(arn, revision)).await?;
    machine.ok_or_else(|| ApiError::internal(format_args!("revision {revision} of {arn} is missing")))
}

/// All versions of a state machine, newest first.
pub async fn versions(api: &Api, plain: &str) -> Result<Vec<Version>, ApiError> {
    let mut versions: Vec<Version> = api.catalog.list(&format!("{plain}:"), None, QUALIFIED_MAX).await?;
    versions.sort_by_key(|version| std::cmp::Reverse(version.number));
    Ok(versions)
}

/// All aliases of a state machine, by name.
pub async fn aliases(api: &Api, plain: &str) -> Result<Vec<Alias>, ApiError> {
    Ok(api.catalog.list(&format!("{plain}:"), None, QUALIFIED_MAX).await?)
}

/// Goes on with the deletion of a state machine that is being deleted; whether it is gone.
pub async fn settle_deletion(api: &Api, entry: &MachineEntry) -> Result<bool, ApiError> {
    Ok(entry.deleting && api.deletions.go_on(&entry.arn).await?)
}
