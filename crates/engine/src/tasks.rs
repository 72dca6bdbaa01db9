//! What comes from outside for a task: callbacks with a token, and workers that take activity tasks.

use std::sync::{Arc, Mutex, PoisonError};

use stepwright_machine::{Execution, Input, TaskId, TaskPhase, TaskToken};
use stepwright_store::{Mutation, QueueItem};
use stepwright_value::Document;
use tokio::sync::oneshot;

use crate::activities::{Activities, Queued};
use crate::deliver::{key_of_locator, locator};
use crate::engine::{Engine, to_its_end};
use crate::error::{CallbackError, DeliverError};

/// A task that a worker has taken.
#[derive(Clone, Debug)]
pub struct ActivityTask {
    pub token: String,
    pub input: Document,
}

impl Engine {
    /// `SendTaskSuccess`.
    pub async fn task_succeeded(
        self: &Arc<Self>,
        token: &str,
        output: Document,
    ) -> Result<(), CallbackError> {
        self.callback(token, move |task| Input::TaskSucceeded { task, output }).await
    }

    /// `SendTaskFailure`.
    pub async fn task_failed(
        self: &Arc<Self>,
        token: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Result<(), CallbackError> {
        self.callback(token, move |task| Input::TaskFailed {
            task,
            error: error.unwrap_or_default().into(),
            cause: cause.map(Into::into),
            phase: TaskPhase::Run,
        })
        .await
    }

    /// `SendTaskHeartbeat`.
    pub async fn task_heartbeat(self: &Arc<Self>, token: &str) -> Result<(), CallbackError> {
        self.callback(token, move |task| Input::Heartbeat { task }).await
    }

    async fn callback(
        self: &Arc<Self>,
        token: &str,
        input: impl FnOnce(TaskId) -> Input + Send + 'static,
    ) -> Result<(), CallbackError> {
        let parsed = TaskToken::parse(token).ok_or(CallbackError::InvalidToken)?;
        let key = key_of_locator(&parsed.locator).ok_or(CallbackError::InvalidToken)?;
        let hash = stepwright_machine::token::hash(token);
        let waits = move |execution: &Execution| execution.task_for_token(&hash).map(input);
        let engine = self.clone();
        let delivered = async move { engine.deliver(key, waits, Vec::new(), |_, _| ()).await };
        match to_its_end(delivered).await {
            Ok(()) => Ok(()),
            Err(DeliverError::NotFound) => Err(CallbackError::InvalidToken),
            Err(DeliverError::Refused) => Err(CallbackError::TaskGone),
            Err(error) => Err(CallbackError::Deliver(error)),
        }
    }

    /// Waits for a task of the activity and takes it for the worker. The caller may drop the future at any time: a task that
    /// is not yet taken goes back to its queue.
    pub async fn activity_task(
        self: &Arc<Self>,
        activity_arn: &Arc<str>,
        worker_name: Option<&str>,
    ) -> Result<ActivityTask, DeliverError> {
        loop {
            let (key, task) = match self.activities.pop(activity_arn) {
                Ok(queued) => queued,
                Err(receiver) => {
                    let mut wait = Wait { activities: &self.activities, activity_arn, receiver };
                    match (&mut wait.receiver).await {
                        Ok(queued) => queued,
                        // The queue was dropped with its workers; ask again.
                        Err(_) => continue,
                    }
                }
            };
            let mut random = || self.entropy.next();
            let token = TaskToken::mint(&locator(key), TaskId(task), &mut random).text();
            let input = Input::ActivityStarted {
                task: TaskId(task),
                worker_name: worker_name.map(Into::into),
                token_hash: stepwright_machine::token::hash(&token),
            };
            let item = QueueItem { queue: activity_arn.clone(), key, task };
            // From here on the task is taken, whether or not the worker still listens: as on AWS, its timeouts watch over it.
            let engine = self.clone();
            let taken = to_its_end(async move {
                let dequeue = vec![Mutation::Dequeue(item)];
                let payload = Mutex::new(None);
                let waits = |execution: &Execution| {
                    let found = execution.queued_activity(TaskId(task)).cloned();
                    let waits = found.is_some();
                    *payload.lock().unwrap_or_else(PoisonError::into_inner) = found;
                    waits.then_some(input)
                };
                engine.deliver(key, waits, dequeue, |_, _| ()).await?;
                let payload = payload.into_inner().unwrap_or_else(PoisonError::into_inner);
                Ok::<_, DeliverError>(payload.unwrap_or_default())
            });
            match taken.await {
                Ok(input) => return Ok(ActivityTask { token, input }),
                // It timed out or its execution ended in the queue: take the next one.
                Err(DeliverError::Refused | DeliverError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A worker that waits. When it goes away, a task that has just been given to it goes back to the queue.
struct Wait<'a> {
    activities: &'a Activities,
    activity_arn: &'a Arc<str>,
    receiver: oneshot::Receiver<Queued>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.receiver.close();
        if let Ok(task) = self.receiver.try_recv() {
            self.activities.push_front(self.activity_arn, task);
        }
    }
}
