//! The operations, one file each. A file has one function `run`: checked request in, answer or error out.

mod create_activity;
mod create_state_machine;
mod create_state_machine_alias;
mod delete_activity;
mod delete_state_machine;
mod delete_state_machine_alias;
mod delete_state_machine_version;
mod describe_activity;
pub mod describe_execution;
mod describe_map_run;
mod describe_state_machine;
mod describe_state_machine_alias;
mod describe_state_machine_for_execution;
mod get_activity_task;
mod get_execution_history;
mod list_activities;
mod list_executions;
mod list_map_runs;
mod list_state_machine_aliases;
mod list_state_machine_versions;
mod list_state_machines;
mod list_tags_for_resource;
mod publish_state_machine_version;
mod redrivable;
pub mod redrive_execution;
mod send_task_failure;
mod send_task_heartbeat;
mod send_task_success;
pub mod start_execution;
mod start_sync_execution;
mod stop_execution;
mod tag_resource;
mod test_state;
mod untag_resource;
mod update_map_run;
mod update_state_machine;
mod update_state_machine_alias;
mod validate_state_machine_definition;

mod configuration;
pub(crate) mod execution_input;
mod publication;
mod routing;

use bytes::Bytes;

use crate::api::{Api, decode, encode};
use crate::error::ApiError;
use crate::model::Operation;
use crate::model::check::Checked;

/// How often a catalogue write is tried again after another request got in between.
const WRITE_ATTEMPTS: usize = 8;

macro_rules! dispatch {
    ($api:ident, $operation:ident, $body:ident;
        frequent { $($hot:ident => $hot_file:ident,)* } others { $($name:ident => $file:ident,)* }) => {
        match $operation {
            $(Operation::$hot => encode(&$hot_file::run($api, read($body)?).await?),)*
            // Boxed, so that the future of a frequent operation is not as large as that of the largest one.
            $(Operation::$name => Box::pin(async move { encode(&$file::run($api, read($body)?).await?) }).await,)*
            Operation::GetExecutionHistory => Box::pin(get_execution_history::run($api, read($body)?)).await,
        }
    };
}

/// Reads a request and lets its text go.
fn read<T: Checked>(body: Bytes) -> Result<T, ApiError> {
    decode(&body)
}

/// Performs an operation.
pub async fn perform(api: &Api, operation: Operation, body: Bytes) -> Result<Vec<u8>, ApiError> {
    dispatch! { api, operation, body;
        frequent {
        StartExecution => start_execution,
        DescribeExecution => describe_execution,
        SendTaskSuccess => send_task_success,
        SendTaskHeartbeat => send_task_heartbeat,
        } others {
        CreateActivity => create_activity,
        CreateStateMachine => create_state_machine,
        CreateStateMachineAlias => create_state_machine_alias,
        DeleteActivity => delete_activity,
        DeleteStateMachine => delete_state_machine,
        DeleteStateMachineAlias => delete_state_machine_alias,
        DeleteStateMachineVersion => delete_state_machine_version,
        DescribeActivity => describe_activity,
        DescribeMapRun => describe_map_run,
        DescribeStateMachine => describe_state_machine,
        DescribeStateMachineAlias => describe_state_machine_alias,
        DescribeStateMachineForExecution => describe_state_machine_for_execution,
        GetActivityTask => get_activity_task,
        ListActivities => list_activities,
        ListExecutions => list_executions,
        ListMapRuns => list_map_runs,
        ListStateMachineAliases => list_state_machine_aliases,
        ListStateMachineVersions => list_state_machine_versions,
        ListStateMachines => list_state_machines,
        ListTagsForResource => list_tags_for_resource,
        PublishStateMachineVersion => publish_state_machine_version,
        RedriveExecution => redrive_execution,
        SendTaskFailure => send_task_failure,
        StartSyncExecution => start_sync_execution,
        StopExecution => stop_execution,
        TagResource => tag_resource,
        TestState => test_state,
        UntagResource => untag_resource,
        UpdateMapRun => update_map_run,
        UpdateStateMachine => update_state_machine,
        UpdateStateMachineAlias => update_state_machine_alias,
        ValidateStateMachineDefinition => validate_state_machine_definition,
        }
    }
}
