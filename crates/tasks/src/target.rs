//! What the engine and a task target say to each other: the call, its answer, and the signal that ends it.
//!
//! The engine knows this file and [`crate::Targets`] only. Retries, time limits of states, callbacks and history events
//! are the engine's; a target makes one call and tells how it ended. For `.sync` it then waits for the end of the job.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use stepwright_value::Document;
use tokio::sync::watch;

/// A future that may be moved between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something a Task state can call.
pub trait TaskTarget: Send + Sync + 'static {
    /// Makes one call. The future ends soon after `cancel` fires (with any result: nobody reads it then); dropping the
    /// future cancels too.
    fn call(&self, call: Call, cancel: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>>;

    /// For `.sync`: waits for the end of the job that `call` has started; `submitted` is what it answered.
    /// After a crash the wait begins anew. The future ends soon after `cancel` fires; that leaves the job alone, as dropping
    /// the future does.
    fn await_job(
        &self,
        call: Call,
        _submitted: Document,
        _cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        let cause = format!("{} has no jobs whose end could be awaited.", call.resource);
        Box::pin(std::future::ready(Err(Failure::new("States.Runtime", cause))))
    }

    /// For `.sync`: stops the job that `call` has started, whose end nobody waits for any more. `submitted` is what the call
    /// answered; `None` where that was lost in a crash: then the call was made, with the same idempotency token, or it was
    /// not. A job that has ended, or was never started, is no error. After an error, or a crash, it is tried again.
    fn stop_job(&self, _call: Call, _submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether calls of the resource are answered within this process and may wait for other executions. Such calls take
    /// no place among those to the outside world: executions that wait for each other must not keep each other from it.
    fn is_inside(&self, _resource: &Resource) -> bool {
        false
    }
}

/// One call of a Task state: an attempt of a state of an execution.
#[derive(Clone, Debug)]
pub struct Call {
    /// What to call.
    pub resource: Resource,
    /// The effective input.
    pub parameters: Document,
    /// Equal for every dispatch of the same attempt, also after a crash; sent where the target has a place for it.
    pub idempotency_token: String,
    /// ARN of the calling execution.
    pub execution_arn: String,
    /// Name of the calling state.
    pub state_name: String,
    /// The role to call with: the state's `Credentials`, else the state machine's role.
    pub role_arn: Option<String>,
    /// Region of the calling execution, such as `us-east-1`.
    pub region: String,
    /// Account of the calling execution: 12 digits.
    pub account_id: String,
}

/// What the `Resource` field of a Task state names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`: the effective input is the event, the result is the
    /// function's answer. Its history events are the `LambdaFunction*` ones.
    LambdaFunction {
        /// The ARN as the definition has it.
        arn: String,
    },
    /// `arn:aws:states:::SERVICE:ACTION[.PATTERN]`.
    Integration {
        /// Such as `lambda` or `aws-sdk:dynamodb`.
        service: String,
        /// Such as `invoke`, without the pattern.
        action: String,
        /// How the state waits.
        pattern: Pattern,
    },
}

/// How a Task state waits for the result of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The answer of the call is the result.
    RequestResponse,
    /// `.sync`: the call starts a job, and the state waits until that has ended ([`TaskTarget::await_job`]).
    Sync,
    /// `.sync:2`: as `.sync`, with a result of JSON instead of text.
    Sync2,
    /// `.waitForTaskToken`: the target makes the call, the engine waits for the callback.
    WaitForTaskToken,
}

impl Pattern {
    /// What stands after the action in a `Resource`: empty, `.sync`, `.sync:2` or `.waitForTaskToken`.
    pub fn suffix(self) -> &'static str {
        match self {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::LambdaFunction { arn } => formatter.write_str(arn),
            Resource::Integration { service, action, pattern } => {
                write!(formatter, "arn:aws:states:::{service}:{action}{}", pattern.suffix())
            }
        }
    }
}

