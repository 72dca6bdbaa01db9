//! `$formatBase`.
use super::FormatError;

/// Formats `value` in the number base `radix`, both rounded to integers first. Error: D3100.
pub fn format_base(_value: f64, _radix: f64) -> Result<String, FormatError> {
    Err(FormatError::host("not available"))
}
