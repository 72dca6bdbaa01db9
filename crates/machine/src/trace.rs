//! What happened to the data inside a state, stage by stage: for `TestState` and debuggers.

use std::collections::BTreeMap;

use stepwright_value::{Document, Value};

use crate::branch::Branch;
use crate::event::BranchId;

/// What happened to the data inside states, by visit and attempt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces(pub BTreeMap<Visit, Trace>);

/// One attempt of one visit of a state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Visit {
    pub line: BranchId,
    /// The sequence number of the event that entered the state.
    pub entered: u32,
    /// Counts the retries.
    pub attempt: u32,
}

impl Traces {
    /// That of what the line is doing.
    pub(crate) fn of(&mut self, branch: &Branch) -> &mut Trace {
        let Branch { id: line, entered_sequence: entered, retry_count: attempt, .. } = *branch;
        let begun = || Trace { input: Some(branch.input.clone()), ..Trace::default() };
        self.0.entry(Visit { line, entered, attempt }).or_insert_with(begun)
    }
}

/// The values between a state's input and its output. A stage that the state does not have leaves its field empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    pub input: Option<Document>,
    pub after_input_path: Option<Document>,
    pub after_parameters: Option<Document>,
    pub after_arguments: Option<Document>,
    pub result: Option<Document>,
    pub after_result_selector: Option<Document>,
    pub after_result_path: Option<Document>,
    /// The variables that the state set.
    pub variables: Vec<(std::sync::Arc<str>, Value)>,
    pub after_items_path: Option<Document>,
    pub after_item_selector: Vec<Document>,
    pub after_item_batcher: Option<Document>,
    pub after_items_pointer: Option<Document>,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
    pub max_concurrency: Option<i64>,
    /// The failure that Retry and Catch were asked about.
    pub failure: Option<crate::outcome::Failure>,
    pub catch_index: Option<usize>,
    pub retry_index: Option<usize>,
    pub retry_backoff_interval_s: Option<i64>,
}
