//! `DeleteStateMachine`: at once, or when its last execution has ended.

use super::WRITE_ATTEMPTS;
use crate::api::Api;
use crate::catalog::{MachineEntry, Record as _, WriteError};
use crate::error::ApiError;
use crate::model::{DeleteStateMachineInput, DeleteStateMachineOutput};
use crate::{arn, resolve};

pub async fn run(api: &Api, input: DeleteStateMachineInput) -> Result<DeleteStateMachineOutput, ApiError> {
    let plain = arn::plain_machine(&input.state_machine_arn)?;
    for _ in 0..WRITE_ATTEMPTS {
        // Deleting what is not there is no error.
        let Some((mut entry, expect)) = api.catalog.read_for_write::<MachineEntry>(plain).await? else {
            return Ok(DeleteStateMachineOutput {});
        };
        if !entry.deleting {
            entry.deleting = true;
            match api.catalog.write(vec![entry.put(expect)]).await {
                Err(WriteError::Conflict) => continue,
                written => written?,
            }
        }
        resolve::settle_deletion(api, &entry).await?;
        return Ok(DeleteStateMachineOutput {});
    }
    Err(WriteError::Conflict.into())
}
