//! Somebody who watches executions inside this process, such as a live view.

use stepwright_machine::{Event, Execution, Identity};

use crate::map_runs::Counts;

/// Sees what has happened, as soon as it is durable.
pub trait Observer: Send + Sync + 'static {
    /// `events` of one execution, in order, after the commit that made them durable and before their effects are
    /// performed. Calls for one execution come one after another. The execution waits for the return: be quick.
    fn committed(&self, execution: &Identity, events: &[Event]);

    /// How far a map run is. Comes often; what it says is durable, but for the limits of what runs now.
    fn map_run(&self, _progress: &MapRunProgress<'_>) {}

    /// The execution as it is after a commit, also after one without events. For tests of the engine itself.
    fn stepped(&self, _execution: &Execution) {}
}

/// How far a map run is.
#[derive(Clone, Copy, Debug)]
pub struct MapRunProgress<'a> {
    pub map_run_arn: &'a str,
    /// The execution that has the Map state.
    pub execution_arn: &'a str,
    pub items: Counts,
}
