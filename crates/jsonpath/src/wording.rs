//! AWS's sentences for paths that select nothing. Which of the two a field uses is the caller's to know.

use std::fmt::Display;

use stepwright_value::Value;

use crate::PathError;

/// For payload templates, `ErrorPath` and `CausePath`. `input` is what the state was given.
pub fn path_not_found(path: &str, field: &str, input: &Value) -> String {
    format!(
        "The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{input}'"
    )
}

/// For `InputPath`, `OutputPath`, `TimeoutSecondsPath` and `HeartbeatSecondsPath`.
pub fn invalid_path(path: &str, error: &PathError) -> String {
    let why: &dyn Display = error;
    format!("Invalid path '{path}' : {why}")
}
