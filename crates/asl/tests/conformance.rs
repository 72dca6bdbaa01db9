//! Definitions that AWS took must compile, and those that it refused must be refused in its words.
//!
//! Runs where the recorded cases are beside the workspace.

use std::path::{Path, PathBuf};

use stepwright_asl::{
    CompileOptions, Format, MachineType, Severity, Substitutions, compile, compile_state, validate,
};
use stepwright_value::{Document, Value};

fn shared(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// Fills in the references to other steps, which stand in definitions for ARNs and names.
fn resolve(definition: &str) -> String {
    let mut out = String::new();
    let mut rest = definition;
    while let Some(start) = rest.find("@{") {
        let (before, reference) = rest.split_at(start);
        out.push_str(before);
        let end = reference.find('}').map_or(reference.len(), |at| at + 1);
        let name = &reference[..end];
        out.push_str(match name {
            "@{region}" => "us-east-1",
            "@{account}" => "111111111111",
            name if name.starts_with("@{now") => "2026-01-01T00:00:00",
            name if name.contains("activityArn") => "arn:aws:states:us-east-1:111111111111:activity:name",
            name if name.contains("FunctionArn") => "arn:aws:lambda:us-east-1:111111111111:function:name",
            name if name.contains("Arn") => "arn:aws:iam::111111111111:role/name",
            _ => "name",
        });
        rest = &reference[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn definitions_of_recorded_cases() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in shared("conformance/cases") {
        let case = Document::parse(&std::fs::read_to_string(&file).expect("readable")).expect("JSON");
        let steps = case.value().get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
        for step in steps.iter() {
            let (Some(call), Some(args)) = (text(step, "call"), step.get("args")) else { continue };
            let Some(definition) = text(args, "definition") else { continue };
            let definition = resolve(definition);
            let machine_type = match text(args, "type") {
                Some("EXPRESS") => MachineType::Express,
                _ => MachineType::Standard,
            };
            let options = CompileOptions { machine_type, ..CompileOptions::default() };
            seen += 1;
            let refused = step.get("error").filter(|error| text(error, "code") == Some("InvalidDefinition"));
            let compilation = match call {
                "stepfunctions:TestState" => {
                    compile_state(&definition, text(args, "stateName"), &options).compilation
                }
                "stepfunctions:ValidateStateMachineDefinition" => continue,
                _ => compile(&definition, &options),
            };
            let answer = compilation.aws_error();
            let place = format!("{} {call}", file.file_name().unwrap_or_default().to_string_lossy());
            let expected = refused.and_then(|error| text(error, "message"));
            match (expected, answer) {
                (None, None) => {}
                // These two are refused for what they are, not for what is in them.
                (Some(message), _) if message.starts_with("TestState API does not support") => {}
                // Not AWS's own words.
                (Some(message), Some(_)) if message.contains("Error=ValueError") => {}
                (Some(message), Some(answer)) if message == answer => {}
                (expected, answer) => {
                    wrong.push(format!(
                        "{place}\n  expected {expected:?}\n  got      {answer:?}\n  {definition}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {seen} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn recorded_validations() {
    for file in shared("conformance/cases") {
        let case = Document::parse(&std::fs::read_to_string(&file).expect("readable")).expect("JSON");
        if text(case.value(), "kind") != Some("validate") {
            continue;
        }
        let steps = case.value().get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(args) =
            steps.iter().find_map(|step| step.get("args").filter(|args| args.get("definition").is_some()))
        else {
            continue;
        };
        let machine_type = match text(args, "type") {
            Some("EXPRESS") => MachineType::Express,
            _ => MachineType::Standard,
        };
        let result = validate(text(args, "definition").unwrap_or_default(), machine_type, Severity::Error, 0);
        let expected = case.value().get("expected").and_then(|expected| expected.get("validation_response"));
        let expected = expected.expect("a recorded answer");
        assert_eq!(if result.ok { "OK" } else { "FAIL" }, text(expected, "result").unwrap_or_default());
        let diagnostics = expected.get("diagnostics").and_then(Value::as_array).cloned().unwrap_or_default();
        assert_eq!(diagnostics.len(), result.diagnostics.len(), "{file:?}");
        for (expected, got) in diagnostics.iter().zip(&result.diagnostics) {
            assert_eq!(text(expected, "code"), Some(got.code), "{file:?}");
            assert_eq!(text(expected, "message"), Some(got.message.as_str()), "{file:?}");
            assert_eq!(text(expected, "location"), got.location.as_deref(), "{file:?}");
        }
    }
}

#[test]
fn published_samples() {
    let mut wrong = Vec::new();
    for file in shared("samples") {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".json") && !name.ends_with(".yaml") {
            continue;
        }
        let options = CompileOptions {
            format: Format::Detect,
            substitutions: Substitutions::Allow,
            ..CompileOptions::default()
        };
        let compilation = compile(&std::fs::read_to_string(&file).expect("readable"), &options);
        for diagnostic in &compilation.diagnostics {
            if diagnostic.severity == Severity::Error || diagnostic.aws_code.is_some() {
                wrong.push(format!("{name}: {diagnostic:?}"));
            }
        }
        assert!(compilation.program.is_some() || !wrong.is_empty(), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All values of `key` in `value`.
fn all_of<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object.iter() {
                if &**name == key {
                    found.push(inner);
                }
                all_of(inner, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_of(item, key, found)),
        _ => {}
    }
}

/// `variableReferences` as `DescribeStateMachine` has it.
fn references(definition: &str) -> Option<Value> {
    let compilation = compile(&resolve(definition), &CompileOptions::default());
    let program = compilation.program?;
    let states = program.states.iter().filter(|state| !state.variable_references.is_empty());
    let names = |state: &stepwright_asl::program::State| {
        Value::Array(state.variable_references.iter().map(|name| Value::from(&**name)).collect())
    };
    Some(Value::Object(states.map(|state| (state.name.clone(), names(state))).collect()))
}

#[test]
fn recorded_variable_references() {
    for file in shared("conformance/cases") {
        let case = Document::parse(&std::fs::read_to_string(&file).expect("readable")).expect("JSON");
        let mut expected = Vec::new();
        all_of(case.value().get("expected").unwrap_or(&Value::Null), "variableReferences", &mut expected);
        let mut definitions = Vec::new();
        all_of(case.value().get("steps").unwrap_or(&Value::Null), "definition", &mut definitions);
        let computed: Vec<Value> = definitions.iter().filter_map(|text| references(text.as_str()?)).collect();
        for recorded in expected {
            assert!(computed.contains(recorded), "{file:?}: recorded {recorded}, computed {computed:?}");
        }
    }
}
