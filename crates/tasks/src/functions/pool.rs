//! The processes of one function: warm ones are used again, new ones are started up to the function's concurrency, and
//! callers beyond that wait in a bounded queue.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use super::code::{Code, CodeVersion};
use super::definition::FunctionDefinition;
use super::environment::{Ended, Environment};
use super::log::{InvocationOutcome, Origin, Output};
use super::process::Process;
use super::runtime::launch;
use super::runtime_api::Invocation;
use super::{FunctionsOptions, Shared};
use crate::lambda::{InvocationType, InvokeAnswer, InvokeError, InvokeRequest, new_request_id};

/// Callers of one function that may wait for a process.
pub const QUEUE_MAX: usize = 1000;

/// A function with its processes.
pub struct Pool {
    definition: FunctionDefinition,
    /// The program that runs it, unless it brings its own.
    interpreter: Option<PathBuf>,
    options: Arc<FunctionsOptions>,
    shared: Arc<Shared>,
    permits: Semaphore,
    callers: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
    code: Code,
}

struct Idle {
    environment: Environment,
    since: Instant,
    /// The code that its process has loaded.
    code: CodeVersion,
}

/// A caller's place in the queue or at a process.
struct Place(Arc<Pool>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.callers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// A function without any process yet.
    pub fn new(
        definition: FunctionDefinition,
        interpreter: Option<PathBuf>,
        options: Arc<FunctionsOptions>,
        shared: Arc<Shared>,
    ) -> Pool {
        let permits = Semaphore::new(definition.concurrency);
        Pool {
            definition,
            interpreter,
            options,
            shared,
            permits,
            callers: AtomicUsize::new(0),
            idle: Mutex::default(),
            code: Code::default(),
        }
    }

    /// What was declared.
    pub fn definition(&self) -> &FunctionDefinition {
        &self.definition
    }

    /// Invokes the function. Once it runs, it runs to its end, whether the caller still waits or not, as on AWS.
    pub async fn invoke(self: &Arc<Self>, request: InvokeRequest) -> Result<InvokeAnswer, InvokeError> {
        let request_id = new_request_id();
        if request.invocation_type == InvocationType::DryRun {
            return Ok(platform_answer(204, request_id));
        }
        let place = self.enter(&request_id)?;
        let (answer, answered) = oneshot::channel();
        let waits = request.invocation_type.waits();
        tokio::spawn(Arc::clone(self).run(request, request_id.clone(), place, waits.then_some(answer)));
        if !waits {
            return Ok(platform_answer(202, request_id));
        }
        answered.await.map_err(|_| InvokeError::Service {
            status: 500,
            code: "ServiceException".to_owned(),
            message: "The server ends.".to_owned(),
            request_id,
        })
    }

    /// Ends the processes that have had nothing to do since before `limit`.
    pub fn end_idle(&self, limit: Duration) {
        self.idle().retain(|idle| idle.since.elapsed() < limit);
    }

    /// Refuses callers that wait and ends all idle processes.
    pub fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, request_id: &str) -> Result<Place, InvokeError> {
        let place = Place(Arc::clone(self)); // counts itself out on every way
        let before = self.callers.fetch_add(1, Ordering::Relaxed);
        if before < self.definition.concurrency + QUEUE_MAX {
            return Ok(place);
        }
        Err(InvokeError::Service {
            status: 429,
            code: "TooManyRequestsException".to_owned(),
            message: "Rate Exceeded.".to_owned(),
            request_id: request_id.to_owned(),
        })
    }

    async fn run(
        self: Arc<Self>,
        request: InvokeRequest,
        request_id: String,
        place: Place,
        mut answer: Option<oneshot::Sender<InvokeAnswer>>,
    ) {
        let permit = tokio::select! {
            permit = self.permits.acquire() => permit,
            () = gone(&mut answer) => return, // nobody waits any more, and nothing has begun
        };
        let Ok(permit) = permit else { return };
        let mut closing = self.shared.closing.subscribe();
        let ended = tokio::select! {
            ended = self.run_in_environment(&request, &request_id) => ended,
            _ = closing.wait_for(|closing| *closing) => return, // drops the environment, which ends the process
        };
        drop((permit, place));
        if let Some(answer) = answer {
            let _ = answer.send(function_answer(&request, request_id, ended)); // the caller may have gone
        }
    }

    /// How the invocation ended, and the end of its log.
    async fn run_in_environment(&self, request: &InvokeRequest, request_id: &str) -> (Ended, String) {
        let logs = &self.shared.logs;
        let code = self.code.current(&self.definition.code, self.options.code_check);
        let warm = self.warm(code).await;
        let log_stream = warm.as_ref().map_or_else(new_log_stream, |warm| warm.log_stream().to_owned());
        let invocation = logs.begin(Origin {
            request_id: request_id.to_owned(),
            function_name: self.definition.name.clone(),
            log_stream: log_stream.clone(),
            caller: request.caller.clone(),
            region: request.region.clone(),
            account_id: request.account_id.clone(),
        });
        let mut report = Report::new(request_id, warm.is_none());
        let output = Output::new(Arc::clone(logs), invocation);
        let environment = match warm {
            Some(warm) => {
                warm.process_output().lock().begin(invocation);
                Ok(warm)
            }
            None => {
                let launch = |runtime_api| {
                    let interpreter = self.interpreter.as_deref();
                    launch(&self.definition, interpreter, &self.options, &log_stream, runtime_api)
                };
                Environment::start(&self.definition, &self.shared, launch, invocation, request_id).await
            }
        };
        let (ended, tail) = match environment {
            Ok(environment) => self.invoke_in(environment, code, request, &mut report).await,
            Err(ended) => {
                let tail = report.write(&output, &ended, &self.definition, None);
                (ended, tail)
            }
        };
        if ended.is_error {
            tracing::debug!(function = %self.definition.name, request_id, "the function failed");
        }
        let outcome = if ended.is_error { InvocationOutcome::Failed } else { InvocationOutcome::Succeeded };
        logs.end(invocation, outcome);
        (ended, tail)
    }

    async fn invoke_in(
        &self,
        mut environment: Environment,
        code: CodeVersion,
        request: &InvokeRequest,
        report: &mut Report<'_>,
    ) -> (Ended, String) {
        let timeout = Duration::from_secs(self.definition.timeout_s.into());
        let request_id = report.request_id;
        let prepare = |process: &mut Process| {
            report.begin(process);
            self.invocation(request, request_id, timeout)
        };
        let ended = environment.invoke(request_id, timeout, prepare).await;
        environment.process().drain();
        let peak_mb = environment.process().memory_peak_mb();
        let tail = report.write(environment.process_output(), &ended, &self.definition, peak_mb);
        if ended.is_reusable {
            self.idle().push(Idle { environment, since: Instant::now(), code });
            if *self.shared.closing.borrow() {
                self.idle().clear(); // `close` may have been just before
            }
        }
        (ended, tail)
    }

    /// The process that was used last: it is the warmest, and the others may come of age.
    async fn warm(&self, code: CodeVersion) -> Option<Environment> {
        loop {
            let idle = self.idle().pop();
            let Idle { mut environment, code: loaded, .. } = idle?;
            if loaded == code && environment.is_reusable().await {
                return Some(environment);
            }
        }
    }

    fn invocation(&self, request: &InvokeRequest, request_id: &str, timeout: Duration) -> Invocation {
        let event =
            if request.payload.is_empty() { Bytes::from_static(b"{}") } else { request.payload.clone() };
        let context = request.client_context.as_deref();
        let context = context.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
        let mut function_arn = request.function.arn(&request.region, &request.account_id);
        if request.version() != "$LATEST" {
            function_arn.push(':');
            function_arn.push_str(request.version());
        }
        Invocation {
            request_id: request_id.to_owned(),
            event,
            deadline_ms: unix_ms() + milliseconds(timeout),
            function_arn,
            trace_id: trace_id(),
            client_context: context.and_then(|bytes| String::from_utf8(bytes).ok()),
        }
    }
}

