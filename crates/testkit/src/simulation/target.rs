//! Functions: answer, fail or keep silent as their name says and the dice fall.

use std::sync::Arc;
use std::time::Duration;

use stepwright_engine::Clock;
use stepwright_machine::event::TaskScheduled;
use stepwright_machine::{EventBody, TaskToken};
use stepwright_store::{ExecutionKey, Store};
use stepwright_tasks::BoxFuture;
use stepwright_tasks::{
    Call, CancellationSignal, Failure, FailureKind, Pattern, Resource, Success, TaskTarget,
};
use stepwright_value::{Document, Value};
use tokio::sync::mpsc;

use crate::clock::SimulatedClock;
use crate::disk::{Disk, now};
use crate::history;
use crate::simulation::jobs::Jobs;
use crate::simulation::world::{Held, Reply, World};

/// All functions.
pub struct Functions {
    pub world: Arc<World>,
    pub disk: Arc<Disk>,
    pub clock: Arc<SimulatedClock>,
    /// Tokens that functions have got.
    pub tokens: mpsc::UnboundedSender<String>,
    /// What tasks with `.sync` start.
    pub jobs: Arc<Jobs>,
    /// The process is being shut down: every call fails, and nobody may hear of it.
    pub closed: Arc<std::sync::atomic::AtomicBool>,
}

/// What a function does.
enum Plan {
    Answer,
    Fail(FailureKind, &'static str),
    Silence,
}

impl TaskTarget for Functions {
    fn call(&self, call: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        if self.closed.load(std::sync::atomic::Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(Failure::new("Closed", "the functions are shut down"))));
        }
        self.check(&call);
        if is_job(&call) {
            let jobs = self.jobs.clone();
            return Box::pin(async move { jobs.start(call).await });
        }
        let name = name_of(&call);
        let (delay_ms, plan) = self.plan(&name);
        self.world.note(self.clock.now_ms(), format_args!("call {name} {}", call.execution_arn));
        let answer = self.world.answer(&call.parameters);
        if let Some(token) = token_in(&call.parameters) {
            self.hold(&call, token, &answer);
        }
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            match plan {
                Plan::Answer => Ok(Success { output: Document::from_stored_text(answer) }),
                Plan::Fail(kind, error) => Err(Failure { kind, ..Failure::new(error, "the dice fell so") }),
                Plan::Silence => std::future::pending().await,
            }
        })
    }

    fn await_job(
        &self,
        call: Call,
        submitted: Document,
        cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        let jobs = self.jobs.clone();
        Box::pin(async move { jobs.await_end(call, submitted, cancel).await })
    }

    fn stop_job(&self, call: Call, submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        let jobs = self.jobs.clone();
        Box::pin(async move { jobs.stop(call, submitted).await })
    }

    fn is_inside(&self, resource: &Resource) -> bool {
        matches!(resource, Resource::Integration { pattern: Pattern::Sync, .. })
    }
}

impl Functions {
    fn plan(&self, name: &str) -> (u64, Plan) {
        let dice = &mut self.world.lock().dice;
        let fate = dice.below(100);
        let delay_ms = if dice.percent(30) { 0 } else { dice.below(4_000) };
        match name {
            "flaky" if fate < 3 => (delay_ms, Plan::Fail(FailureKind::StartFailed, "Flaky")),
            "flaky" if fate < 25 => (delay_ms, Plan::Fail(FailureKind::Failed, "Flaky")),
            "silent" if fate < 40 => (delay_ms, Plan::Silence),
            "silent" if fate < 60 => (delay_ms * 2, Plan::Fail(FailureKind::Failed, "Bad")),
            "silent" => (delay_ms * 2, Plan::Answer),
            "bad" if fate < 40 => (delay_ms, Plan::Fail(FailureKind::Failed, "Bad")),
            "mute" if fate < 50 => (delay_ms, Plan::Silence),
            "mute" => (delay_ms * 4, Plan::Answer),
            _ => (delay_ms, Plan::Answer),
        }
    }

    /// The caller gave a token with the call: somebody will use it, or not.
    fn hold(&self, call: &Call, token: String, answer: &str) {
        let has_deadline =
            self.scheduled(call).flatten().is_some_and(|scheduled| scheduled.timeout.is_some());
        let held = {
            let dice = &mut self.world.lock().dice;
            let reply = match dice.below(10) {
                0 if has_deadline => None,
                1 if has_deadline => Some(Reply::Failure("Refused")),
                _ => Some(Reply::Success(answer.to_owned())),
            };
            let heartbeats = dice.below(5) as u32;
            Held { heartbeats, pause_ms: dice.below(9_000), reply, accepted: false, settled: false }
        };
        if self.world.hold(&token, held) {
            // The receiver is there as long as the process is.
            let _ = self.tokens.send(token);
        }
    }

    /// The cause of a call is durable before the call is made; the same attempt has the same idempotency token, another attempt
    /// another one.
    fn check(&self, call: &Call) {
        let parts = (call.execution_arn.clone(), call.state_name.clone(), call.parameters.text().to_owned());
        let mut state = self.world.lock();
        let earlier = state.calls.entry(call.idempotency_token.clone()).or_insert_with(|| parts.clone());
        let agrees = *earlier == parts;
        drop(state);
        if !agrees {
            self.world.violated(format!("one idempotency token for two calls: {parts:?}"));
        }
        if self.scheduled(call).is_some_and(|scheduled| scheduled.is_none()) {
            self.world.violated(format!("{} is called before that is durable", call.execution_arn));
        }
    }

    /// The event that tells of the call, as far as it is durable; `None` when the store is lost. What was called before that
    /// is fine.
    fn scheduled(&self, call: &Call) -> Option<Option<TaskScheduled>> {
        if call.execution_arn.contains(":express:") {
            // Nothing of it is stored before it ends.
            return None;
        }
        let (machine, name) = match call.execution_arn.rsplitn(3, ':').collect::<Vec<_>>()[..] {
            [name, machine, _] => (crate::machines::account().state_machine(machine), name),
            _ => return Some(None),
        };
        let store = self.disk.store();
        let row = now(store.execution_by_name(&machine, name))?.ok()?;
        let Some(row) = row else { return Some(None) };
        let segments = now(store.segments(row.key, 1))?.ok()?;
        let events = history::events(&segments).unwrap_or_default();
        Some(events.into_iter().find_map(|event| match event.body {
            EventBody::TaskScheduled(scheduled) if scheduled.parameters.text() == call.parameters.text() => {
                Some(*scheduled)
            }
            _ => None,
        }))
    }
}

fn is_job(call: &Call) -> bool {
    matches!(call.resource, Resource::Integration { pattern: Pattern::Sync, .. })
}

fn name_of(call: &Call) -> String {
    match &call.resource {
        Resource::LambdaFunction { arn } => arn.rsplit(':').next().unwrap_or_default().to_owned(),
        Resource::Integration { pattern: Pattern::WaitForTaskToken, .. } => "ask".to_owned(),
        Resource::Integration { .. } => "steady".to_owned(),
    }
}

fn token_in(parameters: &Document) -> Option<String> {
    let token = parameters.value().get("Payload")?.get("token").and_then(Value::as_str)?;
    TaskToken::parse(token).map(|_| token.to_owned())
}

/// The execution that a token's locator names.
pub fn key_of(locator: &str) -> Option<ExecutionKey> {
    u64::from_str_radix(locator, 16).ok().and_then(ExecutionKey::from_bits)
}
