//! Payload templates against what AWS recorded, where the recordings are at hand: the `Parameters` of Pass states, with
//! the input the state was entered with and the output it left with.

use std::fs;
use std::path::Path as File;

use stepwright_jsonpath::{NoVariables, Scope, Template};
use stepwright_value::{Value, read};

#[test]
fn pass_states() {
    let folder = File::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/cases");
    let Ok(files) = fs::read_dir(&folder) else { return };
    let (mut compiled, mut compared) = (0, 0);
    let mut failures = vec![];
    for file in files {
        let path = file.expect("entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(case) = read(&fs::read_to_string(&path).expect("text")) else { continue };
        for step in case.get("steps").and_then(Value::as_array).into_iter().flatten() {
            let text = step.get("args").and_then(|args| args.get("definition")).and_then(Value::as_str);
            let Some(definition) = text.and_then(|text| read(text).ok()) else { continue };
            if definition.get("QueryLanguage").and_then(Value::as_str) == Some("JSONata") {
                continue;
            }
            let refused = step.get("raises").is_some();
            for (state, parameters) in templates(&definition) {
                match Template::compile(&parameters) {
                    Ok(template) => {
                        compiled += 1;
                        compared += compare(&name, &state, &template, &case, &mut failures);
                    }
                    Err(error) if !refused => failures.push(format!("{name} {state}: {error}")),
                    Err(_) => {}
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{compiled} templates compiled, {compared} outputs compared");
}

/// The top-level JSONPath states that have parameters and change nothing after them.
fn templates(definition: &Value) -> Vec<(String, Value)> {
    let Some(states) = definition.get("States").and_then(Value::as_object) else { return vec![] };
    states
        .iter()
        .filter(|(_, state)| state.get("QueryLanguage").and_then(Value::as_str) != Some("JSONata"))
        .filter_map(|(name, state)| {
            let is_plain = state.get("Type").and_then(Value::as_str) == Some("Pass")
                && ["Result", "ResultPath", "OutputPath", "InputPath"]
                    .iter()
                    .all(|key| state.get(key).is_none());
            let parameters = state.get("Parameters")?.clone();
            Some((if is_plain { name.to_string() } else { String::new() }, parameters))
        })
        .collect()
}

fn compare(name: &str, state: &str, template: &Template, case: &Value, failures: &mut Vec<String>) -> usize {
    if state.is_empty() || !template.free_variables().is_empty() {
        return 0;
    }
    let mut compared = 0;
    let mut input = None;
    for event in events(case.get("expected").unwrap_or(&Value::Null)) {
        let details = |key: &str| {
            let details = event.get(key)?;
            (details.get("name")?.as_str()? == state).then_some(details)
        };
        if let Some(entered) = details("stateEnteredEventDetails") {
            input = entered.get("input").map(unwrapped);
        }
        let Some(exited) = details("stateExitedEventDetails") else { continue };
        let (Some(input), Some(output)) = (input.take(), exited.get("output").map(unwrapped)) else {
            continue;
        };
        let recorded = output.to_json();
        // The recordings put placeholders where values differ from run to run.
        if recorded.contains('<') || recorded.contains("generated-uuid") || input.to_json().contains('<') {
            continue;
        }
        let context = || {
            let execution: stepwright_value::Object = [("Input", input.clone())].into_iter().collect();
            Value::from([("Execution", execution)].into_iter().collect::<stepwright_value::Object>())
        };
        let scope = Scope { input: &input, context: &context, variables: &NoVariables, goes_on: &|| true };
        compared += 1;
        match template.evaluate(&scope, &mut || 4) {
            Ok(value) if value == output => {}
            Ok(value) => failures.push(format!("{name} {state}: {value}, recorded {recorded}")),
            Err(error) => failures.push(format!("{name} {state}: {error}, recorded {recorded}")),
        }
    }
    compared
}

/// All history events in the expectations.
fn events(expected: &Value) -> Vec<&Value> {
    match expected {
        Value::Array(items) => items.iter().flat_map(events).collect(),
        Value::Object(members) if members.contains_key("previousEventId") => vec![expected],
        Value::Object(members) => members.values().flat_map(events).collect(),
        _ => vec![],
    }
}

/// Recorded payloads are texts or, where they were objects, read already.
fn unwrapped(payload: &Value) -> Value {
    payload.as_str().and_then(|text| read(text).ok()).unwrap_or_else(|| payload.clone())
}
