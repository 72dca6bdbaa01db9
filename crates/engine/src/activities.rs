//! The queues of activity tasks that wait for a worker, and the workers that wait for a task. In memory; the store has the
//! queued tasks too, and this is rebuilt from it at start.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_store::ExecutionKey;
use tokio::sync::oneshot;

/// A task in a queue.
pub(crate) type Queued = (ExecutionKey, u32);

#[derive(Default)]
pub(crate) struct Activities(Mutex<HashMap<Arc<str>, Queue>>);

/// Never holds both tasks and workers.
#[derive(Default)]
struct Queue {
    tasks: VecDeque<Queued>,
    workers: VecDeque<oneshot::Sender<Queued>>,
}

impl Activities {
    /// Gives the task to the worker that has waited longest, or queues it.
    pub fn push(&self, activity_arn: &Arc<str>, task: Queued) {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        while let Some(worker) = queue.workers.pop_front() {
            if worker.send(task).is_ok() {
                return;
            }
        }
        queue.tasks.push_back(task);
    }

    /// Puts a task that a worker could not take back to the front.
    pub fn push_front(&self, activity_arn: &Arc<str>, task: Queued) {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        while let Some(worker) = queue.workers.pop_front() {
            if worker.send(task).is_ok() {
                return;
            }
        }
        queue.tasks.push_front(task);
    }

    /// The next task, or the place at which to wait for one. A worker that stops waiting drops the receiver.
    pub fn pop(&self, activity_arn: &Arc<str>) -> Result<Queued, oneshot::Receiver<Queued>> {
        let mut queues = self.lock();
        let queue = queues.entry(activity_arn.clone()).or_default();
        if let Some(task) = queue.tasks.pop_front() {
            return Ok(task);
        }
        // Workers that have gone away are dropped here, so that idle pollers do not pile up.
        queue.workers.retain(|worker| !worker.is_closed());
        let (sender, receiver) = oneshot::channel();
        queue.workers.push_back(sender);
        Err(receiver)
    }

    /// Takes a task that nobody shall do any more out of its queue.
    pub fn remove(&self, activity_arn: &Arc<str>, task: Queued) {
        let mut queues = self.lock();
        if let Some(queue) = queues.get_mut(activity_arn) {
            queue.tasks.retain(|queued| *queued != task);
            if queue.tasks.is_empty() && queue.workers.is_empty() {
                queues.remove(activity_arn);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
