//! Task calls that are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_asl::program;
use stepwright_machine::{Identity, Input, TaskCall, TaskId, TaskPhase};
use stepwright_store::{Dispatch, ExecutionKey, Mutation};
use stepwright_tasks::{
    Call, CancellationSignal, Canceller, Failure, FailureKind, Pattern, Resource, Success, cancellation,
};
use stepwright_value::Document;

use crate::engine::Engine;
use crate::error::DeliverError;

/// An execution and a task of it.
pub(crate) type TaskKey = (ExecutionKey, u32);

/// How to cancel each call that is under way.
#[derive(Default)]
pub(crate) struct Dispatches(Mutex<Calls>);

#[derive(Default)]
struct Calls {
    under_way: HashMap<TaskKey, Canceller>,
    /// The process is ending: calls that are not made now are made after the next start.
    closed: bool,
}

impl Dispatches {
    pub fn cancel(&self, task: TaskKey) {
        if let Some(canceller) = self.lock().under_way.remove(&task) {
            canceller.cancel();
        }
    }

    /// Cancels all calls, and lets no more begin.
    pub fn close(&self) {
        let mut calls = self.lock();
        calls.closed = true;
        for (_, canceller) in calls.under_way.drain() {
            canceller.cancel();
        }
    }

    pub fn is_under_way(&self, task: TaskKey) -> bool {
        self.lock().under_way.contains_key(&task)
    }

    pub fn len(&self) -> usize {
        self.lock().under_way.len()
    }

    /// A call begins; `None` when no more may begin.
    fn begin(&self, task: TaskKey) -> Option<CancellationSignal> {
        let mut calls = self.lock();
        if calls.closed {
            return None;
        }
        let (canceller, cancelled) = cancellation();
        calls.under_way.insert(task, canceller);
        Some(cancelled)
    }

    fn ended(&self, task: TaskKey) {
        self.lock().under_way.remove(&task);
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Makes the call in the background and delivers its answer. The dispatch is durable already.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        key: ExecutionKey,
        task_call: TaskCall,
        identity: Arc<Identity>,
    ) {
        let task = task_call.task;
        let Some(mut cancelled) = self.dispatches.begin((key, task.0)) else { return };
        let engine = self.clone();
        tokio::spawn(async move {
            let waits_for_token = waits_for_token(&task_call.resource);
            let answer = {
                let turn = tokio::select! {
                    biased;
                    () = cancelled.cancelled() => return,
                    turn = engine.calls.clone().acquire_owned() => turn,
                };
                // The semaphore is never closed.
                let Ok(_turn) = turn else { return };
                let answer = engine.targets.call(engine.call(task_call, &identity), cancelled.clone());
                tokio::select! {
                    biased;
                    () = cancelled.cancelled() => return,
                    answer = answer => answer,
                }
            };
            engine.dispatches.ended((key, task.0));
            engine.answer(key, task, answer, waits_for_token).await;
        });
    }

    async fn answer(
        self: &Arc<Self>,
        key: ExecutionKey,
        task: TaskId,
        answer: Result<Success, Failure>,
        waits_for_token: bool,
    ) {
        let input = input_of(task, answer, waits_for_token);
        let answered = vec![Mutation::Answered(Dispatch { key, task: task.0 })];
        match self.deliver(key, |_| Some(input), answered, |_, _| ()).await {
            // An answer that comes too late (the task timed out, the execution ended) yields no event.
            Ok(()) | Err(DeliverError::NotFound) => {}
            Err(error) => tracing::error!(execution = ?key, %error, "a task's answer could not be delivered"),
        }
    }

    /// Makes a call that belongs to no stored execution, and gives what it means for its task: for a test of one state.
    /// It takes one of the places for calls. Dropping the future cancels the call.
    pub async fn call_once(&self, task_call: TaskCall, identity: &Identity) -> Input {
        let task = task_call.task;
        let waits_for_token = waits_for_token(&task_call.resource);
        // The semaphore is never closed.
        let _turn = self.calls.clone().acquire_owned().await;
        let answer = self.targets.call(self.call(task_call, identity), CancellationSignal::never()).await;
        input_of(task, answer, waits_for_token)
    }

    fn call(&self, call: TaskCall, identity: &Identity) -> Call {
        Call {
            resource: resource(&call.resource),
            parameters: call.parameters.text().to_owned(),
            idempotency_token: call.idempotency,
            execution_arn: identity.execution_arn.to_string(),
            state_name: call.state_name.to_string(),
            role_arn: Some(call.credentials.as_ref().unwrap_or(&identity.role_arn).to_string()),
            region: self.account.region.clone(),
            account_id: self.account.account_id.clone(),
            deadline_ms: call.deadline_ms.and_then(|ms| u64::try_from(ms).ok()),
        }
    }
}

/// What the answer of a call means for its task.
fn input_of(task: TaskId, answer: Result<Success, Failure>, waits_for_token: bool) -> Input {
    match answer {
        Ok(Success { output }) => match Document::parse(&output) {
            Ok(output) if waits_for_token => Input::TaskSubmitted { task, output },
            Ok(output) => Input::TaskSucceeded { task, output },
            Err(error) => Input::TaskFailed {
                task,
                error: stepwright_types::error_name::RUNTIME.into(),
                cause: Some(format!("The result of the task is not JSON: {error}").into()),
                phase: TaskPhase::Run,
            },
        },
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

fn waits_for_token(resource: &program::Resource) -> bool {
    matches!(resource, program::Resource::Integration(integration)
        if integration.pattern == program::Pattern::WaitForTaskToken)
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
