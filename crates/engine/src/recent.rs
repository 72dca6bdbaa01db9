//! The EXPRESS executions that ended last, with their histories, for whoever wants to look into one. In memory, bounded in
//! number and bytes; the oldest goes first.
//!
//! Histories are kept encoded: that is cheaper than to keep the many small objects of the events, which would be freed only
//! long after they were in the processor's cache.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::{Event, Outcome, Status, codec};

use crate::engine::Engine;

/// Executions that are kept.
const EXECUTIONS_MAX: usize = 1_000;
/// Bytes that the histories of all of them may have.
const BYTES_MAX: usize = 64 << 20;
/// Bytes that the history of one may have; what happens after that is not kept.
const HISTORY_BYTES_MAX: usize = 4 << 20;

/// An EXPRESS execution that has ended.
#[derive(Clone, Debug)]
pub struct RecentExpress {
    pub execution_arn: Arc<str>,
    pub machine_arn: Arc<str>,
    pub status: Status,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970.
    pub stop_ms: i64,
    /// How it ended, where the history is not complete and does not tell.
    pub outcome: Option<Outcome>,
    pub history: KeptHistory,
}

impl RecentExpress {
    /// The execution's name: `arn:…:express:MACHINE:NAME:RUN`.
    pub fn name(&self) -> &str {
        self.execution_arn.rsplit(':').nth(1).unwrap_or_default()
    }
}

/// The events of an EXPRESS execution, from the first on.
#[derive(Clone, Debug, Default)]
pub struct KeptHistory {
    segments: Vec<Arc<[u8]>>,
    bytes: usize,
    truncated: bool,
}

impl KeptHistory {
    /// The events, in order.
    pub fn events(&self) -> Vec<Event> {
        // What was encoded in this process can be decoded.
        self.segments.iter().flat_map(|data| codec::decode_segment(data).unwrap_or_default()).collect()
    }

    /// Whether there were more than are kept.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What has happened then, encoded.
    pub(crate) fn push(&mut self, segment: Vec<u8>) {
        self.truncated |= self.bytes + segment.len() > HISTORY_BYTES_MAX;
        if !self.truncated {
            self.bytes += segment.len();
            self.segments.push(segment.into());
        }
    }
}

/// The ring of executions.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    executions: VecDeque<RecentExpress>,
    bytes: usize,
}

impl Recent {
    pub fn push(&self, ended: RecentExpress) {
        let mut gone = Vec::new();
        let mut ring = self.lock();
        ring.bytes += ended.history.bytes;
        ring.executions.push_back(ended);
        while ring.executions.len() > EXECUTIONS_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.executions.pop_front() else { break };
            ring.bytes -= oldest.history.bytes;
            gone.push(oldest);
        }
        drop(ring);
        // Freed without the lock.
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// EXPRESS executions that ended last, newest first, `limit` at most: those of one state machine, or of all.
    pub fn recent_express(&self, machine_arn: Option<&str>, limit: usize) -> Vec<RecentExpress> {
        let ring = self.recent.lock();
        let wanted =
            |ended: &&RecentExpress| machine_arn.is_none_or(|machine_arn| &*ended.machine_arn == machine_arn);
        ring.executions.iter().rev().filter(wanted).take(limit).cloned().collect()
    }

    /// An EXPRESS execution that ended lately.
    pub fn recent_express_execution(&self, execution_arn: &str) -> Option<RecentExpress> {
        let ring = self.recent.lock();
        ring.executions.iter().rev().find(|ended| &*ended.execution_arn == execution_arn).cloned()
    }
}

#[cfg(test)]
mod tests {
    use stepwright_machine::{BranchId, EventBody};
    use stepwright_value::Document;

    use super::*;

    fn event(payload_bytes: usize) -> Event {
        let output = Document::from_stored_text(format!("\"{}\"", "a".repeat(payload_bytes)));
        Event {
            sequence: 1,
            id: 1,
            previous_id: 0,
            timestamp_ms: 0,
            branch: BranchId::ROOT,
            body: EventBody::ExecutionSucceeded { output },
        }
    }

    fn ended(number: usize, payload_bytes: usize) -> RecentExpress {
        let mut history = KeptHistory::default();
        history.push(codec::encode_segment(&[event(payload_bytes)]));
        RecentExpress {
            execution_arn: format!("arn:aws:states:r:a:express:m:n{number}:run").into(),
            machine_arn: "m".into(),
            status: Status::Succeeded,
            start_ms: 0,
            stop_ms: 0,
            outcome: None,
            history,
        }
    }

    #[test]
    fn the_newest_stay_within_number_and_bytes() {
        let recent = Recent::default();
        for number in 0..EXECUTIONS_MAX + 5 {
            recent.push(ended(number, 0));
        }
        let first = recent.lock().executions.front().map(|ended| ended.name().to_owned());
        assert_eq!((recent.lock().executions.len(), first.as_deref()), (EXECUTIONS_MAX, Some("n5")));
        for number in 0..40 {
            recent.push(ended(number, 3 << 20));
        }
        let ring = recent.lock();
        assert_eq!(ring.executions.len(), BYTES_MAX / (3 << 20));
        assert_eq!(ring.bytes, ring.executions.iter().map(|ended| ended.history.bytes).sum::<usize>());
    }

    #[test]
    fn a_long_history_is_cut() {
        let mut history = KeptHistory::default();
        for bytes in [10, HISTORY_BYTES_MAX / 2, HISTORY_BYTES_MAX / 2, 1] {
            history.push(codec::encode_segment(&[event(bytes)]));
        }
        assert!(history.is_truncated());
        assert_eq!(history.events(), [event(10), event(HISTORY_BYTES_MAX / 2)]);
    }
}
