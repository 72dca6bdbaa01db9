//! `$fromMillis`.
use super::FormatError;

/// Formats an instant. Errors: D3130 to D3135.
pub fn from_millis(_millis: f64, _picture: Option<&str>, _timezone: Option<&str>) -> Result<String, FormatError> {
    Err(FormatError::host("not available"))
}
