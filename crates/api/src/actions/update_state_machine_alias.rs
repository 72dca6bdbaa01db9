//! `UpdateStateMachineAlias`

use super::{WRITE_ATTEMPTS, routing};
use crate::api::Api;
use crate::arn;
use crate::catalog::{Alias, MachineEntry, Record as _, WriteError};
use crate::error::ApiError;
use crate::model::{
    Timestamp, UpdateStateMachineAliasInput, UpdateStateMachineAliasOutput, ValidationExceptionReason,
};

pub async fn run(
    api: &Api,
    input: UpdateStateMachineAliasInput,
) -> Result<UpdateStateMachineAliasOutput, ApiError> {
    let arn = arn::unlabelled_machine(&input.state_machine_alias_arn)?;
    if input.description.is_none() && input.routing_configuration.is_none() {
        return Err(ApiError::validation_because(
            ValidationExceptionReason::MissingRequiredParameter,
            "Either the description or the routing configuration must be specified",
        ));
    }
    for _ in 0..WRITE_ATTEMPTS {
        let missing = || ApiError {
            message: "Request references a resource that does not exist.".to_owned(),
            ..ApiError::resource_not_found(arn.qualified)
        };
        let machine = api.catalog.read_for_write::<MachineEntry>(arn.plain).await?;
        let (entry, machine_expect) = machine.ok_or_else(missing)?;
        if entry.deleting {
            return Err(ApiError::machine_deleting(arn.plain));
        }
        let known = api.catalog.read_for_write::<Alias>(arn.qualified).await?;
        let (known, expect) = known.ok_or_else(missing)?;
        let mut alias = known.clone();
        if let Some(routing) = &input.routing_configuration {
            if routing::check(api, routing).await? != arn.plain {
                return Err(ApiError::validation_because(
                    ValidationExceptionReason::InvalidRoutingConfiguration,
                    "Routing configuration must contain versions of the alias's state machine",
                ));
            }
            alias.routing.clone_from(routing);
        }
        if input.description.is_some() {
            alias.description.clone_from(&input.description);
        }
        if alias == known {
            // The same request again: the first answer.
            return Ok(UpdateStateMachineAliasOutput { update_date: Timestamp(alias.updated_ms) });
        }
        alias.updated_ms = api.environment.now_ms();
        // Writing the machine's entry as well keeps the versions from being deleted at the same time.
        match api.catalog.write(vec![entry.put(machine_expect), alias.put(expect)]).await {
            Err(WriteError::Conflict) => continue,
            written => written?,
        }
        return Ok(UpdateStateMachineAliasOutput { update_date: Timestamp(alias.updated_ms) });
    }
    Err(WriteError::Conflict.into())
}
