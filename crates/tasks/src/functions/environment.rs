//! One execution environment: a process of a function, and the Runtime API that it talks to. It has one invocation at a
//! time, and many one after the other.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::Shared;
use super::definition::{FunctionDefinition, RuntimeFamily};
use super::keeper::Ending;
use super::log::Output;
use super::process::Process;
use super::runtime::Launch;
use super::runtime_api::{Invocation, RuntimeApi, Said, error_json};

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
    /// Where Lambda itself tells the error: what it writes into the log about it.
    pub log: Option<PlatformError>,
}

/// What Lambda's log has about an error that the function did not tell.
pub struct PlatformError {
    /// The lines before `END`.
    pub lines: Vec<String>,
    /// What `REPORT` says.
    pub report: String,
}

impl Ended {
    fn said(payload: Bytes, is_error: bool) -> Ended {
        Ended { payload, is_error, is_reusable: true, log: None }
    }

    fn broken(payload: Bytes) -> Ended {
        Ended { payload, is_error: true, is_reusable: false, log: None }
    }

    fn platform(kind: &str, request_id: &str, message: &str) -> Ended {
        let message = format!("RequestId: {request_id} Error: {message}");
        let ended = Ended::broken(error_json(kind, &message));
        let report = format!("Status: error\tError Type: {kind}");
        Ended { log: Some(PlatformError { lines: vec![message, kind.to_owned()], report }), ..ended }
    }
}

impl Environment {
    /// Starts a process, whose lines belong to an invocation from the first on. The error is the payload that tells it.
    pub async fn start(
        definition: &FunctionDefinition,
        shared: &Shared,
        launch: impl FnOnce(String) -> Launch,
        invocation: u64,
        request_id: &str,
    ) -> Result<Environment, Ended> {
        let refuse = |message: String| Ended::platform("Runtime.InvalidEntrypoint", request_id, &message);
        definition.check_code().map_err(|error| refuse(error.to_string()))?;
        // Only runtimes of our own are sure to keep a path that stands in the address.
        let is_secret = definition.runtime.family != RuntimeFamily::Provided;
        let api = RuntimeApi::open(is_secret).await.map_err(|error| refuse(error.to_string()))?;
        let launch = launch(api.address.clone());
        let process = Process::start(&launch, Output::new(Arc::clone(&shared.logs), invocation))
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

    /// Lambda's name for the log of this process.
    pub fn log_stream(&self) -> &str {
        self.process.log_stream()
    }

    /// Where the output of the process is collected.
    pub fn process_output(&self) -> &Output {
        self.process.output()
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
        prepare: impl FnOnce(&mut Process) -> Invocation,
    ) -> Ended {
        self.process.works(true);
        let ready = tokio::time::timeout(INIT_WAIT, self.ready(request_id)).await;
        if let Err(ended) = ready.unwrap_or_else(|_| Err(timed_out(request_id, INIT_WAIT))) {
            self.process.kill();
            return ended;
        }
        self.is_ready = false;
        if !self.api.give(prepare(&mut self.process)) {
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
        if ended.is_reusable {
            self.process.works(false);
        } else {
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
                Ok(Said::Answer(payload)) => return Ended::said(payload, false),
                Ok(Said::Error(payload)) => return Ended::said(payload, true),
                Ok(Said::InitError(payload)) => return Ended::broken(payload),
                Err(ended) => return ended,
            }
        }
    }
}

fn timed_out(request_id: &str, after: Duration) -> Ended {
    let message = format!("Task timed out after {:.2} seconds", after.as_secs_f64());
    let ended = Ended::platform("Sandbox.Timedout", request_id, &message);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let lines = vec![format!("{now} {request_id} {message}"), String::new()];
    Ended { log: Some(PlatformError { lines, report: "Status: timeout".to_owned() }), ..ended }
}

/// The words are Lambda's.
fn exited(request_id: &str, ending: std::io::Result<Ending>) -> Ended {
    let message = match ending {
        Ok(Ending::Signal(signal)) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
        Ok(Ending::OutOfMemory) => {
            let ended =
                Ended::platform("Runtime.ExitError", request_id, "Runtime exited with error: signal: killed");
            let log = ended.log.map(|log| PlatformError {
                report: "Status: error\tError Type: Runtime.OutOfMemory".to_owned(),
                ..log
            });
            return Ended { log, ..ended };
        }
        Ok(Ending::NotStarted(reason)) => {
            return Ended::platform(
                "Runtime.InvalidEntrypoint",
                request_id,
                &format!("cannot start {reason}"),
            );
        }
        Ok(Ending::Exit(0)) => "Runtime exited without providing a reason".to_owned(),
        Ok(Ending::Exit(code)) => format!("Runtime exited with error: exit status {code}"),
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
