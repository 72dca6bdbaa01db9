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
    let value = |text: &Option<String>| text.as_deref().and_then(|text| read(text).ok());
    let input = value(&data.input);
    let result = value(&data.result);
    draw_stage("input", &input, None, out);
    // Each of these is made from the one before it, as far as the state has it.
    let mut before = input.clone();
    for (name, text) in [
        ("afterInputPath", &data.after_input_path),
        ("afterParameters", &data.after_parameters),
        ("afterArguments", &data.after_arguments),
        ("afterItemsPointer", &data.after_items_pointer),
        ("afterItemsPath", &data.after_items_path),
        ("afterItemSelector", &data.after_item_selector),
        ("afterItemBatcher", &data.after_item_batcher),
    ] {
        let stage = value(text);
        draw_stage(name, &stage, before.as_ref(), out);
        before = stage.or(before);
    }
    draw_stage("result", &result, None, out);
    draw_stage("afterResultSelector", &value(&data.after_result_selector), result.as_ref(), out);
    // The result in its place in the input.
    draw_stage("afterResultPath", &value(&data.after_result_path), input.as_ref(), out);
    draw_stage("variables", &value(&data.variables), None, out);
    draw_numbers(data, out);
}

/// One stage, and how it differs from what it was made from.
fn draw_stage(name: &str, stage: &Option<Value>, before: Option<&Value>, out: &mut String) {
    let Some(value) = stage else { return };
    let _ = match before {
        Some(before) if before == value => writeln!(out, "{name}: as before"),
        Some(before) => writeln!(out, "{name}: {}", change(before, value)),
        None => writeln!(out, "{name}"),
    };
    if before != Some(value) {
        draw_value(value, out);
    }
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

    #[test]
    fn stages_and_outcome() {
        let data = InspectionData {
            input: Some(r#"{"a":1}"#.to_owned()),
            after_input_path: Some(r#"{"a":1}"#.to_owned()),
            after_parameters: Some(r#"{"b":1}"#.to_owned()),
            result: Some("2".to_owned()),
            after_result_path: Some(r#"{"a":1,"r":2}"#.to_owned()),
            ..InspectionData::default()
        };
        let answer = TestStateOutput {
            status: Some(stepwright_api::model::TestExecutionStatus::Succeeded),
            next_state: Some("Next".to_owned()),
            inspection_data: Some(data),
            ..TestStateOutput::default()
        };
        let expected = "input\n  {\n    \"a\": 1\n  }\nafterInputPath: as before\nafterParameters: +b -a\n  {\n    \
                        \"b\": 1\n  }\nresult\n  2\nafterResultPath: +r\n  {\n    \"a\": 1,\n    \"r\": 2\n  }\n\
                        SUCCEEDED -> Next\n";
        assert_eq!(draw(&answer), expected);
    }
}
