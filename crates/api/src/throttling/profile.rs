//! AWS's default rates.
//!
//! Source: Step Functions Developer Guide, "Quotas related to API action throttling". They are per account and region; in
//! three large regions some are higher. StartSyncExecution has none ("capacity on demand").

use super::bucket::Rate;
use crate::model::Operation;

/// The large regions: US East (N. Virginia), US West (Oregon), Europe (Ireland).
const LARGE_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];

/// `StartExecution` of an EXPRESS state machine; the same everywhere.
pub(super) const START_EXPRESS: Rate = Rate::new(6_000, 6_000);

/// AWS's rate of an operation in a region; of `StartExecution`, that of STANDARD state machines.
pub(super) fn aws(operation: Operation, region: &str) -> Option<Rate> {
    let is_large = LARGE_REGIONS.contains(&region);
    let by_region = |large, other| if is_large { large } else { other };
    Some(match operation {
        Operation::StartExecution | Operation::RedriveExecution => {
            by_region(Rate::new(1_300, 300), Rate::new(800, 150))
        }
        Operation::StopExecution => by_region(Rate::new(1_000, 200), Rate::new(500, 25)),
        Operation::GetActivityTask
        | Operation::SendTaskFailure
        | Operation::SendTaskHeartbeat
        | Operation::SendTaskSuccess => by_region(Rate::new(3_000, 500), Rate::new(1_500, 300)),
        Operation::DescribeExecution => by_region(Rate::new(300, 15), Rate::new(250, 10)),
        Operation::ListExecutions => by_region(Rate::new(200, 5), Rate::new(100, 2)),
        Operation::ListActivities => by_region(Rate::new(100, 10), Rate::new(100, 5)),
        Operation::GetExecutionHistory => Rate::new(400, 20),
        Operation::DescribeStateMachine => Rate::new(200, 20),
        Operation::ListStateMachines => Rate::new(100, 5),
        Operation::TestState => Rate::new(50, 10),
        Operation::DescribeActivity
        | Operation::DescribeMapRun
        | Operation::DescribeStateMachineAlias
        | Operation::DescribeStateMachineForExecution
        | Operation::TagResource
        | Operation::UntagResource => Rate::new(200, 1),
        Operation::CreateActivity
        | Operation::CreateStateMachine
        | Operation::CreateStateMachineAlias
        | Operation::DeleteActivity
        | Operation::DeleteStateMachine
        | Operation::DeleteStateMachineAlias
        | Operation::DeleteStateMachineVersion
        | Operation::ListMapRuns
        | Operation::ListStateMachineAliases
        | Operation::ListStateMachineVersions
        | Operation::ListTagsForResource
        | Operation::PublishStateMachineVersion
        | Operation::UpdateMapRun
        | Operation::UpdateStateMachine
        | Operation::UpdateStateMachineAlias
        | Operation::ValidateStateMachineDefinition => Rate::new(100, 1),
        Operation::StartSyncExecution => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_rate_except_one() {
        for region in ["us-east-1", "eu-central-1"] {
            for operation in Operation::ALL {
                let expected = operation != Operation::StartSyncExecution;
                assert_eq!(aws(operation, region).is_some_and(Rate::is_usable), expected, "{operation:?}");
            }
        }
        assert_eq!(aws(Operation::StopExecution, "eu-west-1"), Some(Rate::new(1_000, 200)));
        assert_eq!(aws(Operation::StopExecution, "eu-north-1"), Some(Rate::new(500, 25)));
    }
}
