//! `DescribeStateMachineForExecution`: the revision that an execution runs.

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{
    DescribeStateMachineForExecutionInput, DescribeStateMachineForExecutionOutput, IncludedData, Timestamp,
};
use crate::{arn, resolve};

pub async fn run(
    api: &Api,
    input: DescribeStateMachineForExecutionInput,
) -> Result<DescribeStateMachineForExecutionOutput, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?;
    let details = api.backend.describe(execution_arn).await;
    let details = details.map_err(|error| ApiError::from_execution(error, execution_arn))?;
    // A child of a map run names its machine with the Map's label; the revision is the whole machine's.
    let state_machine_arn = details.summary.state_machine_arn;
    let plain = state_machine_arn.split_once('/').map_or(state_machine_arn.as_str(), |(plain, _)| plain);
    let machine = resolve::revision(api, plain, &details.revision).await?;
    let (definition, label) = match details.item_processor {
        Some(processor) => (processor.definition.to_string(), processor.label),
        None => (machine.definition.clone(), None),
    };
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    Ok(DescribeStateMachineForExecutionOutput {
        state_machine_arn,
        name: machine.name.clone(),
        definition: if with_data { definition } else { "{}".to_owned() },
        role_arn: machine.role_arn.clone(),
        update_date: Timestamp(machine.updated_ms),
        logging_configuration: Some(machine.logging.clone()),
        tracing_configuration: Some(machine.tracing.clone()),
        map_run_arn: details.summary.map_run_arn,
        label,
        revision_id: machine.revision_id.clone(),
        encryption_configuration: Some(machine.encryption.clone()),
        variable_references: Some(machine.variable_references.clone())
            .filter(|references| with_data && !references.is_empty()),
    })
}
