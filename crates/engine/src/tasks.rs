//! What comes from outside for a task: callbacks with a token, and workers that take activity tasks.

use std::sync::{Arc, Mutex, PoisonError};

use stepwright_machine::{Execution, Input, QueuedActivity, TaskId, TaskPhase, TaskToken};
use stepwright_store::{ExecutionKey, Mutation, QueueItem};
use stepwright_value::Document;
use tokio::sync::oneshot;

use crate::activities::{Activities, Given, Worker};
use crate::deliver::{key_of_locator, locator};
use crate::engine::{Engine, to_its_end};
use crate::error::{CallbackError, DeliverError};

/// A task that a worker has taken.
#[derive(Clone, Debug)]
pub struct ActivityTask {
    pub token: String,
    pub input: Document,
}

/// A task that was started for a worker which waits: to give to it once that is durable.
pub(crate) struct HandedOver {
    pub activity_arn: Arc<str>,
    pub task: TaskId,
    pub worker: Worker,
    pub given: ActivityTask,
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

    /// Whether a task waits for the holder of the token. Changes nothing.
    pub async fn check_token(self: &Arc<Self>, token: &str) -> Result<(), CallbackError> {
        self.callback(token, |_| Input::Continue).await
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

    /// Finds a worker for a task that is to be queued; returns what starts it.
    pub(crate) fn hand_over(
        &self,
        key: ExecutionKey,
        execution: &Execution,
        queued: &QueuedActivity,
        handed_over: &mut Vec<HandedOver>,
    ) -> Option<Input> {
        // One that was cancelled in the same breath needs no worker.
        let input = execution.queued_activity(queued.task)?.clone();
        let worker = self.activities.waiting(&queued.activity_arn)?;
        let (token, started) = self.activity_start(key, queued.task, worker.name.clone());
        let (activity_arn, given) = (queued.activity_arn.clone(), ActivityTask { token, input });
        handed_over.push(HandedOver { activity_arn, task: queued.task, worker, given });
        Some(started)
    }

    /// A fresh token of the task, and what starts it for the worker that gets the token.
    fn activity_start(
        &self,
        key: ExecutionKey,
        task: TaskId,
        worker_name: Option<Arc<str>>,
    ) -> (String, Input) {
        let token = TaskToken::mint(&locator(key), task, &mut || self.entropy.next()).text();
        let token_hash = stepwright_machine::token::hash(&token);
        (token, Input::ActivityStarted { task, worker_name, token_hash })
    }

    /// The task that was started for a worker which went away, unless it has ended in the queue.
    async fn still_open(
        self: &Arc<Self>,
        activity_arn: &Arc<str>,
        task: ActivityTask,
    ) -> Result<Option<ActivityTask>, DeliverError> {
        let hash = stepwright_machine::token::hash(&task.token);
        let key = TaskToken::parse(&task.token).and_then(|token| key_of_locator(&token.locator));
        let Some(key) = key else { return Ok(None) };
        let mut on_its_way = OnItsWay { activities: &self.activities, activity_arn, task: Some(task) };
        let engine = self.clone();
        let is_open = to_its_end(async move {
            let slot = engine.hot.slot(key);
            let mut place = slot.lock().await;
            let loaded = engine.loaded(key, &mut place).await;
            let is_open = loaded.map(|loaded| loaded.execution.task_for_token(&hash).is_some());
            drop(place);
            engine.hot.release(key, slot);
            is_open
        });
        match is_open.await {
            Ok(false) | Err(DeliverError::NotFound) => {
                on_its_way.task = None;
                Ok(None)
            }
            Ok(true) => Ok(on_its_way.task.take()),
            Err(error) => Err(error),
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
            let given = match self.activities.pop(activity_arn, worker_name) {
                Ok(Given::Started(task)) => match self.still_open(activity_arn, task).await? {
                    Some(task) => return Ok(task),
                    None => continue,
                },
                Ok(given) => given,
                Err(receiver) => {
                    let mut wait = Wait { activities: &self.activities, activity_arn, receiver };
                    match (&mut wait.receiver).await {
                        Ok(given) => given,
                        // The task could not be started after all; ask again.
                        Err(_) => continue,
                    }
                }
            };
            let (key, task) = match given {
                Given::Queued(queued) => queued,
                Given::Started(task) => return Ok(task),
            };
            let (token, input) = self.activity_start(key, TaskId(task), worker_name.map(Into::into));
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

/// A started task on its way to a worker. When that goes away, it goes back to the queue.
struct OnItsWay<'a> {
    activities: &'a Activities,
    activity_arn: &'a Arc<str>,
    task: Option<ActivityTask>,
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            self.activities.push_front(self.activity_arn, Given::Started(task));
        }
    }
}

/// A worker that waits. When it goes away, a task that has just been given to it goes back to the queue.
struct Wait<'a> {
    activities: &'a Activities,
    activity_arn: &'a Arc<str>,
    receiver: oneshot::Receiver<Given>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.receiver.close();
        if let Ok(task) = self.receiver.try_recv() {
            self.activities.push_front(self.activity_arn, task);
        }
    }
}
