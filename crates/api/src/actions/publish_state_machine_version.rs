//! `PublishStateMachineVersion`

use super::{WRITE_ATTEMPTS, publication};
use crate::api::Api;
use crate::catalog::{MachineEntry, Record as _, WriteError};
use crate::error::ApiError;
use crate::model::{ErrorName, PublishStateMachineVersionInput, PublishStateMachineVersionOutput, Timestamp};
use crate::{arn, resolve};

/// What stands for the revision id of a state machine that has never been updated.
const INITIAL: &str = "INITIAL";

pub async fn run(
    api: &Api,
    input: PublishStateMachineVersionInput,
) -> Result<PublishStateMachineVersionOutput, ApiError> {
    let plain = arn::plain_machine(&input.state_machine_arn)?;
    for _ in 0..WRITE_ATTEMPTS {
        let known = api.catalog.read_for_write::<MachineEntry>(plain).await?;
        let (mut entry, expect) = known.ok_or_else(|| ApiError::machine_does_not_exist(plain))?;
        if entry.deleting {
            return Err(ApiError::machine_deleting(plain));
        }
        check_revision(api, &entry, input.revision_id.as_deref()).await?;
        let (version, write) = publication::version_of(api, &mut entry, input.description.clone()).await?;
        if let Some(write) = write {
            match api.catalog.write(vec![entry.put(expect), write]).await {
                Err(WriteError::Conflict) => continue,
                written => written?,
            }
        }
        return Ok(PublishStateMachineVersionOutput {
            creation_date: Timestamp(version.created_ms),
            state_machine_version_arn: version.arn,
        });
    }
    Err(WriteError::Conflict.into())
}

/// Refuses when the caller means another revision than the current one.
async fn check_revision(api: &Api, entry: &MachineEntry, wanted: Option<&str>) -> Result<(), ApiError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let machine = resolve::revision(api, &entry.arn, &entry.revision).await?;
    let current = machine.revision_id.as_deref().unwrap_or(INITIAL);
    if wanted == current {
        return Ok(());
    }
    Err(ApiError::service(
        ErrorName::ConflictException,
        format!(
            "Failed to publish the State Machine version for revision {wanted}. \
             The current State Machine revision is {current}."
        ),
    ))
}
