//! Who an execution is: everything about it that was decided when it was started and never changes.

use std::sync::Arc;

use stepwright_types::arn::Account;
use stepwright_value::Document;

/// What an execution is called, where it runs and with what it began. Shared: the engine makes it once per execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// `$$.Execution.Id`.
    pub execution_arn: Arc<str>,
    /// `$$.Execution.Name`.
    pub execution_name: Arc<str>,
    /// `$$.StateMachine.Id`: the ARN that the execution was started with, version or alias included where AWS shows it.
    pub machine_arn: Arc<str>,
    /// `$$.StateMachine.Name`.
    pub machine_name: Arc<str>,
    /// `$$.Execution.RoleArn`.
    pub role_arn: Arc<str>,
    /// `$$.Execution.StartTime`. Milliseconds since 1970.
    pub start_ms: i64,
    /// `$$.Execution.Input`.
    pub input: Document,
    pub kind: ExecutionKind,
    /// Partition, region and account in which the execution runs.
    pub account: Arc<Account>,
    /// Opaque text that leads from a task token back to this execution: the engine's key of it.
    pub locator: Arc<str>,
}

/// The type of a state machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExecutionKind {
    Standard,
    Express,
}

/// A change of what executions do. Its number is stored with each execution that has it, so that an upgrade changes
/// nothing for those that are under way.
///
/// Added at the end, never renumbered, never used for something else once released. All changes of one topic between two
/// releases share one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Behaviour {
    /// What the first executions did: records without a number are theirs.
    First = 1,
    /// Errors, histories and results as AWS was measured to have them.
    Measured = 2,
}

/// Which [`Behaviour`]s an execution has: all up to the newest that there was when it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BehaviourFlags(u32);

impl BehaviourFlags {
    /// What new executions get.
    pub const CURRENT: BehaviourFlags = BehaviourFlags(Behaviour::Measured as u32);
    /// Those of executions from before numbers were stored.
    pub const FIRST: BehaviourFlags = BehaviourFlags(Behaviour::First as u32);

    pub fn has(self, behaviour: Behaviour) -> bool {
        behaviour as u32 <= self.0
    }

    /// What is stored with the execution.
    pub fn number(self) -> u32 {
        self.0
    }

    /// What was stored with an execution; one of a later version, which this one would not go on with as it began, is refused.
    pub fn from_number(number: u32) -> Result<BehaviourFlags, UnknownBehaviour> {
        let is_known = (Self::FIRST.0..=Self::CURRENT.0).contains(&number);
        is_known.then_some(BehaviourFlags(number)).ok_or(UnknownBehaviour { number })
    }
}

/// The execution behaves in a way that this version does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "it was started by a later version of Stepwright (behaviour {number}; this version knows 1 to {}): \
     run a version that is at least as new",
    BehaviourFlags::CURRENT.0
)]
pub struct UnknownBehaviour {
    pub number: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_back_and_unknown_ones_are_refused() {
        for flags in [BehaviourFlags::FIRST, BehaviourFlags::CURRENT] {
            assert_eq!(BehaviourFlags::from_number(flags.number()), Ok(flags));
        }
        assert!(BehaviourFlags::CURRENT.has(Behaviour::First));
        assert!(!BehaviourFlags::FIRST.has(Behaviour::Measured));
        for number in [0, BehaviourFlags::CURRENT.number() + 1] {
            assert!(BehaviourFlags::from_number(number).is_err());
        }
        let refused = UnknownBehaviour { number: 9 }.to_string();
        assert!(
            refused.starts_with("it was started by a later version of Stepwright (behaviour 9;"),
            "{refused}"
        );
    }
}