impl Resource {
    /// Reads the text of a `Resource` field. `None` if it is neither a Lambda function nor an integration (an activity,
    /// for instance, which is the engine's own).
    pub fn parse(text: &str) -> Option<Resource> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let _partition = parts.next()?;
        match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
            ("lambda", _, _, rest) if rest.starts_with("function:") => {
                Some(Resource::LambdaFunction { arn: text.to_owned() })
            }
            ("states", "", "", rest) => Resource::parse_integration(rest),
            _ => None,
        }
    }

    fn parse_integration(text: &str) -> Option<Resource> {
        let patterns = [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken];
        let found = patterns.into_iter().find_map(|p| text.strip_suffix(p.suffix()).map(|rest| (rest, p)));
        let (name, pattern) = found.unwrap_or((text, Pattern::RequestResponse));
        let (service, action) = name.rsplit_once(':')?;
        if service.is_empty() || action.is_empty() {
            return None;
        }
        Some(Resource::Integration { service: service.to_owned(), action: action.to_owned(), pattern })
    }
}

/// A call that ended well.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The result.
    pub output: Document,
}

/// A call that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Error name, as Retry and Catch match it.
    pub error: String,
    /// AWS's wording where AWS has one; may be JSON text.
    pub cause: Option<String>,
    /// Which event of the history tells it.
    pub kind: FailureKind,
}

/// Which event tells a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The target was reached, or should have been: `TaskFailed`, `LambdaFunctionFailed`.
    Failed,
    /// The call could not begin: `TaskStartFailed`, `LambdaFunctionStartFailed`.
    StartFailed,
}

impl Failure {
    /// A failure of the call itself.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Failure {
        Failure { error: error.into(), cause: Some(cause.into()), kind: FailureKind::Failed }
    }

    /// A call that could not begin.
    pub fn start(error: impl Into<String>, cause: impl Into<String>) -> Failure {
        Failure { kind: FailureKind::StartFailed, ..Failure::new(error, cause) }
    }
}

/// The caller's end of a [`CancellationSignal`]. Dropping it without [`Canceller::cancel`] cancels nothing.
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

/// Tells a target that nobody waits for its answer any more: the state timed out, the execution was stopped.
#[derive(Clone, Debug)]
pub struct CancellationSignal(Option<watch::Receiver<bool>>);

/// A new pair: who cancels, and what the target listens to.
pub fn cancellation() -> (Canceller, CancellationSignal) {
    let (sender, receiver) = watch::channel(false);
    (Canceller(sender), CancellationSignal(Some(receiver)))
}

impl Canceller {
    /// Fires the signal; doing it again changes nothing.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl CancellationSignal {
    /// A signal that never fires.
    pub fn never() -> CancellationSignal {
        CancellationSignal(None)
    }

    /// Whether the signal has fired.
    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|receiver| *receiver.borrow())
    }

    /// Returns when the signal fires; never, if it does not.
    pub async fn cancelled(&mut self) {
        if let Some(receiver) = &mut self.0
            && receiver.wait_for(|fired| *fired).await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources() {
        let integration = |service: &str, action: &str, pattern| {
            Some(Resource::Integration { service: service.into(), action: action.into(), pattern })
        };
        let lambda = |arn: &str| Some(Resource::LambdaFunction { arn: arn.into() });
        let table = [
            (
                "arn:aws:lambda:us-east-1:123456789012:function:f",
                lambda("arn:aws:lambda:us-east-1:123456789012:function:f"),
            ),
            ("arn:aws:states:::lambda:invoke", integration("lambda", "invoke", Pattern::RequestResponse)),
            (
                "arn:aws-cn:states:::lambda:invoke.waitForTaskToken",
                integration("lambda", "invoke", Pattern::WaitForTaskToken),
            ),
            (
                "arn:aws:states:::states:startExecution.sync:2",
                integration("states", "startExecution", Pattern::Sync2),
            ),
            ("arn:aws:states:::ecs:runTask.sync", integration("ecs", "runTask", Pattern::Sync)),
            (
                "arn:aws:states:::aws-sdk:dynamodb:getItem",
                integration("aws-sdk:dynamodb", "getItem", Pattern::RequestResponse),
            ),
            ("arn:aws:states:us-east-1:123456789012:activity:a", None),
            ("arn:aws:states:::lambda", None),
            ("arn:aws:states:::", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(Resource::parse(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_signal_fires_once_and_a_dropped_canceller_does_not() {
        let (canceller, mut signal) = cancellation();
        assert!(!signal.is_cancelled());
        canceller.cancel();
        signal.cancelled().await;
        assert!(signal.is_cancelled());
        let (canceller, mut signal) = cancellation();
        drop(canceller);
        tokio::select! {
            biased;
            () = signal.cancelled() => panic!("it fired"),
            () = std::future::ready(()) => {}
        }
    }
}
