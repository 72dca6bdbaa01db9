//! The bounds of every parse and evaluation, so that no definition and no input can exhaust the process.

use stepwright_value::Value;

/// Steps a path may have. AWS does not document one; this bounds recursion.
pub const STEPS_MAX: usize = 256;

/// How deep filters may nest in each other and in parentheses.
pub const FILTER_DEPTH_MAX: usize = 32;

/// How deep intrinsic calls may nest: "You can nest up to 10 intrinsic functions within a field" (AWS developer guide).
pub const INTRINSIC_DEPTH_MAX: usize = 10;

/// How deep a payload template may nest; that of the JSON reader.
pub const TEMPLATE_DEPTH_MAX: usize = stepwright_value::DEPTH_MAX;

/// Values one path may visit. A state's payload holds far fewer (256 KiB); only repeated deep scans come near.
pub const VISITS_MAX: usize = 4_000_000;

/// Visits after which the caller is asked whether the evaluation goes on: a fraction of a millisecond.
pub(crate) const VISITS_UNASKED: usize = 4_096;

/// Bytes of JSON text that one deep scan or intrinsic call may yield. A state's payload is 256 KiB at most.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a compiled regular expression in a filter.
pub const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// UTF-16 units that `States.Base64Encode`, `States.Base64Decode` and `States.Hash` take (AWS developer guide).
pub const ENCODE_CHARS_MAX: usize = 10_000;

/// Elements `States.ArrayRange` may make (AWS developer guide).
pub const RANGE_LEN_MAX: i64 = 1000;

/// Whether the JSON text of `value` fits into `left` bytes; takes them off. Stops as soon as it does not, so the cost
/// is bounded by `left` even where shared parts make the text far longer than the value in memory.
pub(crate) fn fits(value: &Value, left: &mut usize) -> bool {
    // Commas, quotes and colons are counted by their order of magnitude: this is a bound, not a measure.
    let own = match value {
        Value::Array(_) | Value::Object(_) => 2,
        Value::String(text) => text.len() + 3,
        Value::Null | Value::Bool(_) | Value::Number(_) => 5,
    };
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, left)),
        Value::Object(members) => members.iter().all(|(key, member)| {
            let Some(rest) = left.checked_sub(key.len() + 4) else { return false };
            *left = rest;
            fits(member, left)
        }),
        _ => true,
    }
}
