//! `$parseInteger`.
use super::FormatError;

/// Reads `text` by an integer picture; NaN if it does not fit. Errors: D3130, D3131.
pub fn parse_integer(_text: &str, _picture: &str) -> Result<Option<f64>, FormatError> {
    Err(FormatError::host("not available"))
}
