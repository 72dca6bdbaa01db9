//! Task calls that are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_asl::program;
use stepwright_machine::{Execution, Identity, Input, TaskCall, TaskId, TaskPhase};
use stepwright_store::{Dispatch, ExecutionKey, Mutation};
use stepwright_tasks::{
    Call, CancellationSignal, Canceller, Failure, FailureKind, Pattern, Resource, Success, cancellation,
};
use stepwright_types::error_name;

use crate::engine::Engine;
use crate::error::DeliverError;
use crate::limits::CallUnderWay;

/// An execution and a task of it.
pub(crate) type TaskKey = (ExecutionKey, u32);

/// How long a call that starts a job has to be answered when nobody waits for the job any more.
const CANCEL_MS: i64 = 60_000;

/// How long a call that nobody waits for any more can keep its place at a limit: as long as a Lambda function can run.
const OUTLAST_MS: i64 = 900_000;

/// How to cancel each call that is under way.
pub(crate) struct Dispatches {
    under_way: Mutex<HashMap<TaskKey, Canceller>>,
    /// Fires when the process is ending: calls that are not made now are made after the next start.
    closing: (Canceller, CancellationSignal),
}

impl Default for Dispatches {
    fn default() -> Dispatches {
        Dispatches { under_way: Mutex::default(), closing: cancellation() }
    }
}

impl Dispatches {
    pub fn cancel(&self, task: TaskKey) {
        if let Some(canceller) = self.lock().remove(&task) {
            canceller.cancel();
        }
    }

    /// Gives up all calls, and lets no more begin. Jobs go on: the next start waits for them again.
    pub fn close(&self) {
        let mut under_way = self.lock();
        self.closing.0.cancel();
        under_way.clear();
    }

