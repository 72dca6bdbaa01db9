//! `States.Array…`.

use std::collections::HashSet;

use stepwright_value::{Array, Value, write_string};

use super::function::Outcome;
use crate::limits::{OUTPUT_BYTES_MAX, RANGE_LEN_MAX, fits};

/// Pieces of `size` items; the last may be shorter.
pub(super) fn partition(items: &Array, size: i64) -> Outcome {
    match usize::try_from(size) {
        Ok(size) if size > 0 => Ok(items.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect()),
        _ => Err("The chunk size must be a positive integer".into()),
    }
}

/// From `first` in steps up to `last`, which is included where a step lands on it.
pub(super) fn range(first: i64, last: i64, step: i64) -> Outcome {
    if step == 0 {
        return Err("The step must not be 0".into());
    }
    let span = i128::from(last) - i128::from(first);
    let len = span / i128::from(step) + 1;
    if span.signum() * i128::from(step.signum()) < 0 {
        return Ok(Value::Array(Array::default()));
    }
    if len > i128::from(RANGE_LEN_MAX) {
        return Err(format!("The range must not have more than {RANGE_LEN_MAX} elements"));
    }
    // Every product stays between first and last.
    Ok((0..i64::try_from(len).unwrap_or(0)).map(|count| Value::from(first + count * step)).collect())
}

pub(super) fn get_item(items: &Array, index: i64) -> Outcome {
    let item = usize::try_from(index).ok().and_then(|index| items.get(index));
    item.cloned()
        .ok_or_else(|| format!("Index {index} is out of bounds for an array of length {}", items.len()))
}

/// The items without those that came before.
pub(super) fn unique(items: &Array) -> Outcome {
    let mut left = OUTPUT_BYTES_MAX;
    if !items.iter().all(|item| fits(item, &mut left)) {
        return Err("The array is too large".into());
    }
    let mut seen = HashSet::with_capacity(items.len());
    Ok(items
        .iter()
        .filter(|item| {
            let mut identity = String::new();
            write_identity(item, &mut identity);
            seen.insert(identity)
        })
        .cloned()
        .collect())
}

/// Writes a text that is the same for equal values: keys sorted, numbers in one form.
fn write_identity(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => match number.as_i64().or_else(|| number.as_whole_i64()) {
            Some(whole) => *out += &whole.to_string(),
            None if number.is_integer_text() => number.write(out),
            None => *out += &number.as_f64().to_string(),
        },
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_identity(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|left, right| left.0.cmp(right.0));
            out.push('{');
            for (key, member) in members {
                write_string(key, out);
                out.push(':');
                write_identity(member, out);
                out.push(',');
            }
            out.push('}');
        }
        other => other.write(out),
    }
}
