//! `stepwright validate`.

use crate::environment::{Environment, Said};

const TYPO: &str = r#"{
  "StartAt": "Pay",
  "States": {
    "Pay": {
      "Type": "Pass",
      "Next": "Shipp"
    },
    "Ship": {
      "Type": "Pass",
      "End": true
    }
  }
}
"#;

#[test]
fn findings_as_compilers_show_them() {
    let environment = Environment::new();
    environment.write("typo.asl.json", TYPO);
    let Said { out, error, status } = environment.run(&["validate", "typo.asl.json"]);
    let expected = "\
error[SW0403]: Missing 'Next' target: Shipp
 --> typo.asl.json:6:15
  |
6 |       \"Next\": \"Shipp\"
  |               ^^^^^^^
  |
";
    assert!(out.starts_with(expected), "{out}");
    assert!(
        out.contains("= note: AWS refuses this: MISSING_TRANSITION_TARGET at /States/Pay/Next\n"),
        "{out}"
    );
    let fix = "\
6 -       \"Next\": \"Shipp\"
6 +       \"Next\": \"Ship\"
";
    assert!(out.contains(fix), "{out}");
    let summary = "1 error in 1 file\n`stepwright explain SW0403` tells more about the first of them\n";
    assert_eq!(error, summary);
    assert_eq!(status, 1);
}

#[test]
fn findings_for_programs() {
    let environment = Environment::new();
    environment.write("typo.asl.json", TYPO);
    let Said { out, status, .. } = environment.run(&["validate", "--json", "typo.asl.json"]);
    let first = out.lines().next().expect("a finding");
    let value: serde_json::Value = serde_json::from_str(first).expect(first);
    for (key, expected) in [
        ("file", serde_json::json!("typo.asl.json")),
        ("code", serde_json::json!("SW0403")),
        ("aws_code", serde_json::json!("MISSING_TRANSITION_TARGET")),
        ("severity", serde_json::json!("error")),
        ("pointer", serde_json::json!("/States/Pay/Next")),
        ("line", serde_json::json!(6)),
        ("column", serde_json::json!(15)),
        ("end_line", serde_json::json!(6)),
        ("end_column", serde_json::json!(22)),
    ] {
        assert_eq!(value[key], expected, "{key}");
    }
    assert_eq!(value["fix"]["replacement"], serde_json::json!("\"Ship\""));
    assert_eq!(status, 1);
}

#[test]
fn every_file_is_looked_at() {
    let environment = Environment::new();
    environment.write("good.json", r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#);
    environment.write("bad.yaml", "StartAt: A\nStates:\n  A:\n    Type: Passs\n    End: true\n");
    environment.write("directory/x", "");
    environment.write("latin.json", "");
    std::fs::write(environment.path().join("latin.json"), b"{\"\xe4\": 1}").expect("a file");
    let files = ["validate", "nowhere.json", "good.json", "bad.yaml", "directory", "latin.json"];
    let Said { out, error, status } = environment.run(&files);
    assert!(out.contains("error: nowhere.json does not exist\n"), "{out}");
    assert!(out.contains("error: directory is a directory\n"), "{out}");
    assert!(out.contains("error: latin.json is not UTF-8 text (at byte 2)\n"), "{out}");
    assert!(out.contains("--> bad.yaml:4:11\n"), "{out}");
    assert!(out.contains("4 +     Type: Pass\n"), "{out}");
    assert!(error.starts_with("4 errors") && error.contains(" in 5 files\n"), "{error}");
    assert_eq!(status, 2);
}

#[test]
fn exit_statuses() {
    let environment = Environment::new();
    environment.write("good.json", r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#);
    environment.write(
        "warning.json",
        r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true, "Result": {"n": 1, "n": 2}}}}"#,
    );
    environment.write(
        "open.json",
        r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Function}", "TimeoutSeconds": 5, "End": true}}}"#,
    );
    for (arguments, status, summary) in [
        (&["validate", "good.json"][..], 0, "no errors, no warnings in 1 file"),
        (&["validate", "good.json", "good.json"], 0, "no errors, no warnings in 2 files"),
        (&["validate", "warning.json"], 0, "no errors, 1 warning in 1 file"),
        (&["validate", "--strict", "warning.json"], 1, "no errors, 1 warning in 1 file"),
        (&["validate", "open.json"], 0, "no errors, no warnings in 1 file"),
        (&["validate", "--literal", "open.json"], 1, "1 error in 1 file"),
    ] {
        let said = environment.run(arguments);
        let first = said.error.lines().next().unwrap_or_default();
        assert_eq!((first, said.status), (summary, status), "{arguments:?}\n{}", said.out);
    }
    let said = environment.run_with_input(&["validate", "-"], "{\n");
    assert!(
        said.out.starts_with("error[SW0001]: Unexpected end-of-input: expected close marker for Object\n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("--> <stdin>:"), "{}", said.out);
    assert!(said.out.contains("note: AWS refuses this: INVALID_JSON_DESCRIPTION\n"), "{}", said.out);
    assert_eq!(said.status, 1);
}
