//! What functions print: lines of invocations, as Lambda's log has them, kept in bounds for those who look or follow.
//!
//! Every line has a number that only grows. Who follows asks for the lines after the last number seen, and waits on
//! [`Logs::news`]; whoever is too slow sees from the numbers that lines are gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::pool::unix_ms;

/// Bytes kept of the lines of one invocation: its end.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one line; what is longer is more than one line.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Invocations that are kept.
pub const INVOCATIONS_MAX: usize = 10_000;
/// Bytes kept of all invocations together.
pub const LOGS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a line takes beside its text.
const LINE_OVERHEAD_BYTES: usize = 64;
/// What `LogType: Tail` gives. Bytes; Lambda's own figure.
const LOG_TAIL_BYTES: usize = 4096;

/// What an invocation is, for its log.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its id, as the function sees it.
    pub request_id: String,
    /// The function's name.
    pub function_name: String,
    /// Lambda's name for the log of one process.
    pub log_stream: String,
    /// The execution that called it, and the state of it.
    pub caller: Option<Caller>,
    /// Region and account in whose name it was called.
    pub region: String,
    /// See `region`.
    pub account_id: String,
}

/// Who invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The execution.
    pub execution_arn: String,
    /// Its state.
    pub state_name: String,
}

/// A line of a function's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its number among all lines.
    pub number: u64,
    /// When it was written: Unix time in milliseconds.
    pub time_ms: u64,
    /// Whose it is.
    pub origin: Arc<Origin>,
    /// Whether the platform wrote it (`START`, `END`, `REPORT`, …) and not the function.
    pub is_platform: bool,
    /// The text, without a line feed at its end.
    pub text: Arc<str>,
}

/// Which lines are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Lines of the invocations that this execution made.
    pub execution_arn: Option<String>,
    /// Lines of the invocations that states of this name made.
    pub state_name: Option<String>,
    /// Lines of this function.
    pub function_name: Option<String>,
    /// Lines of this invocation.
    pub request_id: Option<String>,
}

impl LogFilter {
    fn wants(&self, origin: &Origin) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| match wanted {
            Some(wanted) => found == Some(wanted.as_str()),
            None => true,
        };
        let caller = origin.caller.as_ref();
        is(&self.execution_arn, caller.map(|caller| caller.execution_arn.as_str()))
            && is(&self.state_name, caller.map(|caller| caller.state_name.as_str()))
            && is(&self.function_name, Some(&origin.function_name))
            && is(&self.request_id, Some(&origin.request_id))
    }
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationOutcome {
    /// With an answer.
    Succeeded,
    /// With an error of its own, a crash or a time-out.
    Failed,
}

/// An invocation that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationRecord {
    /// What it is.
    pub origin: Arc<Origin>,
    /// How it ended.
    pub outcome: InvocationOutcome,
    /// Its lines that are kept.
    pub lines: Vec<LogLine>,
    /// Bytes of lines before them that are not.
    pub left_out_bytes: u64,
}

