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

/// Numbered choices of behaviour, stored with each execution, so that an upgrade never changes an execution that is
/// under way. A number is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BehaviourFlags(pub u32);

impl BehaviourFlags {
    /// What new executions get.
    pub const CURRENT: BehaviourFlags = BehaviourFlags(1);
}

impl Default for BehaviourFlags {
    fn default() -> BehaviourFlags {
        BehaviourFlags::CURRENT
    }
}
