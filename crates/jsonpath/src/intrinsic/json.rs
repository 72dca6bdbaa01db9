//! `States.StringToJson`, `States.JsonToString`, `States.JsonMerge`.

use stepwright_value::jackson::{Source, first_value};
use stepwright_value::{Object, Value, java, read};

use super::function::{Outcome, Refused};
use crate::limits::{OUTPUT_BYTES_MAX, fits};

/// The first value in the text, as Jackson reads it: what follows it is not looked at, and a blank text is null.
pub(super) fn string_to_json(text: &str) -> Outcome {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let not_json =
        |why: String| Refused::Otherwise("Cannot convert String to Json in", format!(", caused by: {why}"));
    let end = first_value(text, Source::Redacted)
        .map_err(|refusal| not_json(format!("{}\n at {}", refusal.message, refusal.place)))?;
    let text = text.get(..end).unwrap_or_default();
    let value = read(text).map_err(|error| not_json(error.to_string()))?;
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
    if !fits(value, &mut OUTPUT_BYTES_MAX.clone()) {
        return Err(Refused::Invalid);
    }
    let mut text = String::new();
    java::write_json(value, &mut text);
    Ok(text.into())
}

/// The members of both; those of `right` win. AWS merges only the top level, and takes everything for that but true.
pub(super) fn merge(left: &Object, right: &Object, deep: &Value) -> Outcome {
    if matches!(deep, Value::Bool(true))
        || deep.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    {
        return Err(Refused::Invalid);
    }
    let mut merged = left.clone();
    for (key, member) in right.iter() {
        merged.insert(key.clone(), member.clone());
    }
    Ok(merged.into())
}
