//! Which stages AWS shows for a state of which type: not all that the interpreter knows.

use stepwright_asl::program::{Kind, QueryLanguage, State};
use stepwright_value::{Document, Value};

use crate::trace::Trace;

/// The stages that AWS shows. The fields are those of the API's `InspectionData`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspection {
    pub input: Option<Document>,
    pub after_input_path: Option<Document>,
    pub after_parameters: Option<Document>,
    pub after_arguments: Option<Document>,
    pub after_items_pointer: Option<Document>,
    pub after_items_path: Option<Document>,
    pub after_item_selector: Option<Document>,
    pub after_item_batcher: Option<Document>,
    pub result: Option<Document>,
    pub after_result_selector: Option<Document>,
    pub after_result_path: Option<Document>,
    /// The variables after the state: those that were set before it, and those that it set.
    pub variables: Option<Document>,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
    pub max_concurrency: Option<i64>,
    pub catch_index: Option<usize>,
    /// Also of a retrier that is used up; then there is no interval.
    pub retry_index: Option<usize>,
    pub retry_backoff_interval_s: Option<i64>,
}

/// What AWS shows of `trace` for `state`.
pub(super) fn of(trace: &Trace, state: &State, variables: Option<Document>) -> Inspection {
    let trace = trace.clone();
    let selected = trace.after_item_selector.iter().map(|item| item.value().clone());
    let selected = (!trace.after_item_selector.is_empty()).then(|| Value::from_iter(selected).into());
    let mut shown = Inspection {
        input: trace.input,
        after_input_path: trace.after_input_path,
        after_parameters: trace.after_parameters,
        after_arguments: trace.after_arguments,
        after_items_pointer: trace.after_items_pointer,
        after_items_path: trace.after_items_path,
        after_item_selector: selected,
        after_item_batcher: trace.after_item_batcher,
        result: trace.result,
        after_result_selector: trace.after_result_selector,
        after_result_path: trace.after_result_path,
        variables,
        tolerated_failure_count: trace.tolerated_failure_count,
        tolerated_failure_percentage: trace.tolerated_failure_percentage,
        max_concurrency: trace.max_concurrency,
        catch_index: trace.catch_index,
        retry_index: trace.retry_index,
        retry_backoff_interval_s: trace.retry_backoff_interval_s,
    };
    let is_json_path = state.language == QueryLanguage::JsonPath;
    if !is_json_path {
        shown.after_items_path = None;
    }
    match &state.kind {
        Kind::Pass(pass) if pass.result.is_some() => {
            shown.result = pass.result.clone();
            shown.after_input_path = None;
        }
        // It has no InputPath; AWS shows one all the same.
        Kind::Fail(_) if is_json_path => shown.after_input_path = shown.input.clone(),
        Kind::Parallel(_) => {
            shown.after_input_path = None;
            shown.after_parameters = None;
            shown.after_arguments = None;
        }
        _ => {}
    }
    shown
}
