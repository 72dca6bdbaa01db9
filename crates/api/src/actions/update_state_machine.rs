//! `UpdateStateMachine`

use stepwright_store::Expect;

use super::{WRITE_ATTEMPTS, configuration, publication};
use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::catalog::{Machine, MachineEntry, Record as _, WriteError};
use crate::definitions::Definitions;
use crate::error::{ApiError, invalid_definition};
use crate::model::{ErrorName, Timestamp, UpdateStateMachineInput, UpdateStateMachineOutput};
use crate::resolve;

pub async fn run(api: &Api, input: UpdateStateMachineInput) -> Result<UpdateStateMachineOutput, ApiError> {
    let arn = arn::unlabelled_machine(&input.state_machine_arn)?;
    if arn.qualifier != Qualifier::None || arn.test_case.is_some() {
        // AWS: nothing of that name can be updated.
        return Err(ApiError::machine_does_not_exist(&input.state_machine_arn));
    }
    let plain = arn.plain;
    if input.definition.is_none()
        && input.role_arn.is_none()
        && input.logging_configuration.is_none()
        && input.tracing_configuration.is_none()
        && input.encryption_configuration.is_none()
    {
        return Err(ApiError::service(
            ErrorName::MissingRequiredParameter,
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        ));
    }
    publication::check_description(input.publish, &input.version_description)?;
    if let Some(role_arn) = &input.role_arn {
        arn::role(role_arn)?;
    }
    for _ in 0..WRITE_ATTEMPTS {
        match attempt(api, plain, &input).await? {
            Some(output) => return Ok(output),
            None => continue,
        }
    }
    Err(WriteError::Conflict.into())
}

/// `None` when another request got in between.
async fn attempt(
    api: &Api,
    plain: &str,
    input: &UpdateStateMachineInput,
) -> Result<Option<UpdateStateMachineOutput>, ApiError> {
    let known = api.catalog.read_for_write::<MachineEntry>(plain).await?;
    let (mut entry, expect) =
        known.ok_or_else(|| ApiError::machine_does_not_exist(&input.state_machine_arn))?;
    if entry.deleting {
        return Err(ApiError::machine_deleting(&input.state_machine_arn));
    }
    let current = resolve::revision(api, plain, &entry.revision).await?;
    let mut machine = updated(api, &current, input).await?;
    let mut writes = Vec::new();
    if machine.same_content(&current) {
        // Nothing new, perhaps the same request again: the revision stays, with its date.
        machine.revision_id.clone_from(&current.revision_id);
        machine.updated_ms = current.updated_ms;
    } else {
        entry.revision.clone_from(&machine.revision);
        writes.push(machine.put(Expect::Absent));
    }
    let mut version_arn = None;
    if input.publish.unwrap_or(false) {
        let description = input.version_description.clone();
        let (mut version, mut write) = publication::version_of(api, &mut entry, description.clone()).await?;
        if write.is_none() && description.is_some() && version.description != description {
            // A description is never dropped silently: it gets a version of its own.
            api.quotas.check_versions(resolve::versions(api, plain).await?.len())?;
            let (new, put) = publication::new_version(api, &mut entry, description)?;
            (version, write) = (new, Some(put));
        }
        version_arn = Some(version.arn);
        writes.extend(write);
    }
    if !writes.is_empty() {
        writes.push(entry.put(expect));
        match api.catalog.write(writes).await {
            Err(WriteError::Conflict) => return Ok(None),
            written => written?,
        }
    }
    Ok(Some(UpdateStateMachineOutput {
        update_date: Timestamp(machine.updated_ms),
        revision_id: machine.revision_id,
        state_machine_version_arn: version_arn,
    }))
}

/// The revision that the request asks for.
async fn updated(api: &Api, current: &Machine, input: &UpdateStateMachineInput) -> Result<Machine, ApiError> {
    let revision = api.environment.uuid();
    let mut machine = Machine {
        revision_id: Some(revision.clone()),
        revision,
        updated_ms: api.environment.now_ms(),
        ..current.clone()
    };
    if let Some(definition) = &input.definition {
        let r#type = machine.r#type;
        let check = move |definitions: &dyn Definitions, text: &str| definitions.check(text, r#type);
        let checked = api.checking(definition, check).await.map_err(|invalid| {
            ApiError::service(ErrorName::InvalidDefinition, invalid_definition(&invalid.message))
        })?;
        machine.definition.clone_from(definition);
        machine.variable_references = checked.variable_references;
    }
    if let Some(role_arn) = &input.role_arn {
        machine.role_arn.clone_from(role_arn);
    }
    if let Some(logging) = &input.logging_configuration {
        machine.logging = configuration::logging(api, Some(logging.clone())).await?;
    }
    if let Some(tracing) = &input.tracing_configuration {
        machine.tracing = configuration::tracing(Some(tracing.clone()));
    }
    if let Some(encryption) = &input.encryption_configuration {
        machine.encryption = configuration::encryption(Some(encryption.clone()))?;
    }
    Ok(machine)
}
