//! `States.Array…`.

use stepwright_value::{Array, Value, java};

use super::function::{Outcome, Refused};
use crate::limits::{OUTPUT_BYTES_MAX, RANGE_LEN_MAX, fits};

/// Pieces of `size` items; the last may be shorter.
pub(super) fn partition(items: &Array, size: i32) -> Outcome {
    match usize::try_from(size) {
        Ok(size) if size > 0 => Ok(items.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect()),
        _ => Err(Refused::Invalid),
    }
}

/// Whether one of the items looks like `item`: AWS compares their texts, so that 1 and "1" are the same.
pub(super) fn contains(items: &Array, item: &Value) -> Outcome {
    let mut left = OUTPUT_BYTES_MAX;
    if !fits(item, &mut left) || !items.iter().all(|item| fits(item, &mut left)) {
        return Err(Refused::Invalid);
    }
    let mut wanted = String::new();
    java::write_text(item, &mut wanted);
    let mut found = String::new();
    let is_it = |item: &Value| {
        found.clear();
        java::write_text(item, &mut found);
        found == wanted
    };
    Ok(items.iter().any(is_it).into())
}

/// From `first` in steps up to `last`, which is included where a step lands on it.
pub(super) fn range(first: i32, last: i32, step: i32) -> Outcome {
    let (first, last, step) = (i64::from(first), i64::from(last), i64::from(step));
    if step == 0 {
        return Err(Refused::Invalid);
    }
    let span = last - first;
    if span.signum() * step.signum() < 0 {
        return Ok(Value::Array(Array::default()));
    }
    let len = span / step + 1;
    if len > RANGE_LEN_MAX {
        return Err(Refused::Invalid);
    }
    Ok((0..len).map(|count| Value::from(first + count * step)).collect())
}

/// An empty array has null everywhere.
pub(super) fn get_item(items: &Array, index: i32) -> Outcome {
    if items.is_empty() {
        return Ok(Value::Null);
    }
    let item = usize::try_from(index).ok().and_then(|index| items.get(index));
    item.cloned().ok_or(Refused::Invalid)
}

/// The distinct items, in the order of a Java hash set.
pub(super) fn unique(items: &Array) -> Outcome {
    let mut left = OUTPUT_BYTES_MAX;
    if !items.iter().all(|item| fits(item, &mut left)) {
        return Err(Refused::Invalid);
    }
    Ok(java::in_hash_set_order(items.iter()).into_iter().cloned().collect())
}
