//! `DescribeStateMachine`: of a state machine, of a version of it, or of a distributed Map in it (by its label).

use stepwright_value::Value;

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::catalog::Version;
use crate::error::ApiError;
use crate::model::{
    DescribeStateMachineInput, DescribeStateMachineOutput, IncludedData, StateMachineStatus, Timestamp,
};
use crate::resolve;

pub async fn run(
    api: &Api,
    input: DescribeStateMachineInput,
) -> Result<DescribeStateMachineOutput, ApiError> {
    let shown = &input.state_machine_arn;
    let arn = arn::machine(shown)?;
    let (plain, label) = arn.without_label();
    let entry = resolve::entry(api, plain, shown).await?;
    if resolve::settle_deletion(api, &entry).await? {
        return Err(ApiError::machine_does_not_exist(shown));
    }
    let version = match arn.qualifier {
        Qualifier::None => None,
        Qualifier::Version(_) => {
            let version = api.catalog.read::<Version>(arn.qualified).await?;
            Some(version.ok_or_else(|| ApiError::machine_does_not_exist(shown))?)
        }
        Qualifier::Alias(_) => return Err(ApiError::machine_does_not_exist(shown)),
    };
    let revision = version.as_ref().map_or(&entry.revision, |version| &version.revision);
    let machine = resolve::revision(api, plain, revision).await?;
    let definition = match label {
        None => machine.definition.clone(),
        Some(label) => {
            let processor = item_processor(&machine.definition, label);
            processor.ok_or_else(|| ApiError::machine_does_not_exist(shown))?
        }
    };
    // Of a distributed Map the definition is shown in any case (API reference).
    let with_data = label.is_some() || input.included_data != Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineOutput {
        state_machine_arn: arn.qualified.to_owned(),
        name: machine.name.clone(),
        status: Some(if entry.deleting { StateMachineStatus::Deleting } else { StateMachineStatus::Active }),
        definition: if with_data { definition } else { "{}".to_owned() },
        role_arn: machine.role_arn.clone(),
        r#type: machine.r#type,
        creation_date: Timestamp(version.as_ref().map_or(entry.created_ms, |version| version.created_ms)),
        logging_configuration: Some(machine.logging.clone()),
        tracing_configuration: Some(machine.tracing.clone()),
        label: label.map(str::to_owned),
        revision_id: machine.revision_id.clone(),
        description: version.and_then(|version| version.description.clone()),
        encryption_configuration: Some(machine.encryption.clone()),
        variable_references: Some(machine.variable_references.clone())
            .filter(|references| with_data && !references.is_empty()),
    })
}

/// The definition that the children of the distributed Map with this label run.
fn item_processor(definition: &str, label: &str) -> Option<String> {
    // What is stored has been read before, so that its nesting is within limits.
    let definition = stepwright_value::read(definition).ok()?;
    find_processor(&definition, label).map(Value::to_json)
}

fn find_processor<'v>(value: &'v Value, label: &str) -> Option<&'v Value> {
    if value.get("Type").and_then(Value::as_str) == Some("Map")
        && value.get("Label").and_then(Value::as_str) == Some(label)
    {
        return value.get("ItemProcessor");
    }
    match value {
        Value::Object(members) => members.iter().find_map(|(_, member)| find_processor(member, label)),
        Value::Array(items) => items.iter().find_map(|item| find_processor(item, label)),
        _ => None,
    }
}
