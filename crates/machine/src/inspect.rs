//! What a driver asks of an execution between steps.

use stepwright_asl::program::Resource;
use stepwright_value::Document;

use crate::branch::Progress;
use crate::event::TaskId;
use crate::execution::Execution;

impl Execution {
    /// The input of an activity's task that no worker has taken yet.
    pub fn queued_activity(&self, task: TaskId) -> Option<&Document> {
        let task = self.tasks.get(&task)?;
        let is_queued =
            matches!(*task.resource, Resource::Activity { .. }) && task.progress == Progress::Scheduled;
        is_queued.then_some(&task.parameters)
    }

    /// Whether a call is under way whose answer will come from a task target, usually soon.
    pub fn awaits_call(&self) -> bool {
        self.tasks.values().any(|task| {
            !matches!(*task.resource, Resource::Activity { .. }) && task.progress < Progress::Submitted
        })
    }
}
