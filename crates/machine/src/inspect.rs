//! What a driver asks of an execution between steps.

use stepwright_asl::program::Resource;
use stepwright_value::{Document, Object, Value};

use crate::branch::Progress;
use crate::context::Context;
use crate::effect::Effect;
use crate::event::{BranchId, RunId, TaskId};
use crate::execution::Execution;
use crate::map_run::MapRun;
use crate::outstanding;

impl Execution {
    /// The input of an activity's task that no worker has taken yet.
    pub fn queued_activity(&self, task: TaskId) -> Option<&Document> {
        let task = self.tasks.get(&task)?;
        let is_queued =
            matches!(*task.resource, Resource::Activity { .. }) && task.progress == Progress::Scheduled;
        is_queued.then_some(&task.parameters)
    }

    /// Whether the task is outstanding.
    pub fn is_pending(&self, task: TaskId) -> bool {
        self.tasks.contains_key(&task)
    }

    /// What makes the call of the task, or queues it for a worker; `None` when it is not outstanding.
    pub fn call_of(&self, task: TaskId) -> Option<Effect> {
        outstanding::call(self, task, self.tasks.get(&task)?)
    }

    /// Whether the task has been scheduled, and nothing has been heard of it since.
    pub fn is_scheduled(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|task| task.progress == Progress::Scheduled)
    }

    /// `$states` as expressions of the task's state see it, and `arguments`: what its call is made with. Without a task:
    /// `input` is the execution's.
    pub fn states_of(&self, task: Option<TaskId>) -> Option<Value> {
        let task = match task {
            Some(task) => Some(self.tasks.get(&task)?),
            None => None,
        };
        let branch = self.branches.get(&task.map_or(BranchId::ROOT, |task| task.branch))?;
        let mut states = Object::with_capacity(3);
        let input = if task.is_some() { &branch.input } else { &self.identity.input };
        states.insert("input", input.value().clone());
        states.insert("context", Context::new(self, branch).value());
        if let Some(task) = task {
            states.insert("arguments", task.parameters.value().clone());
        }
        Some(states.into())
    }

    /// The map run, when the execution waits for it.
    pub fn map_run(&self, run: RunId) -> Option<MapRun> {
        let mut lines = self.branches.values();
        let line = lines.find(|line| line.open_run().is_some_and(|open| open.id == run))?;
        MapRun::of(self, line)
    }

    /// Whether a call is under way whose answer will come from a task target, usually soon.
    pub fn awaits_call(&self) -> bool {
        self.tasks.values().any(|task| {
            !matches!(*task.resource, Resource::Activity { .. }) && task.progress < Progress::Submitted
        })
    }
}
