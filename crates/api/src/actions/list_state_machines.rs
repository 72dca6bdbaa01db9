//! `ListStateMachines`

use crate::api::Api;
use crate::catalog::MachineEntry;
use crate::error::ApiError;
use crate::model::{ListStateMachinesInput, ListStateMachinesOutput, StateMachineListItem, Timestamp};
use crate::{paging, resolve};

pub async fn run(api: &Api, input: ListStateMachinesInput) -> Result<ListStateMachinesOutput, ApiError> {
    let prefix = api.account.state_machine("");
    let (entries, next_token) =
        paging::records::<MachineEntry>(api, &prefix, input.max_results, input.next_token.as_deref()).await?;
    let mut state_machines = Vec::with_capacity(entries.len());
    for entry in entries {
        if resolve::settle_deletion(api, &entry).await? {
            continue;
        }
        state_machines.push(StateMachineListItem {
            state_machine_arn: entry.arn,
            name: entry.name,
            r#type: entry.r#type,
            creation_date: Timestamp(entry.created_ms),
        });
    }
    Ok(ListStateMachinesOutput { state_machines, next_token })
}
