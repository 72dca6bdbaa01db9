//! `$formatNumber`.
use super::FormatError;

/// Formats `value` by an XPath decimal-format picture. `options` override decimal-format properties by name
/// (`decimal-separator`, `grouping-separator`, `exponent-separator`, `minus-sign`, `percent`, `per-mille`,
/// `zero-digit`, `digit`, `pattern-separator`); unknown names are ignored. Errors: D3080 to D3093.
pub fn format_number(
    _value: f64,
    _picture: &str,
    _options: Option<&[(String, String)]>,
) -> Result<String, FormatError> {
    Err(FormatError::host("not available"))
}
