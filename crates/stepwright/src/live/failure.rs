//! What is known of a failure beside the event that tells it: in the definition, and in the data that a catcher makes of it.

use std::sync::Arc;

use stepwright_asl::program::{Kind, Setting, State};
use stepwright_machine::Failure;
use stepwright_value::{Document, Value};

/// What a Fail state says, where it says so literally.
pub(super) fn written_failure(state: &State) -> Option<Failure> {
    let Kind::Fail(fail) = &state.kind else { return None };
    let literal = |setting: &Option<Setting<Arc<str>>>| match setting {
        Some(Setting::Literal(text)) => Some(text.clone()),
        _ => None,
    };
    let failure = Failure { error: literal(&fail.error), cause: literal(&fail.cause) };
    (failure != Failure::default()).then_some(failure)
}

/// The error that a catcher has put into its state's output.
pub(super) fn error_in(output: &Document) -> Option<Failure> {
    let text = |key: &str| output.value().get(key).and_then(Value::as_str).map(Arc::from);
    text("Error").map(|error| Failure { error: Some(error), cause: text("Cause") })
}
