//! The EXPRESS executions that ended last, with their histories, for whoever wants to look into one. In memory, bounded in
//! number and bytes; the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::{Event, EventBody, Identity, Outcome};

use crate::engine::Engine;

/// Executions that are kept.
const EXECUTIONS_MAX: usize = 1_000;
/// Bytes that all of them may take, roughly.
const BYTES_MAX: usize = 64 << 20;
/// Bytes that the history of one may take, roughly; what happens after that is not kept.
const HISTORY_BYTES_MAX: usize = 4 << 20;

/// An EXPRESS execution that has ended.
#[derive(Debug)]
pub struct RecentExpress {
    pub identity: Arc<Identity>,
    pub outcome: Outcome,
    /// Milliseconds since 1970.
    pub stop_ms: i64,
    pub history: KeptHistory,
}

/// The events of an EXPRESS execution, from the first on.
#[derive(Debug, Default)]
pub struct KeptHistory {
    pub events: Vec<Event>,
    /// There were more than are kept.
    pub truncated: bool,
    bytes: usize,
}

impl KeptHistory {
    pub(crate) fn extend(&mut self, events: Vec<Event>) {
        if self.events.is_empty() && !self.truncated {
            self.bytes = bytes_of(&events);
            if self.bytes <= HISTORY_BYTES_MAX {
                self.events = events;
                return;
            }
            self.bytes = 0;
        }
        for event in events {
            let bytes = bytes_of(std::slice::from_ref(&event));
            self.truncated |= self.bytes + bytes > HISTORY_BYTES_MAX;
            if self.truncated {
                return;
            }
            self.bytes += bytes;
            self.events.push(event);
        }
    }
}

/// What the events take in memory, payloads shared between them counted each time.
fn bytes_of(events: &[Event]) -> usize {
    let payload = |event: &Event| match &event.body {
        EventBody::ExecutionStarted(started) => started.input.len_bytes(),
        EventBody::ExecutionSucceeded { output } => output.len_bytes(),
        EventBody::StateEntered { input, .. } => input.len_bytes(),
        EventBody::StateExited(exited) => {
            exited.output.len_bytes()
                + exited.assigned.iter().map(|(_, value)| value.len_bytes()).sum::<usize>()
        }
        EventBody::TaskScheduled(scheduled) => scheduled.parameters.len_bytes(),
        EventBody::TaskSubmitted(task) | EventBody::TaskSucceeded(task) => task.output.len_bytes(),
        EventBody::MapStarted(started) => started.items.len_bytes(),
        EventBody::IterationStarted(started) => started.input.len_bytes(),
        EventBody::ParallelStarted(started) => started.input.len_bytes(),
        _ => 0,
    };
    events.iter().map(|event| payload(event) + 2 * size_of::<Event>()).sum()
}

/// The ring of executions.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    executions: VecDeque<Arc<RecentExpress>>,
    bytes: usize,
}

impl Recent {
    pub fn push(&self, ended: RecentExpress) {
        let mut gone = Vec::new();
        let mut ring = self.lock();
        ring.bytes += ended.history.bytes;
        ring.executions.push_back(Arc::new(ended));
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
    /// EXPRESS executions that ended last, newest first: those of one state machine, or of all.
    pub fn recent_express(&self, machine_arn: Option<&str>) -> Vec<Arc<RecentExpress>> {
        let ring = self.recent.lock();
        let wanted = |ended: &&Arc<RecentExpress>| {
            machine_arn.is_none_or(|machine_arn| &*ended.identity.machine_arn == machine_arn)
        };
        ring.executions.iter().rev().filter(wanted).cloned().collect()
    }

    /// An EXPRESS execution that ended lately.
    pub fn recent_express_execution(&self, execution_arn: &str) -> Option<Arc<RecentExpress>> {
        let ring = self.recent.lock();
        ring.executions.iter().rev().find(|ended| &*ended.identity.execution_arn == execution_arn).cloned()
    }
}

#[cfg(test)]
mod tests {
    use stepwright_machine::{BranchId, ExecutionKind};
    use stepwright_types::arn::Account;
    use stepwright_value::Document;

    use super::*;

    fn ended(number: usize, payload_bytes: usize) -> RecentExpress {
        let output = Document::from_stored_text(format!("\"{}\"", "a".repeat(payload_bytes)));
        let mut history = KeptHistory::default();
        history.extend(vec![Event {
            sequence: 1,
            id: 1,
            previous_id: 0,
            timestamp_ms: 0,
            branch: BranchId::ROOT,
            body: EventBody::ExecutionSucceeded { output: output.clone() },
        }]);
        let identity = Identity {
            execution_arn: number.to_string().into(),
            execution_name: "n".into(),
            machine_arn: "m".into(),
            machine_name: "m".into(),
            role_arn: "r".into(),
            start_ms: 0,
            input: Document::default(),
            kind: ExecutionKind::Express,
            account: Arc::new(Account::new("us-east-1", "1")),
            locator: "l".into(),
        };
        RecentExpress {
            identity: Arc::new(identity),
            outcome: Outcome::Succeeded { output },
            stop_ms: 0,
            history,
        }
    }

    #[test]
    fn the_newest_stay_within_number_and_bytes() {
        let recent = Recent::default();
        for number in 0..EXECUTIONS_MAX + 5 {
            recent.push(ended(number, 0));
        }
        let first = recent.lock().executions.front().map(|ended| ended.identity.execution_arn.to_string());
        assert_eq!((recent.lock().executions.len(), first.as_deref()), (EXECUTIONS_MAX, Some("5")));
        for number in 0..40 {
            recent.push(ended(number, 3 << 20));
        }
        let ring = recent.lock();
        assert_eq!(ring.executions.len(), BYTES_MAX / (3 << 20));
        assert_eq!(ring.bytes, ring.executions.iter().map(|ended| ended.history.bytes).sum::<usize>());
    }

    #[test]
    fn a_long_history_is_cut() {
        let history = ended(1, HISTORY_BYTES_MAX).history;
        assert!(history.truncated && history.events.is_empty());
        let mut history = ended(1, 10).history;
        let more = ended(1, HISTORY_BYTES_MAX).history.events;
        assert!(more.is_empty());
        history.extend(ended(2, HISTORY_BYTES_MAX / 2).history.events);
        history.extend(ended(3, HISTORY_BYTES_MAX / 2).history.events);
        history.extend(ended(4, 1).history.events);
        assert!(history.truncated);
        assert_eq!(history.events.len(), 2);
    }
}
