//! Payloads in requests: JSON text within the payload limit.

use stepwright_types::limit::PAYLOAD_BYTES_MAX;
use stepwright_value::Document;
use stepwright_value::jackson::{Source, first_value};

use crate::error::ApiError;
use crate::model::ErrorName;

/// An execution's input; absent means `{}`.
pub fn execution_input(input: Option<String>) -> Result<Document, ApiError> {
    match input {
        Some(text) => {
            payload(&text, "input", ErrorName::InvalidExecutionInput, "Invalid State Machine Execution Input")
        }
        None => Ok(Document::from_stored_text("{}")),
    }
}

/// A task's output.
pub fn task_output(output: &str) -> Result<Document, ApiError> {
    payload(output, "output", ErrorName::InvalidOutput, "Invalid Output")
}

fn payload(text: &str, member: &str, error: ErrorName, sentence: &str) -> Result<Document, ApiError> {
    // The model counts characters; the quota is in bytes.
    if text.len() > PAYLOAD_BYTES_MAX {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member must have length less than or equal to {PAYLOAD_BYTES_MAX}"
        )));
    }
    Document::parse(text)
        .map_err(|cause| ApiError::service(error, format!("{sentence}: '{}'", why(text, &cause))))
}

/// Why `text` is no JSON, in the words of AWS's reader; what follows its first value is ours to refuse.
pub fn why(text: &str, ours: &impl std::fmt::Display) -> String {
    match first_value(text, Source::Excerpt) {
        Err(refusal) => refusal.message,
        Ok(_) => ours.to_string(),
    }
}