/// The lines of running and of recent invocations.
#[derive(Debug)]
pub struct Logs {
    state: Mutex<LogsState>,
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct LogsState {
    /// By number of the invocation.
    invocations: BTreeMap<u64, Invocation>,
    invocations_begun: u64,
    lines_written: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Invocation {
    origin: Arc<Origin>,
    lines: VecDeque<LogLine>,
    bytes: usize,
    left_out_bytes: u64,
    outcome: Option<InvocationOutcome>,
}

impl Default for Logs {
    fn default() -> Logs {
        Logs { state: Mutex::default(), news: watch::Sender::new(0) }
    }
}

impl Logs {
    fn lock(&self) -> MutexGuard<'_, LogsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An invocation begins to write; the number by which it is known here.
    pub fn begin(&self, origin: Origin) -> u64 {
        let mut state = self.lock();
        state.invocations_begun += 1;
        let number = state.invocations_begun;
        let invocation = Invocation {
            origin: Arc::new(origin),
            lines: VecDeque::new(),
            bytes: 0,
            left_out_bytes: 0,
            outcome: None,
        };
        state.invocations.insert(number, invocation);
        state.keep_bounds();
        number
    }

    /// Adds lines to an invocation; with nobody to have them, they are lost.
    pub fn write(&self, invocation: u64, is_platform: bool, texts: impl IntoIterator<Item = String>) {
        let mut state = self.lock();
        let time_ms = unix_ms();
        for text in texts {
            state.add(invocation, time_ms, is_platform, text);
        }
        state.keep_bounds();
        let written = state.lines_written;
        drop(state);
        self.news.send_replace(written);
    }

    /// An invocation has ended.
    pub fn end(&self, invocation: u64, outcome: InvocationOutcome) {
        if let Some(invocation) = self.lock().invocations.get_mut(&invocation) {
            invocation.outcome = Some(outcome);
        }
    }

    /// Changes with every line: the number of the last one.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The lines with greater numbers than `after` that the filter lets through, in order, `limit` at most.
    pub fn lines_after(&self, after: u64, filter: &LogFilter, limit: usize) -> Vec<LogLine> {
        let state = self.lock();
        let invocations = state.invocations.values().filter(|invocation| {
            invocation.lines.back().is_some_and(|line| line.number > after)
                && filter.wants(&invocation.origin)
        });
        let mut lines: Vec<LogLine> = invocations
            .flat_map(|invocation| {
                let first = invocation.lines.partition_point(|line| line.number <= after);
                invocation.lines.range(first..).cloned()
            })
            .collect();
        lines.sort_by_key(|line| line.number);
        lines.truncate(limit);
        lines
    }

    /// The invocations that have ended, the latest first.
    pub fn recent(&self) -> Vec<InvocationRecord> {
        let state = self.lock();
        let ended = state.invocations.values().rev().filter_map(|invocation| {
            Some(InvocationRecord {
                origin: Arc::clone(&invocation.origin),
                outcome: invocation.outcome?,
                lines: invocation.lines.iter().cloned().collect(),
                left_out_bytes: invocation.left_out_bytes,
            })
        });
        ended.collect()
    }
}

impl LogsState {
    fn add(&mut self, invocation: u64, time_ms: u64, is_platform: bool, text: String) {
        let Some(invocation) = self.invocations.get_mut(&invocation) else { return };
        self.lines_written += 1;
        let line = LogLine {
            number: self.lines_written,
            time_ms,
            origin: Arc::clone(&invocation.origin),
            is_platform,
            text: text.into(),
        };
        let bytes = size(&line);
        invocation.bytes += bytes;
        self.bytes += bytes;
        invocation.lines.push_back(line);
        while invocation.bytes > LOG_BYTES_MAX
            && let Some(oldest) = invocation.lines.pop_front()
        {
            invocation.bytes -= size(&oldest);
            self.bytes -= size(&oldest);
            invocation.left_out_bytes += oldest.text.len() as u64;
        }
    }

    /// Older invocations give way as a whole.
    fn keep_bounds(&mut self) {
        while self.invocations.len() > INVOCATIONS_MAX || self.bytes > LOGS_BYTES_MAX {
            let Some((_, oldest)) = self.invocations.pop_first() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

fn size(line: &LogLine) -> usize {
    line.text.len() + LINE_OVERHEAD_BYTES
}

/// What one process writes, on its way to lines.
#[derive(Debug)]
pub struct Output {
    logs: Arc<Logs>,
    state: Mutex<OutputState>,
}

#[derive(Debug, Default)]
struct OutputState {
    /// The invocation that has what is written: the current one, and after its end it still.
    invocation: u64,
    /// The beginning of a line.
    begun: Vec<u8>,
    /// The end of what the invocation has written.
    tail: VecDeque<u8>,
}

impl Output {
    /// Lines go to `logs`, first those of `invocation`.
    pub fn new(logs: Arc<Logs>, invocation: u64) -> Output {
        Output { logs, state: Mutex::new(OutputState { invocation, ..OutputState::default() }) }
    }

    /// Holds off everybody else who writes.
    pub fn lock(&self) -> OutputGuard<'_> {
        OutputGuard { logs: &self.logs, state: self.state.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// Access to an [`Output`].
pub struct OutputGuard<'a> {
    logs: &'a Logs,
    state: MutexGuard<'a, OutputState>,
}

impl OutputGuard<'_> {
    /// What comes belongs to this invocation.
    pub fn begin(&mut self, invocation: u64) {
        self.end_line();
        self.state.invocation = invocation;
        self.state.tail.clear();
    }

    /// What the process has written.
    pub fn push(&mut self, bytes: &[u8]) {
        let state = &mut *self.state;
        state.tail.extend(bytes.get(bytes.len().saturating_sub(LOG_TAIL_BYTES)..).unwrap_or_default());
        let excess = state.tail.len().saturating_sub(LOG_TAIL_BYTES);
        state.tail.drain(..excess);
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_BYTES_MAX) {
                if state.begun.len() + part.len() > LINE_BYTES_MAX {
                    lines.push(text(&std::mem::take(&mut state.begun)));
                }
                state.begun.extend_from_slice(part);
            }
            if state.begun.ends_with(b"\n") {
                lines.push(text(&std::mem::take(&mut state.begun)));
            }
        }
        if !lines.is_empty() {
            self.logs.write(state.invocation, false, lines);
        }
    }

    /// A line of the platform's own.
    pub fn platform(&mut self, line: &str) {
        self.end_line();
        let state = &mut *self.state;
        let starts_within = state.tail.back().is_some_and(|last| *last != b'\n');
        state.tail.extend(starts_within.then_some(b'\n'));
        state.tail.extend(line.as_bytes());
        state.tail.push_back(b'\n');
        let excess = state.tail.len().saturating_sub(LOG_TAIL_BYTES);
        state.tail.drain(..excess);
        self.logs.write(state.invocation, true, [line.to_owned()]);
    }

    /// The end of what the invocation has written: 4 KB at most.
    pub fn tail(&self) -> String {
        let bytes: Vec<u8> = self.state.tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n")
    }

    fn end_line(&mut self) {
        if !self.state.begun.is_empty() {
            let begun = std::mem::take(&mut self.state.begun);
            self.logs.write(self.state.invocation, false, [text(&begun)]);
        }
    }
}

/// The text of a line. Lambda's runtimes write the line feeds within one message as carriage returns, so that it stays one.
fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    text.strip_suffix('\r').unwrap_or(text).replace('\r', "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(request_id: &str) -> Origin {
        let caller = Caller { execution_arn: "e".into(), state_name: "S".into() };
        Origin {
            request_id: request_id.into(),
            function_name: "f".into(),
            log_stream: "s".into(),
            caller: Some(caller),
            region: "r".into(),
            account_id: "a".into(),
        }
    }

    fn texts(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| &*line.text).collect()
    }

    #[test]
    fn lines_in_the_order_of_writing() {
        let logs = Arc::new(Logs::default());
        let first = logs.begin(origin("1"));
        let output = Output::new(Arc::clone(&logs), first);
        let mut guard = output.lock();
        for piece in [&b"load"[..], b"ed\nsta", b"rt"] {
            guard.push(piece);
        }
        guard.platform("START");
        guard.push(b"a\rb\r\n\nno end");
        guard.platform("END");
        assert_eq!(guard.tail(), "loaded\nstart\nSTART\na\nb\n\nno end\nEND\n");
        logs.end(first, InvocationOutcome::Succeeded);
        guard.push(b"late\n");
        let second = logs.begin(origin("2"));
        guard.begin(second);
        guard.push(b"other\n");
        assert_eq!(guard.tail(), "other\n");
        let all = logs.lines_after(0, &LogFilter::default(), 100);
        assert_eq!(texts(&all), ["loaded", "start", "START", "a\nb", "", "no end", "END", "late", "other"]);
        let numbers: Vec<u64> = all.iter().map(|line| line.number).collect();
        assert_eq!(numbers, (1..=9).collect::<Vec<u64>>());
        let of_second = LogFilter { request_id: Some("2".into()), ..LogFilter::default() };
        assert_eq!(texts(&logs.lines_after(0, &of_second, 100)), ["other"]);
        assert_eq!(texts(&logs.lines_after(6, &LogFilter::default(), 2)), ["END", "late"]);
        let other = LogFilter { state_name: Some("T".into()), ..LogFilter::default() };
        assert_eq!(logs.lines_after(0, &other, 100), []);
        assert_eq!(logs.recent().len(), 1);
    }

    #[test]
    fn bounds() {
        let logs = Arc::new(Logs::default());
        let output = Output::new(Arc::clone(&logs), logs.begin(origin("1")));
        let mut guard = output.lock();
        for _ in 0..10 {
            guard.push(&vec![b'a'; LINE_BYTES_MAX]);
        }
        guard.push(b"\nlast\n");
        let lines = logs.lines_after(0, &LogFilter::default(), 100);
        assert!(lines.iter().all(|line| line.text.len() <= LINE_BYTES_MAX));
        assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() <= LOG_BYTES_MAX);
        assert_eq!(lines.last().map(|line| &*line.text), Some("last"));
        assert_eq!(guard.tail().len(), LOG_TAIL_BYTES);
        for number in 0..INVOCATIONS_MAX {
            logs.begin(origin(&number.to_string()));
        }
        assert_eq!(
            logs.lines_after(0, &LogFilter::default(), 100),
            [],
            "it is among the recent ones no more"
        );
        guard.push(b"nobody has it\n");
        assert_eq!(logs.lock().bytes, 0);
    }
}
