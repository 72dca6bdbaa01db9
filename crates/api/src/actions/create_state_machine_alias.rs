//! `CreateStateMachineAlias`

use stepwright_store::Expect;

use super::{WRITE_ATTEMPTS, routing};
use crate::api::Api;
use crate::catalog::{Alias, MachineEntry, Record as _, WriteError};
use crate::error::ApiError;
use crate::model::{CreateStateMachineAliasInput, CreateStateMachineAliasOutput, ErrorName, Timestamp};
use crate::resolve;

pub async fn run(
    api: &Api,
    input: CreateStateMachineAliasInput,
) -> Result<CreateStateMachineAliasOutput, ApiError> {
    for _ in 0..WRITE_ATTEMPTS {
        let plain = routing::check(api, &input.routing_configuration).await?;
        let known = api.catalog.read_for_write::<MachineEntry>(&plain).await?;
        let (entry, expect) = known.ok_or_else(|| ApiError::resource_not_found(&plain))?;
        if entry.deleting {
            return Err(ApiError::machine_deleting(&plain));
        }
        let aliases = resolve::aliases(api, &plain).await?;
        if let Some(known) = aliases.iter().find(|alias| alias.name == input.name) {
            return existing(known, &input);
        }
        api.quotas.check_aliases(aliases.len())?;
        let now_ms = api.environment.now_ms();
        let alias = Alias {
            arn: format!("{plain}:{}", input.name),
            name: input.name.clone(),
            description: input.description.clone(),
            routing: input.routing_configuration.clone(),
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        // Writing the machine's entry as well keeps the versions from being deleted at the same time.
        match api.catalog.write(vec![entry.put(expect), alias.put(Expect::Absent)]).await {
            Err(WriteError::Conflict) => continue,
            written => written?,
        }
        return Ok(output(&alias));
    }
    Err(WriteError::Conflict.into())
}

/// Creating what is there already is answered as the first time.
fn existing(
    known: &Alias,
    input: &CreateStateMachineAliasInput,
) -> Result<CreateStateMachineAliasOutput, ApiError> {
    if known.description == input.description && known.routing == input.routing_configuration {
        return Ok(output(known));
    }
    Err(ApiError::service(
        ErrorName::ConflictException,
        "Failed to create alias because an alias with the same name and a different routing configuration already exists.",
    ))
}

fn output(alias: &Alias) -> CreateStateMachineAliasOutput {
    CreateStateMachineAliasOutput {
        state_machine_alias_arn: alias.arn.clone(),
        creation_date: Timestamp(alias.created_ms),
    }
}
