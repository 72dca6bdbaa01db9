//! The queues of activity tasks that wait for a worker, and the workers that wait for a task. In memory; the store has the
//! queued tasks too, and this is rebuilt from it at start.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_store::ExecutionKey;
use tokio::sync::oneshot;

use crate::tasks::ActivityTask;

/// A task in a queue.
pub(crate) type Queued = (ExecutionKey, u32);

/// What a worker is given.
pub(crate) enum Given {
    /// A task that it has to take.
    Queued(Queued),
    /// A task that was started for a worker which waited.
    Started(ActivityTask),
}

/// A worker that waits for a task.
pub(crate) struct Worker {
    pub name: Option<Arc<str>>,
    given: oneshot::Sender<Given>,
}

#[derive(Default)]
pub(crate) struct Activities(Mutex<HashMap<Arc<str>, Queue>>);

/// Never holds both tasks and workers.
#[derive(Default)]
struct Queue {
    tasks: VecDeque<Given>,
    workers: VecDeque<Worker>,
}

impl Queue {
    /// Gives the task to the worker that has waited longest; back if there is none.
    fn give(&mut self, mut task: Given) -> Option<Given> {
        while let Some(worker) = self.workers.pop_front() {
            task = worker.given.send(task).err()?;
        }
        Some(task)
    }
}

impl Activities {
    /// Gives the task to the worker that has waited longest, or queues it.
    pub fn push(&self, activity_arn: &Arc<str>, task: Queued) {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        let left = queue.give(Given::Queued(task));
        queue.tasks.extend(left);
    }

    /// Gives what a worker could not take to another one, or puts it back to the front.
    pub fn push_front(&self, activity_arn: &Arc<str>, task: Given) {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        if let Some(task) = queue.give(task) {
            queue.tasks.push_front(task);
        }
    }

    /// Takes the worker that has waited longest, to start a task for it. Dropped without a task, it asks again.
    pub fn waiting(&self, activity_arn: &Arc<str>) -> Option<Worker> {
        let mut queues = self.lock();
        let workers = &mut queues.get_mut(activity_arn)?.workers;
        std::iter::from_fn(|| workers.pop_front()).find(|worker| !worker.given.is_closed())
    }

    /// Gives the worker the task that was started for it; if it has gone away meanwhile, another one.
    pub fn give(&self, activity_arn: &Arc<str>, worker: Worker, task: ActivityTask) {
        if let Err(task) = worker.given.send(Given::Started(task)) {
            self.push_front(activity_arn, task);
        }
    }

    /// The next task, or the place at which to wait for one. A worker that stops waiting drops the receiver.
    pub fn pop(
        &self,
        activity_arn: &Arc<str>,
        worker_name: Option<&str>,
    ) -> Result<Given, oneshot::Receiver<Given>> {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        if let Some(task) = queue.tasks.pop_front() {
            return Ok(task);
        }
        // Workers that have gone away are dropped here, so that idle pollers do not pile up.
        queue.workers.retain(|worker| !worker.given.is_closed());
        let (given, receiver) = oneshot::channel();
        queue.workers.push_back(Worker { name: worker_name.map(Into::into), given });
        Err(receiver)
    }

    /// Takes a task that nobody shall do any more out of its queue.
    pub fn remove(&self, activity_arn: &Arc<str>, task: Queued) {
        let mut queues = self.lock();
        if let Some(queue) = queues.get_mut(activity_arn) {
            queue.tasks.retain(|given| !matches!(given, Given::Queued(queued) if *queued == task));
            if queue.tasks.is_empty() && queue.workers.is_empty() {
                queues.remove(activity_arn);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