async fn gone(answer: &mut Option<oneshot::Sender<InvokeAnswer>>) {
    match answer {
        Some(answer) => answer.closed().await,
        None => std::future::pending().await,
    }
}

/// `START`, `END` and `REPORT` of an invocation, as Lambda's log has them.
struct Report<'a> {
    request_id: &'a str,
    is_cold: bool,
    created: Instant,
    begun: Option<Instant>,
}

impl Report<'_> {
    fn new(request_id: &str, is_cold: bool) -> Report<'_> {
        Report { request_id, is_cold, created: Instant::now(), begun: None }
    }

    /// The invocation begins; what was written before belongs to the start of the process.
    fn begin(&mut self, process: &mut Process) {
        process.drain();
        self.begun = Some(Instant::now());
        self.start(process.output());
    }

    fn start(&self, output: &Output) {
        output.lock().platform(&format!("START RequestId: {} Version: $LATEST", self.request_id));
    }

    /// The invocation has ended. Returns the end of its log.
    fn write(
        &self,
        output: &Output,
        ended: &Ended,
        definition: &FunctionDefinition,
        peak_mb: Option<u64>,
    ) -> String {
        if self.begun.is_none() {
            self.start(output);
        }
        let mut output = output.lock();
        for line in ended.log.iter().flat_map(|log| &log.lines) {
            output.platform(line);
        }
        output.platform(&format!("END RequestId: {}", self.request_id));
        let duration_ms = self.begun.map_or(0.0, |begun| begun.elapsed().as_secs_f64() * 1000.0);
        let memory_mb = definition.memory_mb;
        let mut report = format!(
            "REPORT RequestId: {}\tDuration: {duration_ms:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: \
             {memory_mb} MB\t",
            self.request_id,
            duration_ms.ceil()
        );
        if let Some(peak_mb) = peak_mb {
            report.push_str(&format!("Max Memory Used: {} MB\t", peak_mb.min(memory_mb.into())));
        }
        if let Some(begun) = self.begun.filter(|_| self.is_cold) {
            let init_ms = begun.duration_since(self.created).as_secs_f64() * 1000.0;
            report.push_str(&format!("Init Duration: {init_ms:.2} ms\t"));
        }
        if let Some(log) = &ended.log {
            report.push_str(&log.report);
        }
        output.platform(&report);
        output.tail()
    }
}

