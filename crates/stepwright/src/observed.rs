//! The executions beside the one that is shown: which of them failed, on which input, and which have not ended. They are the
//! children of distributed Map states and nested executions.

use std::sync::{Arc, Mutex, PoisonError};

use stepwright_engine::{MapRunProgress, Observer};
use stepwright_machine::event::EventBody;
use stepwright_machine::{Event, Failure, Identity};
use tokio::sync::watch;

use crate::live::Live;
use crate::row::clean;

/// Failures that are told; of more, only the number.
const FAILURES_MAX: usize = 10;
/// Characters of an item and of a cause that are told.
const BRIEF_CHARS_MAX: usize = 200;

/// Shows an execution, and remembers what became of those that it started.
pub struct Observed {
    live: Arc<Live>,
    failures: Mutex<Failures>,
    /// Nested executions that have not ended.
    nested: watch::Sender<usize>,
}

#[derive(Default)]
struct Failures {
    count: usize,
    lines: String,
}

impl Observed {
    pub fn new(live: Arc<Live>) -> Observed {
        Observed { live, failures: Mutex::default(), nested: watch::Sender::new(0) }
    }

    /// How many nested executions have not ended.
    pub fn nested(&self) -> usize {
        *self.nested.borrow()
    }

    /// Returns when all nested executions have ended.
    pub async fn nested_ended(&self) {
        // The sender lives as long as this.
        let _ = self.nested.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The failures, a paragraph for each; empty where there are none.
    pub fn told(&self) -> String {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.count.checked_sub(FAILURES_MAX) {
            None | Some(0) => failures.lines.clone(),
            Some(more) => format!("{}(and {more} more)\n", failures.lines),
        }
    }

    fn failed(&self, child: &Identity, failure: &Failure) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.count += 1;
        if failures.count <= FAILURES_MAX {
            failures.lines.push_str(&paragraph(&who(child), child.input.text(), failure));
        }
    }
}

impl Observer for Observed {
    fn committed(&self, execution: &Identity, events: &[Event]) {
        if self.live.shows(execution) {
            return self.live.committed(execution, events);
        }
        for event in events {
            if let EventBody::ExecutionFailed(failure) | EventBody::ExecutionTimedOut(failure) = &event.body {
                self.failed(execution, failure);
            }
            if is_map_child(execution) {
                continue;
            }
            match &event.body {
                EventBody::ExecutionStarted(_) => self.nested.send_modify(|count| *count += 1),
                body if body.is_final() => {
                    self.nested.send_modify(|count| *count = count.saturating_sub(1));
                }
                _ => {}
            }
        }
    }

    fn map_run(&self, progress: &MapRunProgress<'_>) {
        self.live.map_run(progress);
    }
}

/// The ARN of a child of a distributed Map has `MACHINE/LABEL` in it; no name can have that.
fn is_map_child(execution: &Identity) -> bool {
    execution.execution_arn.contains('/')
}

fn who(execution: &Identity) -> String {
    match is_map_child(execution) {
        true => "child".to_owned(),
        false => format!("execution {}/{}", execution.machine_name, execution.execution_name),
    }
}

/// Who failed on what, and why.
fn paragraph(who: &str, item: &str, failure: &Failure) -> String {
    let error = failure.error.as_deref().unwrap_or("no error name");
    let cause = failure.cause.as_deref().unwrap_or_default();
    let message = stepwright_value::read(cause).ok();
    let message = message.as_ref().and_then(|value| value.get("errorMessage")).and_then(|text| text.as_str());
    let colon = if cause.is_empty() { "" } else { ": " };
    format!("{who} failed on {}\n  {}{colon}{}\n", brief(item), clean(error), brief(message.unwrap_or(cause)))
}

fn brief(text: &str) -> String {
    match text.char_indices().nth(BRIEF_CHARS_MAX) {
        Some((at, _)) => clean(text.get(..at).unwrap_or_default()) + "…",
        None => clean(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs() {
        let failure =
            |error: &str, cause: &str| Failure { error: Some(error.into()), cause: Some(cause.into()) };
        assert_eq!(
            paragraph("child", "{\"n\":1}", &failure("E", "odd\nindeed")),
            "child failed on {\"n\":1}\n  E: odd indeed\n"
        );
        let lambda = failure("ValueError", r#"{"errorMessage": "odd", "stackTrace": []}"#);
        assert_eq!(paragraph("child", "7", &lambda), "child failed on 7\n  ValueError: odd\n");
        assert!(paragraph("child", &"x".repeat(9999), &failure("E", "")).len() < 300);
    }
}
