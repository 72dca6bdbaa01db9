//! `States.StringToJson`, `States.JsonToString`, `States.JsonMerge`.

use stepwright_value::{Object, Value, read};

use super::function::Outcome;
use crate::limits::{OUTPUT_BYTES_MAX, fits};

/// A blank text is null, as AWS has it.
pub(super) fn string_to_json(text: &str) -> Outcome {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let value = read(text).map_err(|error| format!("The string is not valid JSON: {error}"))?;
    Ok(if text.contains("-0") { without_negative_zero(value) } else { value })
}

/// AWS reads `-0` as the integer 0.
fn without_negative_zero(value: Value) -> Value {
    match &value {
        Value::Number(number) if number.is_integer_text() && number.as_whole_i64() == Some(0) => 0.into(),
        Value::Array(items) => items.iter().cloned().map(without_negative_zero).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), without_negative_zero(member.clone())))
            .collect::<Object>()
            .into(),
        _ => value,
    }
}

pub(super) fn json_to_string(value: &Value) -> Outcome {
    match fits(value, &mut OUTPUT_BYTES_MAX.clone()) {
        true => Ok(value.to_json().into()),
        false => Err("The value is too large".into()),
    }
}

/// The members of both; those of `right` win. AWS merges only the top level.
pub(super) fn merge(left: &Object, right: &Object, deep: &Value) -> Outcome {
    if deep.as_bool() != Some(false) {
        return Err("Invalid argument 3: only shallow merging is supported, false is expected".into());
    }
    let mut merged = left.clone();
    for (key, member) in right.iter() {
        merged.insert(key.clone(), member.clone());
    }
    Ok(merged.into())
}
