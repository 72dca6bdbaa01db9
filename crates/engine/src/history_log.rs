//! The log of execution histories: what AWS writes to CloudWatch Logs for a state machine with a logging configuration.
//!
//! This room decides who is logged; how records look and where they go is the business of whoever implements
//! [`HistoryLog`]. An execution whose state machine has no logging pays one comparison for each commit.

use std::sync::Arc;

use stepwright_machine::{Event, Execution};
use stepwright_store::Pending;

use crate::engine::Engine;

/// Which events are logged, with what, and where to: the logging configuration of a state machine's revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logging {
    pub level: LogLevel,
    /// With inputs, outputs, parameters and variables.
    pub include_data: bool,
    /// The log group's ARN, as the configuration has it: `arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*`.
    pub log_group_arn: Arc<str>,
}

/// How much is logged. There is no `OFF`: then there is no [`Logging`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// The unsuccessful end of an execution.
    Fatal,
    /// Whatever fails.
    Error,
    All,
}

/// Takes events for the log. Never blocks and never fails: what cannot be kept is dropped and counted.
pub trait HistoryLog: Send + Sync + 'static {
    /// `events` of one execution, in order, which are durable by now (or those of an EXPRESS execution). Calls for one
    /// execution come one after another.
    fn committed(&self, logging: &Logging, execution: &Execution, events: &[Event]);

    /// Whether records for this log group would arrive.
    fn has_log_group(&self, _log_group_arn: &str) -> Pending<'_, bool> {
        Box::pin(std::future::ready(true))
    }
}

impl Engine {
    /// Where histories are logged, if anywhere.
    pub fn history_log(&self) -> Option<&Arc<dyn HistoryLog>> {
        self.history_log.as_ref()
    }
}
