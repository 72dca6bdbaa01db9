//! `DescribeStateMachineAlias`

use crate::api::Api;
use crate::arn;
use crate::catalog::Alias;
use crate::error::ApiError;
use crate::model::{DescribeStateMachineAliasInput, DescribeStateMachineAliasOutput, Timestamp};

pub async fn run(
    api: &Api,
    input: DescribeStateMachineAliasInput,
) -> Result<DescribeStateMachineAliasOutput, ApiError> {
    let arn = arn::unlabelled_machine(&input.state_machine_alias_arn)?;
    let alias = api.catalog.read::<Alias>(arn.qualified).await?;
    let alias = alias.ok_or_else(|| ApiError::resource_not_found(arn.qualified))?;
    Ok(DescribeStateMachineAliasOutput {
        state_machine_alias_arn: Some(alias.arn.clone()),
        name: Some(alias.name.clone()),
        description: alias.description.clone(),
        routing_configuration: Some(alias.routing.clone()),
        creation_date: Some(Timestamp(alias.created_ms)),
        update_date: Some(Timestamp(alias.updated_ms)),
    })
}
