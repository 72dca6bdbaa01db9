//! `DescribeStateMachine`: of a state machine, or of a version of it.

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
    let entry = resolve::entry(api, arn.plain, shown).await?;
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
    let machine = resolve::revision(api, arn.plain, revision).await?;
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineOutput {
        state_machine_arn: arn.qualified.to_owned(),
        name: machine.name.clone(),
        status: Some(if entry.deleting { StateMachineStatus::Deleting } else { StateMachineStatus::Active }),
        definition: if with_data { machine.definition.clone() } else { "{}".to_owned() },
        role_arn: machine.role_arn.clone(),
        r#type: machine.r#type,
        creation_date: Timestamp(version.as_ref().map_or(entry.created_ms, |version| version.created_ms)),
        logging_configuration: Some(machine.logging.clone()),
        tracing_configuration: Some(machine.tracing.clone()),
        label: None,
        revision_id: machine.revision_id.clone(),
        description: version.and_then(|version| version.description.clone()),
        encryption_configuration: Some(machine.encryption.clone()),
        variable_references: Some(machine.variable_references.clone())
            .filter(|references| with_data && !references.is_empty()),
    })
}
