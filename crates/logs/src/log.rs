//! The way of a record from the engine to its destination.
//!
//! Records of one log group form a lane. A lane has a task of its own as long as there is something in it, so that a group that
//! does not answer holds up no other; order within a lane is kept. All lanes together are bounded in records and bytes.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use stepwright_engine::{HistoryLog, Logging};
use stepwright_machine::{Event, Execution};
use stepwright_store::Pending;
use stepwright_tasks::functions::LogLine;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::cloudwatch::CloudWatch;
use crate::file::RotatingFile;
use crate::record;

/// Records that wait at most, and the bytes of their messages.
const RECORDS_MAX: usize = 200_000;
const BYTES_MAX: usize = 64 << 20;
/// Records that are delivered together.
const DELIVERY_RECORDS_MAX: usize = 10_000;
/// How long a record waits for others.
const LINGER: Duration = Duration::from_millis(100);
/// Losses are warned about once in this time.
const WARNING_PAUSE: Duration = Duration::from_secs(10);

/// Where records go.
pub enum Destination {
    /// A line for each record.
    File(Box<Mutex<RotatingFile>>),
    /// Standard output, a line for each record.
    Stdout,
    CloudWatch(Box<CloudWatch>),
}

/// A record that waits.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub writer: Writer,
    pub timestamp_ms: i64,
    /// JSON in one line; of a function, what it has printed.
    pub message: String,
}

/// Whose records they are: in CloudWatch Logs each one has its own log streams.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Writer {
    /// A state machine, by name. Its log streams are made here, and its log group is there.
    Machine(Arc<str>),
    /// A function's process, by its log stream. Like Lambda, it makes its log group.
    Function(Arc<str>),
}

/// The log of execution histories.
pub struct Log(Arc<Inner>);

struct Inner {
    destination: Destination,
    runtime: Handle,
    lanes: Mutex<Lanes>,
    /// Whether nothing waits.
    is_empty: watch::Sender<bool>,
    /// Set when records shall not wait for others any more.
    hurry: watch::Sender<bool>,
}

#[derive(Default)]
struct Lanes {
    /// By log group. One that is here has a task that delivers it.
    waiting: HashMap<Arc<str>, VecDeque<Record>>,
    records: usize,
    bytes: usize,
    warned: Option<Instant>,
    /// Losses that have not been warned about.
    lost: usize,
}

impl Log {
    /// A log whose deliveries run on `runtime`.
    pub fn new(destination: Destination, runtime: Handle) -> Log {
        Log(Arc::new(Inner {
            destination,
            runtime,
            lanes: Mutex::default(),
            is_empty: watch::Sender::new(true),
            hurry: watch::Sender::new(false),
        }))
    }

    /// Waits until everything is delivered, for `limit` at most; whether it is. For the end of the process.
    pub async fn flush(&self, limit: Duration) -> bool {
        self.0.hurry.send_replace(true);
        let mut is_empty = self.0.is_empty.subscribe();
        let flushed = tokio::time::timeout(limit, is_empty.wait_for(|is_empty| *is_empty)).await.is_ok();
        if !flushed {
            let lanes = self.0.lock();
            tracing::warn!(records = lanes.records, "the log of executions is not complete: no time left");
        }
        flushed
    }
}

impl Log {
    /// Whether what functions print can go here.
    pub fn takes_functions(&self) -> bool {
        matches!(self.0.destination, Destination::CloudWatch(_))
    }

    /// Logs what functions have printed, in Lambda's log groups.
    pub fn functions(&self, lines: &[LogLine]) {
        for line in lines {
            let origin = &line.origin;
            let (region, account_id, name) = (&origin.region, &origin.account_id, &origin.function_name);
            let group = format!("arn:aws:logs:{region}:{account_id}:log-group:/aws/lambda/{name}:*");
            let record = Record {
                writer: Writer::Function(origin.log_stream.as_str().into()),
                timestamp_ms: i64::try_from(line.time_ms).unwrap_or(i64::MAX),
                message: format!("{}\n", line.text),
            };
            self.0.push(&group.into(), vec![record]);
        }
    }
}

impl HistoryLog for Log {
    fn committed(&self, logging: &Logging, execution: &Execution, events: &[Event]) {
        let machine_name = &execution.identity().machine_name;
        let logged = events.iter().filter(|event| record::is_logged(event, logging.level));
        let records: Vec<Record> = logged
            .map(|event| Record {
                writer: Writer::Machine(machine_name.clone()),
                timestamp_ms: event.timestamp_ms,
                message: record::render(event, logging, execution),
            })
            .collect();
        if !records.is_empty() {
            self.0.push(&logging.log_group_arn, records);
        }
    }

