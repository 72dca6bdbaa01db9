//! `CreateStateMachine`

use stepwright_store::Expect;

use super::{WRITE_ATTEMPTS, configuration, publication, tag_resource};
use crate::api::Api;
use crate::catalog::{CatalogWrite, Machine, MachineEntry, Published, Record as _, Tags, WriteError};
use crate::definitions::Definitions;
use crate::error::{ApiError, invalid_definition};
use crate::model::{
    CreateStateMachineInput, CreateStateMachineOutput, ErrorName, StateMachineType, Timestamp,
};
use crate::{arn, name, resolve};

pub async fn run(api: &Api, input: CreateStateMachineInput) -> Result<CreateStateMachineOutput, ApiError> {
    name::check(&input.name)?;
    publication::check_description(input.publish, &input.version_description)?;
    arn::role(&input.role_arn)?;
    tag_resource::check_characters(input.tags.as_deref().unwrap_or_default())?;
    let mut tags = Tags { arn: api.account.state_machine(&input.name), entries: Vec::new() };
    tags.set(input.tags.clone().unwrap_or_default());
    tag_resource::check_count(&tags)?;
    let publish = input.publish.unwrap_or(false);
    let description = input.version_description.clone();
    let machine = machine(api, input).await?;
    for _ in 0..WRITE_ATTEMPTS {
        if let Some((known, _)) = api.catalog.read_for_write::<MachineEntry>(&machine.arn).await? {
            if resolve::settle_deletion(api, &known).await? {
                continue;
            }
            return existing(api, known, &machine, publish, description).await;
        }
        api.quotas.check_state_machines(api).await?;
        match create(api, &machine, &tags, publish, description.clone()).await {
            Err(WriteError::Conflict) => continue,
            other => return Ok(other?),
        }
    }
    Err(WriteError::Conflict.into())
}

/// The first revision that the request asks for.
async fn machine(api: &Api, input: CreateStateMachineInput) -> Result<Machine, ApiError> {
    let r#type = input.r#type.unwrap_or(StateMachineType::Standard);
    let check = move |definitions: &dyn Definitions, text: &str| definitions.check(text, r#type);
    let checked = api.checking(&input.definition, check).await.map_err(|invalid| {
        ApiError::service(ErrorName::InvalidDefinition, invalid_definition(&invalid.message))
    })?;
    Ok(Machine {
        arn: api.account.state_machine(&input.name),
        name: input.name,
        revision: api.environment.uuid(),
        revision_id: None,
        r#type,
        definition: input.definition,
        role_arn: input.role_arn,
        logging: configuration::logging(api, input.logging_configuration).await?,
        tracing: configuration::tracing(input.tracing_configuration),
        encryption: configuration::encryption(input.encryption_configuration)?,
        variable_references: checked.variable_references,
        updated_ms: api.environment.now_ms(),
    })
}

/// Creating what is there already is answered as the first time; creating something else under its name is refused.
async fn existing(
    api: &Api,
    entry: MachineEntry,
    machine: &Machine,
    publish: bool,
    description: Option<String>,
) -> Result<CreateStateMachineOutput, ApiError> {
    if entry.deleting {
        return Err(ApiError::machine_deleting(&entry.arn));
    }
    let current = resolve::revision(api, &entry.arn, &entry.revision).await?;
    let published = entry.published.as_ref().map(|published| &published.description);
    if !current.same_but_role(machine) || published != publish.then_some(&description) {
        return Err(ApiError::service(
            ErrorName::StateMachineAlreadyExists,
            format!("State Machine Already Exists: '{}'", entry.arn),
        ));
    }
    Ok(CreateStateMachineOutput {
        state_machine_arn: entry.arn,
        creation_date: Timestamp(entry.created_ms),
        state_machine_version_arn: entry.published.map(|published| published.version_arn),
    })
}

async fn create(
    api: &Api,
    machine: &Machine,
    tags: &Tags,
    publish: bool,
    description: Option<String>,
) -> Result<CreateStateMachineOutput, WriteError> {
    let mut entry = MachineEntry {
        arn: machine.arn.clone(),
        name: machine.name.clone(),
        r#type: machine.r#type,
        revision: machine.revision.clone(),
        created_ms: machine.updated_ms,
        deleting: false,
        versions: 0,
        published: None,
    };
    let mut writes: Vec<CatalogWrite> = Vec::new();
    let mut version_arn = None;
    if publish {
        let (version, write) = publication::new_version(api, &mut entry, description)?;
        version_arn = Some(version.arn.clone());
        entry.published = Some(Published { version_arn: version.arn, description: version.description });
        writes.push(write);
    }
    if !tags.entries.is_empty() {
        writes.push(tags.put(Expect::Anything));
    }
    writes.push(machine.put(Expect::Absent));
    writes.push(entry.put(Expect::Absent));
    api.catalog.write(writes).await?;
    Ok(CreateStateMachineOutput {
        state_machine_arn: entry.arn,
        creation_date: Timestamp(entry.created_ms),
        state_machine_version_arn: version_arn,
    })
}