/// Lambda's name for the log of one process.
fn new_log_stream() -> String {
    let today = jiff::Timestamp::now().strftime("%Y/%m/%d").to_string();
    format!("{today}/[$LATEST]{}", uuid::Uuid::new_v4().simple())
}

fn function_answer(
    request: &InvokeRequest,
    request_id: String,
    (ended, tail): (Ended, String),
) -> InvokeAnswer {
    let mut answer = platform_answer(200, request_id);
    let header = |name: &str, value: String| (name.to_owned(), value);
    let log_result = request.log_tail.then(|| base64::engine::general_purpose::STANDARD.encode(tail));
    answer.headers.extend(log_result.clone().map(|log| header("X-Amz-Log-Result", log)));
    answer.headers.push(header("X-Amz-Executed-Version", "$LATEST".to_owned()));
    answer.headers.push(header("Content-Type", "application/json".to_owned()));
    answer.headers.retain(|(name, _)| name != "Content-Length");
    answer.headers.push(header("Content-Length", ended.payload.len().to_string()));
    answer.is_function_error = ended.is_error;
    answer.payload = ended.payload;
    answer.executed_version = Some("$LATEST".to_owned());
    answer.log_result = log_result;
    answer
}

/// An answer of Lambda in which no function takes part, with the headers that all answers have.
fn platform_answer(status: u16, request_id: String) -> InvokeAnswer {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    InvokeAnswer {
        status,
        payload: Bytes::new(),
        is_function_error: false,
        executed_version: None,
        log_result: None,
        headers: vec![
            header("Connection", "keep-alive"),
            header("Content-Length", "0"),
            header("Date", &date),
            header("x-amzn-Remapped-Content-Length", "0"),
            header("x-amzn-RequestId", &request_id),
            header("X-Amzn-Trace-Id", &trace_id()),
        ],
        request_id,
    }
}

/// An X-Ray trace header that is not sampled.
fn trace_id() -> String {
    let digits = uuid::Uuid::new_v4().simple().to_string();
    let (root, parent) = (digits.get(..24).unwrap_or_default(), digits.get(16..).unwrap_or_default());
    format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", unix_ms() / 1000)
}

/// Unix time in milliseconds.
pub fn unix_ms() -> u64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
