//! `$toMillis`.
use super::FormatError;

/// Reads an instant; `None` where the text does not match the picture. Errors: D3110, D3130 to D3136.
pub fn to_millis(_text: &str, _picture: Option<&str>, _now_ms: i64) -> Result<Option<f64>, FormatError> {
    Err(FormatError::host("not available"))
}
