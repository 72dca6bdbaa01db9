//! `stepwright run` on a terminal: `script` lends one.

use std::process::Command;

use crate::environment::{Environment, said};

#[test]
fn a_tree_with_the_output_below() {
    let has_script =
        Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_script {
        return;
    }
    let environment = Environment::new();
    environment.write(
        "tree.json",
        r#"{"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 1, "End": true}}},
            {"StartAt": "Go", "States": {"Go": {"Type": "Pass", "End": true}}}]}}}"#,
    );
    let binary = env!("CARGO_BIN_EXE_stepwright");
    let mut command = Command::new("script");
    command.args(["-qec", &format!("{binary} run tree.json -i '[1.0]'"), "/dev/null"]);
    command
        .current_dir(environment.path())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .env("LC_ALL", "C.UTF-8");
    let said = said(command.output().expect("it runs"));
    assert_eq!(said.status, 0);
    let text = &said.out;
    assert!(text.contains("\u{1b}[?25l") && text.contains("\u{1b}[?25h"), "the cursor comes back: {text:?}");
    assert!(text.contains("○ Rest") && text.contains("1 s left"), "{text:?}");
    for (before, after) in [
        ("Ctrl-C stops", "✔ Both"),
        ("✔ Both", "├ 0 ✔ Rest"),
        ("├ 0 ✔ Rest", "SUCCEEDED"),
        ("SUCCEEDED", "[\r\n  [\r\n    1.0\r\n  ],"),
    ] {
        assert!(text.find(before) < text.rfind(after), "{before} before {after}: {text:?}");
        assert!(text.contains(before) && text.contains(after), "{before}, {after}: {text:?}");
    }
}
