//! `$formatInteger`.
use super::FormatError;

/// Formats the floor of `value` by an integer picture. Errors: D3130, D3131.
pub fn format_integer(_value: f64, _picture: &str) -> Result<String, FormatError> {
    Err(FormatError::host("not available"))
}
