//! Somebody who watches executions inside this process, such as a live view.

use stepwright_machine::{Event, Execution, Identity};

/// Sees what has happened, as soon as it is durable.
pub trait Observer: Send + Sync + 'static {
    /// `events` of one execution, in order, after the commit that made them durable and before their effects are
    /// performed. Calls for one execution come one after another. The execution waits for the return: be quick.
    fn committed(&self, execution: &Identity, events: &[Event]);

    /// The execution as it is after a commit, also after one without events. For tests of the engine itself.
    fn stepped(&self, _execution: &Execution) {}
}
