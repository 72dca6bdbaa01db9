//! Which executions failed beside the one that is watched: the children of distributed Map states, with their items.

use std::sync::{Arc, Mutex, PoisonError};

use stepwright_engine::{MapRunProgress, Observer};
use stepwright_machine::event::EventBody;
use stepwright_machine::{Event, Failure, Identity};

use crate::live::Live;
use crate::row::clean;

/// Failures that are told; of more, only the number.
const FAILURES_MAX: usize = 10;
/// Characters of an item and of a cause that are told.
const BRIEF_CHARS_MAX: usize = 200;

/// Shows an execution, and remembers which children failed.
pub struct Observed {
    live: Arc<Live>,
    /// The execution that is shown.
    execution_arn: String,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    count: usize,
    lines: String,
}

impl Observed {
    pub fn new(live: Arc<Live>, execution_arn: String) -> Observed {
        Observed { live, execution_arn, failures: Mutex::default() }
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
            failures.lines.push_str(&paragraph(child.input.text(), failure));
        }
    }
}

impl Observer for Observed {
    fn committed(&self, execution: &Identity, events: &[Event]) {
        if *execution.execution_arn == *self.execution_arn {
            return self.live.committed(execution, events);
        }
        for event in events {
            if let EventBody::ExecutionFailed(failure) | EventBody::ExecutionTimedOut(failure) = &event.body {
                self.failed(execution, failure);
            }
        }
    }

    fn map_run(&self, progress: &MapRunProgress<'_>) {
        self.live.map_run(progress);
    }
}

/// The item, and why it failed.
fn paragraph(item: &str, failure: &Failure) -> String {
    let error = failure.error.as_deref().unwrap_or("no error name");
    let cause = failure.cause.as_deref().unwrap_or_default();
    let message = stepwright_value::read(cause).ok();
    let message = message.as_ref().and_then(|value| value.get("errorMessage")).and_then(|text| text.as_str());
    let colon = if cause.is_empty() { "" } else { ": " };
    format!("child failed on {}\n  {}{colon}{}\n", brief(item), clean(error), brief(message.unwrap_or(cause)))
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
            paragraph("{\"n\":1}", &failure("E", "odd\nindeed")),
            "child failed on {\"n\":1}\n  E: odd indeed\n"
        );
        let lambda = failure("ValueError", r#"{"errorMessage": "odd", "stackTrace": []}"#);
        assert_eq!(paragraph("7", &lambda), "child failed on 7\n  ValueError: odd\n");
        assert!(paragraph(&"x".repeat(9999), &failure("E", "")).len() < 300);
    }
}
