//! `--help` teaches; completions are scripts.

use crate::environment::Environment;

#[test]
fn every_command_has_examples() {
    let environment = Environment::new();
    for command in ["run", "validate", "explain", "completions", "store"] {
        let said = environment.run(&[command, "--help"]);
        assert!(said.out.contains("Examples:\n  stepwright "), "{command}: {}", said.out);
        assert!(said.out.lines().all(|line| line.chars().count() <= 110), "{command}: {}", said.out);
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let environment = Environment::new();
    for arguments in [&["validate"][..], &["run"], &["nonsense"], &["run", "x.json", "--name", "a b"]] {
        let said = environment.run(arguments);
        assert_eq!((said.out.as_str(), said.status), ("", 2), "{arguments:?}");
    }
}

#[test]
fn completions_are_scripts() {
    let environment = Environment::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = environment.run(&["completions", shell]);
        assert!(said.out.contains("validate"), "{shell}");
        assert_eq!(said.status, 0, "{shell}");
    }
}