    fn has_log_group(&self, log_group_arn: &str) -> Pending<'_, bool> {
        let log_group_arn = log_group_arn.to_owned();
        Box::pin(async move {
            match &self.0.destination {
                Destination::CloudWatch(cloudwatch) => cloudwatch.has_log_group(&log_group_arn).await,
                Destination::File(_) | Destination::Stdout => true,
            }
        })
    }
}

impl Inner {
    fn push(self: &Arc<Self>, log_group_arn: &Arc<str>, records: Vec<Record>) {
        let bytes: usize = records.iter().map(|record| record.message.len()).sum();
        let mut lanes = self.lock();
        if lanes.records + records.len() > RECORDS_MAX || lanes.bytes + bytes > BYTES_MAX {
            lanes.lose(records.len(), "too many wait already");
            return;
        }
        lanes.records += records.len();
        lanes.bytes += bytes;
        match lanes.waiting.get_mut(log_group_arn) {
            Some(lane) => lane.extend(records),
            None => {
                lanes.waiting.insert(log_group_arn.clone(), records.into());
                self.is_empty.send_replace(false);
                self.runtime.spawn(self.clone().run(log_group_arn.clone()));
            }
        }
    }

    /// Delivers a lane until nothing is in it.
    async fn run(self: Arc<Self>, log_group_arn: Arc<str>) {
        let mut hurry = self.hurry.subscribe();
        loop {
            if self.waiting(&log_group_arn) < DELIVERY_RECORDS_MAX {
                // Either way it goes on; the sender lives as long as `self`.
                let _ = tokio::time::timeout(LINGER, hurry.wait_for(|hurry| *hurry)).await;
            }
            let Some(records) = self.take(&log_group_arn) else { return };
            let count = records.len();
            let bytes: usize = records.iter().map(|record| record.message.len()).sum();
            let delivered = self.deliver(&log_group_arn, records).await;
            let mut lanes = self.lock();
            lanes.records -= count;
            lanes.bytes -= bytes;
            let lost = match delivered {
                Ok(()) => 0,
                Err((lost, reason)) => {
                    lanes.lose(lost, &reason);
                    lost
                }
            };
            drop(lanes);
            metrics::counter!("stepwright_log_records_total", "outcome" => "written")
                .increment((count - lost) as u64);
        }
    }

    fn waiting(&self, log_group_arn: &Arc<str>) -> usize {
        self.lock().waiting.get(log_group_arn).map_or(0, VecDeque::len)
    }

    /// The next records of a lane; `None` when there are none, and the lane is gone.
    fn take(&self, log_group_arn: &Arc<str>) -> Option<Vec<Record>> {
        let mut lanes = self.lock();
        let lane = lanes.waiting.get_mut(log_group_arn)?;
        if lane.is_empty() {
            lanes.waiting.remove(log_group_arn);
            if lanes.waiting.is_empty() {
                self.is_empty.send_replace(true);
            }
            return None;
        }
        let count = lane.len().min(DELIVERY_RECORDS_MAX);
        Some(lane.drain(..count).collect())
    }

    async fn deliver(
        self: &Arc<Self>,
        log_group_arn: &str,
        records: Vec<Record>,
    ) -> Result<(), (usize, String)> {
        if let Destination::CloudWatch(cloudwatch) = &self.destination {
            return cloudwatch.deliver(log_group_arn, records).await;
        }
        let count = records.len();
        let inner = self.clone();
        let written = self.runtime.spawn_blocking(move || inner.write(&records)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err((count, error.to_string())),
            Err(error) => Err((count, error.to_string())),
        }
    }

    fn write(&self, records: &[Record]) -> std::io::Result<()> {
        let bytes: usize = records.iter().map(|record| record.message.len() + 1).sum();
        let mut lines = Vec::with_capacity(bytes);
        for record in records {
            lines.extend_from_slice(record.message.as_bytes());
            lines.push(b'\n');
        }
        match &self.destination {
            Destination::File(file) => file.lock().unwrap_or_else(PoisonError::into_inner).append(&lines),
            Destination::Stdout => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(&lines)?;
                stdout.flush()
            }
            Destination::CloudWatch(_) => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    /// Counts a loss, and warns of it, but not without end.
    fn lose(&mut self, records: usize, reason: &str) {
        metrics::counter!("stepwright_log_records_total", "outcome" => "lost").increment(records as u64);
        self.lost += records;
        if self.warned.is_some_and(|warned| warned.elapsed() < WARNING_PAUSE) {
            return;
        }
        tracing::warn!(records = self.lost, reason, "records of the log of executions are lost");
        self.warned = Some(Instant::now());
        self.lost = 0;
    }
}
