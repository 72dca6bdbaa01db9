//! One execution environment: a process of a function, and the Runtime API that it talks to. It has one invocation at a
//! time, and many one after the other.

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::definition::{FunctionDefinition, RuntimeFamily};
use super::process::Process;
use super::runtime::launch;
use super::runtime_api::{Invocation, RuntimeApi, Said, error_json};
use super::{FunctionsOptions, Shared};

/// How long a process may take until it asks for its first event. More than Lambda's ten seconds: machines at hand
/// are slow when many processes start at once.
const INIT_WAIT: Duration = Duration::from_secs(30);
/// How long a process may take after its answer until it asks for the next event. One that takes longer is replaced.
const READY_WAIT: Duration = Duration::from_secs(1);

/// A process of a function that waits for invocations or has one.
pub struct Environment {
    process: Process,
    api: RuntimeApi,
    /// Whether it has asked for the invocation that it gets next.
    is_ready: bool,
    _alive: Alive,
}

/// Counts the environments there are.
struct Alive(watch::Sender<usize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.send_modify(|alive| *alive -= 1);
    }
}

/// How an invocation ended.
pub struct Ended {
    /// The function's answer, or its error.
    pub payload: Bytes,
    /// Which of the two.
    pub is_error: bool,
    /// Whether the environment can have another invocation.
    pub is_reusable: bool,
}

impl Ended {
    fn broken(payload: Bytes) -> Ended {
        Ended { payload, is_error: true, is_reusable: false }
    }

    fn platform(kind: &str, request_id: &str, message: &str) -> Ended {
        Ended::broken(error_json(kind, &format!("RequestId: {request_id} Error: {message}")))
    }
}

impl Environment {
    /// Starts a process. The error is the payload that tells it.
    pub async fn start(
        definition: &FunctionDefinition,
        options: &FunctionsOptions,
        shared: &Shared,
        request_id: &str,
    ) -> Result<Environment, Ended> {
        let refuse = |message: String| Ended::platform("Runtime.InvalidEntrypoint", request_id, &message);
        definition.check_code().map_err(|error| refuse(error.to_string()))?;
        // Only runtimes of our own are sure to keep a path that stands in the address.
        let is_secret = definition.runtime.family != RuntimeFamily::Provided;
        let api = RuntimeApi::open(is_secret).await.map_err(|error| refuse(error.to_string()))?;
        let launch = launch(definition, &options.inherited, &options.region, api.address.clone());
        let process = Process::start(&launch)
            .map_err(|error| refuse(format!("cannot start {}: {error}", launch.program.display())))?;
        shared.alive.send_modify(|alive| *alive += 1);
        let alive = Alive(shared.alive.clone());
        Ok(Environment { process, api, is_ready: false, _alive: alive })
    }

    /// Whether it can have another invocation: it asks for one, or will in a moment. A process that crashes after its
    /// answer, or goes on working, cannot.
    pub async fn is_reusable(&mut self) -> bool {
        tokio::time::timeout(READY_WAIT, self.ready("")).await.is_ok_and(|ready| ready.is_ok())
    }

    /// The process, for its output.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Makes one invocation. `prepare` makes it once the process is ready, since its deadline counts from then.
    pub async fn invoke(
        &mut self,
        request_id: &str,
        timeout: Duration,
        prepare: impl FnOnce() -> Invocation,
    ) -> Ended {
        let ready = tokio::time::timeout(INIT_WAIT, self.ready(request_id)).await;
        if let Err(ended) = ready.unwrap_or_else(|_| Err(timed_out(request_id, INIT_WAIT))) {
            self.process.kill();
            return ended;
        }
        self.is_ready = false;
        if !self.api.give(prepare()) {
            self.process.kill();
            return Ended::platform(
                "Runtime.ExitError",
                request_id,
                "Runtime does not fetch its invocations",
            );
        }
        let ended = match tokio::time::timeout(timeout, self.answer(request_id)).await {
            Ok(ended) => ended,
            Err(_) => timed_out(request_id, timeout),
        };
        if !ended.is_reusable {
            self.process.kill();
        }
        ended
    }

    /// Waits until the process asks for an event.
    async fn ready(&mut self, request_id: &str) -> Result<(), Ended> {
        if self.is_ready {
            // It may have ended since it asked.
            return if self.process.is_running() {
                Ok(())
            } else {
                Err(exited(request_id, self.process.ended().await))
            };
        }
        match self.said(request_id).await? {
            Said::Ready => {
                self.is_ready = true;
                Ok(())
            }
            Said::InitError(payload) => Err(Ended::broken(payload)),
            Said::Answer(_) | Said::Error(_) => {
                Err(Ended::platform("Runtime.ExitError", request_id, "Runtime answered without being asked"))
            }
        }
    }

    /// What the process says next, or how it ended. What it said before it ended comes first.
    async fn said(&mut self, request_id: &str) -> Result<Said, Ended> {
        tokio::select! {
            biased;
            said = self.api.said() => Ok(said),
            status = self.process.ended() => self.api.said_already().ok_or_else(|| exited(request_id, status)),
        }
    }

    async fn answer(&mut self, request_id: &str) -> Ended {
        loop {
            match self.said(request_id).await {
                Ok(Said::Ready) => {} // it lost the connection on which it had asked, and asks again
                Ok(Said::Answer(payload)) => return Ended { payload, is_error: false, is_reusable: true },
                Ok(Said::Error(payload)) => return Ended { payload, is_error: true, is_reusable: true },
                Ok(Said::InitError(payload)) => return Ended::broken(payload),
                Err(ended) => return ended,
            }
        }
    }
}

fn timed_out(request_id: &str, after: Duration) -> Ended {
    let message = format!("Task timed out after {:.2} seconds", after.as_secs_f64());
    Ended::platform("Sandbox.Timedout", request_id, &message)
}

/// The words are Lambda's.
fn exited(request_id: &str, status: std::io::Result<ExitStatus>) -> Ended {
    let message = match status {
        Ok(status) => match std::os::unix::process::ExitStatusExt::signal(&status) {
            Some(signal) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
            None => match status.code() {
                Some(0) | None => "Runtime exited without providing a reason".to_owned(),
                Some(code) => format!("Runtime exited with error: exit status {code}"),
            },
        },
        Err(error) => format!("Runtime exited: {error}"),
    };
    Ended::platform("Runtime.ExitError", request_id, &message)
}

/// As Go names signals, which is how Lambda names them.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup".to_owned(),
        2 => "interrupt".to_owned(),
        3 => "quit".to_owned(),
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => other.to_string(),
    }
}