    pub fn is_under_way(&self, task: TaskKey) -> bool {
        self.lock().contains_key(&task)
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// A call begins; `None` when no more may begin.
    fn begin(&self, task: TaskKey) -> Option<CancellationSignal> {
        let mut under_way = self.lock();
        if self.closing.1.is_cancelled() {
            return None;
        }
        let (canceller, cancelled) = cancellation();
        under_way.insert(task, canceller);
        Some(cancelled)
    }

    fn ended(&self, task: TaskKey) {
        self.lock().remove(&task);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskKey, Canceller>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Makes the call in the background, or waits for the job that it has started, and delivers the answer. The dispatch
    /// is durable already.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        key: ExecutionKey,
        task_call: TaskCall,
        identity: Arc<Identity>,
    ) {
        let task = task_call.task;
        let Some(mut cancelled) = self.dispatches.begin((key, task.0)) else { return };
        let mut closing = self.dispatches.closing.1.clone();
        let limited = CallUnderWay::begin(self, (key, task.0));
        let engine = self.clone();
        let work = async move {
            let goes_on = goes_on(&task_call);
            let job = runs_job(&task_call.resource).then(|| task_call.clone());
            // What goes on in the world although nobody waits for it any more keeps its place at a limit.
            let outlasts = limited.is_some() && job.is_none();
            let told = if outlasts { CancellationSignal::never() } else { cancelled.clone() };
            let mut answer = Box::pin(engine.answer_of(task_call, &identity, cancelled.clone(), told));
            let answer = tokio::select! {
                biased;
                () = closing.cancelled() => return,
                () = cancelled.cancelled() => {
                    if outlasts {
                        let latest_ms = engine.clock.now_ms().saturating_add(OUTLAST_MS);
                        tokio::select! {
                            () = closing.cancelled() => {}
                            () = engine.clock.sleep_until(latest_ms) => {}
                            _ = &mut answer => {}
                        }
                    }
                    if let Some(job) = job {
                        // What is being started must be known, so that it can be stopped.
                        let latest = engine.clock.sleep_until(engine.clock.now_ms() + CANCEL_MS);
                        let started = tokio::select! {
                            () = closing.cancelled() => return,
                            () = latest => None,
                            answer = &mut answer => answer.ok(),
                        };
                        engine.stop_job(key, job, &identity, started).await;
                    }
                    return;
                }
                answer = &mut answer => answer,
            };
            drop(limited);
            engine.dispatches.ended((key, task.0));
            // One that only waited for the job's end has nothing to stop.
            let begun = job.filter(|job| job.submitted.is_none());
            let late = engine.answer(key, task, answer, goes_on, begun).await;
            if let Some((job, started)) = late {
                engine.stop_job(key, job, &identity, started).await;
            }
        };
        // A task lies at a multiple of 128 bytes, which costs the allocator dear where the task is large.
        tokio::spawn(Box::pin(work));
    }

    /// What the target says. Calls to the outside world wait for their turn; waiting for a job takes no place. A call that is
    /// `cancelled` before it has begun is not made; the target hears of it through `told`.
    async fn answer_of(
        &self,
        mut task_call: TaskCall,
        identity: &Identity,
        cancelled: CancellationSignal,
        told: CancellationSignal,
    ) -> Result<Success, Failure> {
        let submitted = task_call.submitted.take();
        let call = self.call(task_call, identity);
        if let Some(submitted) = submitted {
            return self.targets.await_job(call, submitted, told).await;
        }
        let is_inside = self.targets.is_inside(&call.resource);
        // The semaphore is never closed.
        let _turn = if is_inside { None } else { self.calls.clone().acquire_owned().await.ok() };
        if cancelled.is_cancelled() {
            return Err(Failure::new(error_name::TASK_FAILED, "The call was cancelled."));
        }
        self.targets.call(call, told).await
    }

    /// Delivers the answer. One that comes too late (the task timed out, the execution ended) yields no event; if it tells of
    /// a job that was `begun`, that is given back with what it answered, to be stopped: its dispatch is still there.
    async fn answer(
        self: &Arc<Self>,
        key: ExecutionKey,
        task: TaskId,
        answer: Result<Success, Failure>,
        goes_on: bool,
        begun: Option<TaskCall>,
    ) -> Option<(TaskCall, Option<Success>)> {
        let started = begun.as_ref().and_then(|_| answer.as_ref().ok().cloned());
        let input = input_of(task, answer, goes_on);
        let in_time =
            |execution: &Execution| (begun.is_none() || execution.is_pending(task)).then_some(input);
        let answered = vec![Mutation::Answered(Dispatch { key, task: task.0 })];
        match self.deliver(key, in_time, answered, |_, _| ()).await {
            Ok(()) | Err(DeliverError::NotFound) => None,
            Err(DeliverError::Refused) => begun.map(|job| (job, started)),
            Err(error) => {
                tracing::error!(execution = ?key, %error, "a task's answer could not be delivered");
                None
            }
        }
    }

    /// Makes a call that belongs to no stored execution, and gives what it means for its task: for a test of one state.
    /// It takes one of the places for calls. Dropping the future cancels the call.
    pub async fn call_once(&self, task_call: TaskCall, identity: &Identity) -> Input {
        let task = task_call.task;
        let goes_on = goes_on(&task_call);
        let answer = self
            .answer_of(task_call, identity, CancellationSignal::never(), CancellationSignal::never())
            .await;
        input_of(task, answer, goes_on)
    }

    pub(crate) fn call(&self, call: TaskCall, identity: &Identity) -> Call {
        Call {
            resource: resource(&call.resource),
            parameters: call.parameters,
            idempotency_token: call.idempotency,
            execution_arn: identity.execution_arn.to_string(),
            state_name: call.state_name.to_string(),
            role_arn: Some(call.credentials.as_ref().unwrap_or(&identity.role_arn).to_string()),
            region: identity.account.region.clone(),
            account_id: identity.account.account_id.clone(),
        }
    }
}

/// What the answer of a call means for its task; `goes_on` when the task is not ended by it.
fn input_of(task: TaskId, answer: Result<Success, Failure>, goes_on: bool) -> Input {
    match answer {
        Ok(Success { output }) if goes_on => Input::TaskSubmitted { task, output },
        Ok(Success { output }) => Input::TaskSucceeded { task, output },
        Err(failure) => Input::TaskFailed {
            task,
            error: failure.error.into(),
            cause: failure.cause.map(Into::into),
            phase: match failure.kind {
                FailureKind::StartFailed => TaskPhase::Start,
                FailureKind::Failed => TaskPhase::Run,
            },
        },
    }
}

/// Whether the task goes on after the call has been answered: until a callback comes, or the job has ended.
fn goes_on(call: &TaskCall) -> bool {
    let waits_for_token = matches!(&*call.resource, program::Resource::Integration(integration)
        if integration.pattern == program::Pattern::WaitForTaskToken);
    waits_for_token || (runs_job(&call.resource) && call.submitted.is_none())
}

fn runs_job(resource: &program::Resource) -> bool {
    matches!(resource, program::Resource::Integration(integration)
        if matches!(integration.pattern, program::Pattern::Sync | program::Pattern::Sync2))
}

fn resource(resource: &program::Resource) -> Resource {
    match resource {
        program::Resource::Lambda { arn } | program::Resource::Activity { arn } => {
            Resource::LambdaFunction { arn: arn.to_string() }
        }
        program::Resource::Integration(integration) => Resource::Integration {
            service: integration.service.to_string(),
            action: integration.action.to_string(),
            pattern: match integration.pattern {
                program::Pattern::RequestResponse => Pattern::RequestResponse,
                program::Pattern::Sync => Pattern::Sync,
                program::Pattern::Sync2 => Pattern::Sync2,
                program::Pattern::WaitForTaskToken => Pattern::WaitForTaskToken,
            },
        },
    }
}
