//! What the audit log has to know of the operations: which change something, and what a call was about.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::Operation;

/// Characters of an ARN in a record. No ARN of the service is longer.
const ARN_BYTES_MAX: usize = 2_000;

/// Whether a call of the operation changes something, or makes something happen.
pub fn changes_something(operation: Operation) -> bool {
    match operation {
        Operation::CreateActivity
        | Operation::CreateStateMachine
        | Operation::CreateStateMachineAlias
        | Operation::DeleteActivity
        | Operation::DeleteStateMachine
        | Operation::DeleteStateMachineAlias
        | Operation::DeleteStateMachineVersion
        | Operation::PublishStateMachineVersion
        | Operation::RedriveExecution
        | Operation::SendTaskFailure
        | Operation::SendTaskHeartbeat
        | Operation::SendTaskSuccess
        | Operation::StartExecution
        | Operation::StartSyncExecution
        | Operation::StopExecution
        | Operation::TagResource
        // Calls what the tested state calls.
        | Operation::TestState
        | Operation::UntagResource
        | Operation::UpdateMapRun
        | Operation::UpdateStateMachine
        | Operation::UpdateStateMachineAlias => true,
        Operation::DescribeActivity
        | Operation::DescribeExecution
        | Operation::DescribeMapRun
        | Operation::DescribeStateMachine
        | Operation::DescribeStateMachineAlias
        | Operation::DescribeStateMachineForExecution
        // Hands out work; what a worker makes of it is in the records of its answers.
        | Operation::GetActivityTask
        | Operation::GetExecutionHistory
        | Operation::ListActivities
        | Operation::ListExecutions
        | Operation::ListMapRuns
        | Operation::ListStateMachineAliases
        | Operation::ListStateMachineVersions
        | Operation::ListStateMachines
        | Operation::ListTagsForResource
        | Operation::ValidateStateMachineDefinition => false,
    }
}

/// The members of requests and answers that name a resource. The model marks none of them sensitive.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Names<'a> {
    #[serde(borrow)]
    execution_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    map_run_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    activity_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_alias_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_version_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_machine_arn: Option<Cow<'a, str>>,
}

/// The resource that a request or an answer names.
pub fn named(body: &[u8]) -> Option<String> {
    let names: Names<'_> = serde_json::from_slice(body).ok()?;
    [
        names.execution_arn,
        names.map_run_arn,
        names.activity_arn,
        names.state_machine_alias_arn,
        names.state_machine_version_arn,
        names.resource_arn,
        names.state_machine_arn,
    ]
    .into_iter()
    .flatten()
    .find(|arn| arn.starts_with("arn:") && arn.len() <= ARN_BYTES_MAX)
    .map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something() {
        assert_eq!(Operation::ALL.into_iter().filter(|operation| changes_something(*operation)).count(), 21);
    }

    #[test]
    fn resources() {
        for (body, expected) in [
            (r#"{"stateMachineArn":"arn:m","executionArn":"arn:e","startDate":1}"#, Some("arn:e")),
            (r#"{"stateMachineArn":"arn:m","input":"{}"}"#, Some("arn:m")),
            (r#"{"resourceArn":"arn:\u0061"}"#, Some("arn:a")),
            (r#"{"stateMachineArn":"secret"}"#, None),
            (r#"{"stateMachineArn":5}"#, None),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(named(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
