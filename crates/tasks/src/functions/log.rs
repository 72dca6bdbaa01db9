//! What functions write: the end of each invocation's output, for the most recent invocations.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes kept of one invocation's output: its end.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
/// Invocations that are kept.
pub const INVOCATIONS_MAX: usize = 1000;
/// Bytes kept of all invocations together.
pub const LOGS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One invocation that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationRecord {
    /// Its id, as the function saw it.
    pub request_id: String,
    /// The function's name.
    pub function_name: String,
    /// Begin: Unix time in milliseconds.
    pub started_ms: u64,
    /// Duration with the start of a process, if there was one.
    pub duration_ms: u64,
    /// How it ended.
    pub outcome: InvocationOutcome,
    /// What it wrote.
    pub log: InvocationLog,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationOutcome {
    /// With an answer.
    Succeeded,
    /// With an error of its own, a crash or a time-out.
    Failed,
}

/// The output of an invocation: standard output and standard error in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvocationLog {
    /// The text, with Lambda's `START`, `END` and `REPORT` lines.
    pub text: Arc<str>,
    /// Bytes that were left out before it.
    pub left_out_bytes: u64,
}

/// What one process has written and nobody has taken yet.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Mutex<Tail>,
}

#[derive(Debug, Default)]
struct Tail {
    bytes: VecDeque<u8>,
    left_out_bytes: u64,
}

impl Output {
    /// Holds off everybody else who writes or takes.
    pub fn lock(&self) -> OutputGuard<'_> {
        OutputGuard(self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is there so far.
    pub fn peek(&self) -> InvocationLog {
        self.lock().text()
    }
}

/// Access to an [`Output`].
pub struct OutputGuard<'a>(MutexGuard<'a, Tail>);

impl OutputGuard<'_> {
    /// Adds to the end; the begin gives way.
    pub fn push(&mut self, bytes: &[u8]) {
        let tail = &mut *self.0;
        tail.bytes.extend(bytes);
        let excess = tail.bytes.len().saturating_sub(LOG_BYTES_MAX);
        tail.bytes.drain(..excess);
        tail.left_out_bytes += excess as u64;
    }

    /// A line of the platform's own, on a line of its own.
    pub fn push_line(&mut self, line: &str) {
        if self.0.bytes.back().is_some_and(|last| *last != b'\n') {
            self.push(b"\n");
        }
        self.push(line.as_bytes());
        self.push(b"\n");
    }

    /// Takes all and starts anew.
    pub fn take(&mut self) -> InvocationLog {
        let log = self.text();
        *self.0 = Tail::default();
        log
    }

    fn text(&mut self) -> InvocationLog {
        let left_out_bytes = self.0.left_out_bytes;
        let text = String::from_utf8_lossy(self.0.bytes.make_contiguous()).into();
        InvocationLog { text, left_out_bytes }
    }
}

/// The logs of running and of recent invocations.
#[derive(Debug, Default)]
pub struct Logs {
    state: Mutex<LogsState>,
}

#[derive(Debug, Default)]
struct LogsState {
    running: BTreeMap<String, Arc<Output>>,
    ended: VecDeque<InvocationRecord>,
    ended_bytes: usize,
}

impl Logs {
    fn lock(&self) -> MutexGuard<'_, LogsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An invocation begins to write.
    pub fn begin(&self, request_id: &str, output: Arc<Output>) {
        self.lock().running.insert(request_id.to_owned(), output);
    }

    /// An invocation has ended.
    pub fn end(&self, record: InvocationRecord) {
        let mut state = self.lock();
        state.running.remove(&record.request_id);
        state.ended_bytes += record.log.text.len();
        state.ended.push_back(record);
        while state.ended.len() > INVOCATIONS_MAX || state.ended_bytes > LOGS_BYTES_MAX {
            let Some(oldest) = state.ended.pop_front() else { break };
            state.ended_bytes -= oldest.log.text.len();
        }
    }

    /// The output of an invocation, running or ended. `None` if it is not known (any more).
    pub fn log(&self, request_id: &str) -> Option<InvocationLog> {
        let state = self.lock();
        if let Some(output) = state.running.get(request_id) {
            return Some(output.peek());
        }
        state
            .ended
            .iter()
            .rev()
            .find(|record| record.request_id == request_id)
            .map(|record| record.log.clone())
    }

    /// The invocations that have ended, the latest first.
    pub fn recent(&self) -> Vec<InvocationRecord> {
        self.lock().ended.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_output_stays() {
        let output = Output::default();
        let mut guard = output.lock();
        guard.push(&vec![b'a'; LOG_BYTES_MAX]);
        guard.push(b"bc");
        guard.push_line("END");
        let log = guard.take();
        assert_eq!((log.text.len(), log.left_out_bytes), (LOG_BYTES_MAX, 7));
        assert!(log.text.ends_with("abc\nEND\n"));
        assert_eq!(guard.take(), InvocationLog::default());
    }

    #[test]
    fn recent_invocations_are_bounded() {
        let logs = Logs::default();
        for number in 0..INVOCATIONS_MAX + 2 {
            logs.end(InvocationRecord {
                request_id: number.to_string(),
                function_name: "f".into(),
                started_ms: 0,
                duration_ms: 0,
                outcome: InvocationOutcome::Succeeded,
                log: InvocationLog { text: "x".into(), left_out_bytes: 0 },
            });
        }
        let recent = logs.recent();
        assert_eq!((recent.len(), recent[0].request_id.as_str()), (INVOCATIONS_MAX, "1001"));
        assert_eq!((logs.log("1"), logs.log("2").is_some()), (None, true));
    }
}
