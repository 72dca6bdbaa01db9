//! What a test of one state showed, stage by stage, for people.

use std::fmt::Write as _;

use stepwright_api::model::{Enumeration as _, InspectionData, TestStateOutput};
use stepwright_value::{Object, Value, read};

use crate::pretty;

/// Keys that are named before the rest is only counted.
const KEYS_MAX: usize = 8;

/// The stages, then the outcome. The output itself is left out.
pub fn draw(answer: &TestStateOutput) -> String {
    let mut out = String::new();
    if let Some(data) = &answer.inspection_data {
        draw_stages(data, &mut out);
    }
    let status = answer.status.map_or("", |status| status.as_str());
    out.push_str(status);
    if let Some(next) = &answer.next_state {
        let _ = write!(out, " -> {next}");
    }
    if let Some(error) = &answer.error {
        let _ = write!(out, "  {error}");
    }
    if let Some(cause) = &answer.cause {
        let _ = write!(out, ": {cause}");
    }
    out.push('\n');
    out
}

fn draw_stages(data: &InspectionData, out: &mut String) {
    let stages = [
        ("input", &data.input),
        ("afterInputPath", &data.after_input_path),
        ("afterParameters", &data.after_parameters),
        ("afterArguments", &data.after_arguments),
        ("afterItemsPointer", &data.after_items_pointer),
        ("afterItemsPath", &data.after_items_path),
        ("afterItemSelector", &data.after_item_selector),
        ("afterItemBatcher", &data.after_item_batcher),
        ("result", &data.result),
        ("afterResultSelector", &data.after_result_selector),
        ("afterResultPath", &data.after_result_path),
        ("variables", &data.variables),
    ];
    let mut before: Option<Value> = None;
    for (name, text) in stages {
        let Some(value) = text.as_deref().and_then(|text| read(text).ok()) else { continue };
        // A result and the variables come from elsewhere: there is nothing to compare them with.
        let compared = before.as_ref().filter(|_| !matches!(name, "result" | "variables"));
        match compared {
            Some(before) if *before == value => {
                let _ = writeln!(out, "{name}: as before");
            }
            Some(before) => {
                let _ = writeln!(out, "{name}: {}", change(before, &value));
                draw_value(&value, out);
            }
            None => {
                let _ = writeln!(out, "{name}");
                draw_value(&value, out);
            }
        }
        before = Some(value);
    }
    draw_numbers(data, out);
}

fn draw_value(value: &Value, out: &mut String) {
    for line in pretty::json(value).lines() {
        let _ = writeln!(out, "  {line}");
    }
}

fn draw_numbers(data: &InspectionData, out: &mut String) {
    let numbers = [
        ("maxConcurrency", data.max_concurrency.map(f64::from)),
        ("toleratedFailureCount", data.tolerated_failure_count.map(f64::from)),
        ("toleratedFailurePercentage", data.tolerated_failure_percentage),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            let _ = writeln!(out, "{name}: {number}");
        }
    }
    let Some(details) = &data.error_details else { return };
    match (details.retry_index, details.retry_backoff_interval_seconds) {
        (Some(index), Some(seconds)) => {
            let _ = writeln!(out, "Retry[{index}] tries again after {seconds} s");
        }
        (Some(index), None) => {
            let _ = writeln!(out, "Retry[{index}] is used up");
        }
        (None, _) => {}
    }
    if let Some(index) = details.catch_index {
        let _ = writeln!(out, "Catch[{index}] takes the failure");
    }
}

/// What is different, in a few words.
fn change(before: &Value, after: &Value) -> String {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => keys(before, after),
        (Value::Array(before), Value::Array(after)) if before.len() != after.len() => {
            format!("{} items, before {}", after.len(), before.len())
        }
        _ if before.kind() == after.kind() => "changed".to_owned(),
        _ => format!("{}, before {}", kind(after), kind(before)),
    }
}

/// `+` new, `-` gone, `~` changed.
fn keys(before: &Object, after: &Object) -> String {
    let new = after.keys().filter(|key| !before.contains_key(key)).map(|key| format!("+{key}"));
    let gone = before.keys().filter(|key| !after.contains_key(key)).map(|key| format!("-{key}"));
    let changed = after.iter().filter(|(key, value)| before.get(key).is_some_and(|before| before != *value));
    let all: Vec<String> = new.chain(gone).chain(changed.map(|(key, _)| format!("~{key}"))).collect();
    match all.len().checked_sub(KEYS_MAX) {
        None | Some(0) if all.is_empty() => "another order".to_owned(),
        None | Some(0) => all.join(" "),
        Some(more) => format!("{} and {more} more", all.get(..KEYS_MAX).unwrap_or(&all).join(" ")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":2,"b":3}"#, "+b ~a"),
            (r#"{"a":1,"c":1}"#, r#"{"a":1}"#, "-c"),
            ("[1]", "[1,2]", "2 items, before 1"),
            ("[1]", "[2]", "changed"),
            ("1", r#"{"a":2}"#, "an object, before a number"),
        ];
        for (before, after, expected) in cases {
            let value = |text: &str| read(text).expect("JSON");
            assert_eq!(change(&value(before), &value(after)), expected, "{before} {after}");
        }
    }
}
