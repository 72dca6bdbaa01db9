//! Tables for the tests of rules: a state, and what is said about it.

use crate::{CompileOptions, Diagnostic, MachineType, compile};

fn findings(machine: &str, options: &CompileOptions) -> Vec<String> {
    let text = |diagnostic: &Diagnostic| match diagnostic.aws_code {
        Some("SCHEMA_VALIDATION_FAILED") => format!("{} at {}", diagnostic.message, diagnostic.pointer),
        Some(code) => format!("{code}: {} at {}", diagnostic.message, diagnostic.pointer),
        None => format!("{}: {} at {}", diagnostic.code, diagnostic.message, diagnostic.pointer),
    };
    let compilation = compile(machine, options);
    for diagnostic in &compilation.diagnostics {
        assert!(machine.get(diagnostic.span.clone()).is_some(), "{diagnostic:?} is outside of {machine}");
    }
    compilation.diagnostics.iter().map(text).collect()
}

/// What is said about a whole machine.
pub(crate) fn machine(definition: &str, expected: &[&str]) {
    assert_eq!(findings(definition, &CompileOptions::default()), expected, "{definition}");
}

/// As [`machine`], for an EXPRESS one.
pub(crate) fn express(definition: &str, expected: &[&str]) {
    let options = CompileOptions { machine_type: MachineType::Express, ..CompileOptions::default() };
    assert_eq!(findings(definition, &options), expected, "{definition}");
}

/// What is said about the state `S` of a machine that has a Succeed state `T` where `S` leads to it. `/States/S` is
/// left out of the locations.
pub(crate) fn state(fields: &str, expected: &[&str]) {
    in_language("JSONPath", fields, expected);
}

/// As [`state`], in JSONata.
pub(crate) fn jsonata(fields: &str, expected: &[&str]) {
    in_language("JSONata", fields, expected);
}

fn in_language(language: &str, fields: &str, expected: &[&str]) {
    let target = if fields.contains("\"T\"") { r#","T":{"Type":"Succeed"}"# } else { "" };
    let text =
        format!(r#"{{"QueryLanguage":"{language}","StartAt":"S","States":{{"S":{{{fields}}}{target}}}}}"#);
    let found = findings(&text, &CompileOptions::default());
    let found: Vec<String> = found.iter().map(|finding| finding.replace(" at /States/S", " at ")).collect();
    assert_eq!(found, expected, "{fields}");
}

/// Fields of a Task and of a Map that are complete but for what a test adds.
pub(crate) const TASK: &str =
    r#""Type":"Task","Resource":"arn:aws:lambda:eu-west-1:123456789012:function:f","End":true"#;
pub(crate) const MAP: &str =
    r#""Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true"#;
pub(crate) const DISTRIBUTED: &str = r#""Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true"#;
