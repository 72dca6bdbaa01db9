//! `DeleteStateMachineVersion`

use stepwright_store::Expect;

use super::WRITE_ATTEMPTS;
use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::catalog::{MachineEntry, Record as _, Version, WriteError};
use crate::error::ApiError;
use crate::model::{DeleteStateMachineVersionInput, DeleteStateMachineVersionOutput, ErrorName};
use crate::resolve;

pub async fn run(
    api: &Api,
    input: DeleteStateMachineVersionInput,
) -> Result<DeleteStateMachineVersionOutput, ApiError> {
    let arn = arn::unlabelled_machine(&input.state_machine_version_arn)?;
    if !matches!(arn.qualifier, Qualifier::Version(_)) {
        return Err(ApiError::validation(format!(
            "A state machine version ARN is required. Received: {}",
            input.state_machine_version_arn
        )));
    }
    for _ in 0..WRITE_ATTEMPTS {
        // Writing the machine's entry as well keeps an alias from being made for the version at the same time.
        let Some((entry, expect)) = api.catalog.read_for_write::<MachineEntry>(arn.plain).await? else {
            return Ok(DeleteStateMachineVersionOutput {});
        };
        check_unreferenced(api, arn.plain, arn.qualified).await?;
        let writes = vec![entry.put(expect), Version::delete(arn.qualified, Expect::Anything)];
        match api.catalog.write(writes).await {
            Err(WriteError::Conflict) => continue,
            written => written?,
        }
        return Ok(DeleteStateMachineVersionOutput {});
    }
    Err(WriteError::Conflict.into())
}

async fn check_unreferenced(api: &Api, plain: &str, version_arn: &str) -> Result<(), ApiError> {
    let aliases = resolve::aliases(api, plain).await?;
    let names: Vec<&str> = aliases
        .iter()
        .filter(|alias| alias.routing.iter().any(|item| item.state_machine_version_arn == version_arn))
        .map(|alias| alias.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(ApiError::service(
        ErrorName::ConflictException,
        format!(
            "Version to be deleted must not be referenced by an alias. \
             Current list of aliases referencing this version: [{}]",
            names.join(", ")
        ),
    ))
}
