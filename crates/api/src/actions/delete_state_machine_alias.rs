//! `DeleteStateMachineAlias`

use stepwright_store::Expect;

use crate::api::Api;
use crate::arn;
use crate::catalog::{Alias, Record as _};
use crate::error::ApiError;
use crate::model::{DeleteStateMachineAliasInput, DeleteStateMachineAliasOutput};

pub async fn run(
    api: &Api,
    input: DeleteStateMachineAliasInput,
) -> Result<DeleteStateMachineAliasOutput, ApiError> {
    // AWS: one that is not there (any more) is deleted just as well.
    let arn = arn::unlabelled_machine(&input.state_machine_alias_arn)?;
    api.catalog.write(vec![Alias::delete(arn.qualified, Expect::Anything)]).await?;
    Ok(DeleteStateMachineAliasOutput {})
}
