//! This service as something that a Task state can call: `arn:aws:states:::aws-sdk:sfn:ACTION` for all operations, and the
//! optimised integration `arn:aws:states:::states:startExecution` in all its patterns. Calls are made within the process.
//!
//! - `dialect` is how the two integrations write parameters, results and errors;
//! - `nested` starts executions, and waits for those that `.sync` has started.
//!
//! Left out: calls into another account or region.

mod dialect;
mod nested;

use std::sync::{Arc, Weak};

use stepwright_tasks::{
    BoxFuture, Call, CancellationSignal, Failure, Pattern, Resource, Success, TaskTarget,
};
use stepwright_types::arn::Account;
use stepwright_value::Document;
use tokio::sync::watch;

use crate::api::Api;
use crate::error::ApiError;
use crate::model::Operation;
use dialect::{Answer, Dialect};

/// The service's own operations as a task target. It is made before the [`Api`], which needs an engine, which needs its
/// targets: [`SelfTarget::connect`] closes the circle.
#[derive(Default)]
pub struct SelfTarget {
    api: watch::Sender<Option<Weak<Api>>>,
}

/// Which service names a registry of targets shall know this one by.
pub const SERVICES: [&str; 2] = ["states:startExecution", "aws-sdk:sfn"];

impl SelfTarget {
    /// Not connected: calls wait.
    pub fn new() -> SelfTarget {
        SelfTarget::default()
    }

    /// From now on calls go to `api`, those that have waited for it too.
    pub fn connect(&self, api: &Arc<Api>) {
        self.api.send_replace(Some(Arc::downgrade(api)));
    }

    fn connected(&self) -> impl Future<Output = Result<Arc<Api>, Failure>> + Send + 'static {
        let mut api = self.api.subscribe();
        async move {
            let api = api.wait_for(Option::is_some).await.ok().and_then(|api| api.as_ref()?.upgrade());
            api.ok_or_else(|| Failure::start("States.Runtime", "The service is shutting down."))
        }
    }
}

impl TaskTarget for SelfTarget {
    fn call(&self, call: Call, cancel: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        let connected = self.connected();
        Box::pin(async move { perform(&*connected.await?, call, cancel).await })
    }

    fn await_job(
        &self,
        call: Call,
        submitted: Document,
        cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        let connected = self.connected();
        Box::pin(async move { nested::await_end(&*connected.await?, &call, &submitted, cancel).await })
    }

    fn stop_job(&self, call: Call, submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        let connected = self.connected();
        Box::pin(async move { nested::stop(&*connected.await?, &call, submitted.as_ref()).await })
    }

    fn is_inside(&self, _: &Resource) -> bool {
        true
    }
}

async fn perform(api: &Api, call: Call, mut cancel: CancellationSignal) -> Result<Success, Failure> {
    let Resource::Integration { service, action, pattern } = &call.resource else {
        return Err(unknown(&call));
    };
    let dialect = Dialect::of(service);
    let operation = operation(action).ok_or_else(|| unknown(&call))?;
    let body = dialect::request(&call.parameters).map_err(|why| dialect::refused(&call.parameters, &why))?;
    let request_id = api.environment.uuid();
    // Of the execution that calls.
    let api = &api.of(Arc::new(Account::new(&*call.region, &*call.account_id)));
    let answer = match operation {
        // Not to be given up half-way: what is started must be known, so that it can be stopped.
        Operation::StartExecution => {
            let is_job = matches!(pattern, Pattern::Sync | Pattern::Sync2);
            let started = nested::start(api, &body, &call, is_job).await;
            started.and_then(|started| crate::api::encode(&started))
        }
        // A redrive that is repeated after a crash is the same one.
        Operation::RedriveExecution => nested::redrive(api, &body, &call).await,
        // Boxed: an operation's future is large, and may be that of another `TestState`.
        _ => {
            let answer: BoxFuture<'_, Result<Vec<u8>, ApiError>> = Box::pin(api.call(operation, body.into()));
            tokio::select! {
                answer = answer => answer,
                () = cancel.cancelled() => return Err(cancelled()),
            }
        }
    };
    match answer {
        Ok(body) => {
            let answer = Answer { body, request_id, now_ms: api.environment.now_ms() };
            dialect.result(answer)
        }
        Err(error) => Err(dialect.failure(&error, &request_id)),
    }
}

/// The operation of an action, which begins with a small letter.
fn operation(action: &str) -> Option<Operation> {
    let mut letters = action.chars();
    let first = letters.next().filter(char::is_ascii_lowercase)?;
    Operation::from_name(&format!("{}{}", first.to_ascii_uppercase(), letters.as_str()))
}

fn unknown(call: &Call) -> Failure {
    Failure::start(
        "States.Runtime",
        format!("The resource {} is not an operation of AWS Step Functions.", call.resource),
    )
}

fn cancelled() -> Failure {
    Failure::new("States.TaskFailed", "The call was cancelled.")
}
