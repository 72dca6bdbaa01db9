//! What becomes of output that nobody reads, that cannot be written, or that would be too much.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::environment::{Environment, Said};

const PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"n": 1}, "End": true}}}"#;

/// Everything that writes data, with the status that it has when all is well.
const COMMANDS: [&[&str]; 9] = [
    &["--help"],
    &["run", "--help"],
    &["--version"],
    &["explain"],
    &["completions", "bash"],
    &["validate", "broken.json"],
    &["run", "pass.json"],
    &["run", "pass.json", "--json"],
    &["test-state", "-d", "pass.json"],
];

fn world() -> Environment {
    let environment = Environment::new();
    environment.write("pass.json", PASS);
    environment.write("broken.json", r#"{"StartAt": "A", "States": {}}"#);
    environment
}

fn to(command: &mut Command, stdout: Stdio) -> (Option<i32>, String) {
    let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut error = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut error).expect("text");
    (child.wait().expect("it ends").code(), error)
}

#[test]
fn a_full_disk_is_an_error() {
    let environment = world();
    for arguments in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let (status, error) = to(&mut environment.command(arguments), full.into());
        assert_eq!(status, Some(5), "{arguments:?}: {error}");
        assert!(
            error.contains("error: standard output cannot be written: No space left"),
            "{arguments:?}: {error}"
        );
        assert!(!error.contains("panicked"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_reader_that_has_gone_is_none() {
    let environment = world();
    for arguments in COMMANDS {
        let expected = environment.run(arguments).status;
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (status, error) = to(&mut environment.command(arguments), writer.into());
        assert_eq!(status, Some(expected), "{arguments:?}: {error}");
        assert!(!error.contains("panicked") && !error.contains("Broken pipe"), "{arguments:?}: {error}");
    }
}

#[test]
fn nobody_can_be_told_and_nothing_breaks() {
    let environment = world();
    for arguments in COMMANDS {
        let expected = environment.run(arguments);
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let output = environment.command(arguments).stderr(full).output().expect("it ends");
        let found = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code());
        if arguments[0] == "run" {
            assert_eq!(found.1, Some(expected.status), "{arguments:?}"); // times differ
        } else {
            assert_eq!(found, (expected.out, Some(expected.status)), "{arguments:?}");
        }
    }
}

#[test]
fn findings_about_a_long_line_stay_short() {
    let environment = Environment::new();
    let states: Vec<String> = (0..500)
        .map(|n| format!(r#""S{n}": {{"Type": "Pass", "Nexxt": "S{}", "Comment": "ä"}}"#, n + 1))
        .collect();
    let text = format!(r#"{{"StartAt": "S0", "States": {{{}}}}}"#, states.join(", "));
    environment.write("line.json", &text);
    let Said { out, error, status } = environment.run(&["validate", "line.json"]);
    assert_eq!(status, 1);
    assert!(out.len() < 100_000, "{} bytes for {}", out.len(), text.len());
    assert!(out.lines().all(|line| line.chars().count() < 500), "{out}");
    let first = out.split("\n\n").next().unwrap_or_default();
    let column = text.get(..text.find("\"Nexxt\"").expect("there")).expect("a border").chars().count() + 1;
    assert!(
        first.contains(&format!("line.json:1:{column}\n")) && first.contains("\"Nexxt\": \"S1\""),
        "{first}"
    );
    assert!(out.contains("line.json: and ") && out.contains(" more; `--json` lists them all"), "{error}");
    let all = environment.run(&["validate", "--json", "line.json"]).out.lines().count();
    assert!(error.contains(&format!("{all} errors in 1 file")), "{error}");
}

#[test]
fn colours_are_for_terminals() {
    let environment = world();
    environment.write("stepwright.toml", "[server]\nlisten = 'x'\n");
    for arguments in
        [&["validate", "broken.json"][..], &["serve"], &["--help"], &["nonsense"], &["explain", "SW0403"]]
    {
        let Said { out, error, .. } = environment.run(arguments);
        assert!(!out.contains('\u{1b}') && !error.contains('\u{1b}'), "{arguments:?}: {out}{error}");
    }
}

#[test]
fn the_servers_log_has_no_colours_in_a_file_and_a_hangup_does_not_end_it() {
    let environment = world();
    let mut command = environment.command(&["serve", "--listen", "0"]);
    let mut server = command.env("RUST_LOG", "").stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines =
        BufReader::new(server.stderr.take().expect("piped")).lines().map(|line| line.expect("text"));
    let greeting: Vec<String> = lines.by_ref().take_while(|line| !line.starts_with("Try:")).collect();
    assert!(greeting.iter().any(|line| line.starts_with("  endpoint   http://127.0.0.1:")), "{greeting:?}");
    let signal = |name: &str| {
        let sent = Command::new("kill").arg(name).arg(server.id().to_string()).status().expect("kill");
        assert!(sent.success());
    };
    signal("-HUP");
    signal("-TERM");
    let rest: Vec<String> = lines.collect();
    assert_eq!(server.wait().expect("it ends").code(), Some(0), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("stopping")), "{rest:?}");
    assert!(greeting.iter().chain(&rest).all(|line| !line.contains('\u{1b}')), "{rest:?}");
}

#[test]
fn the_port_is_tried_before_anything_is_made() {
    let environment = world();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    for arguments in [&["serve", "--listen", &*port][..], &["serve", "--listen", &*port, "--tls-generated"]] {
        let Said { error, status, .. } = environment.run(arguments);
        assert_eq!(status, 3, "{error}");
        assert!(
            error.ends_with(&format!(
                "error: cannot listen on 127.0.0.1:{port}: Address already in use (os error 98)\n"
            )),
            "{error}"
        );
        assert!(!environment.path().join("stepwright-data").exists());
    }
}

#[test]
fn an_empty_variable_is_no_variable() {
    let environment = world();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let mut command = environment.command(&["serve", "--listen", &*port]);
    for name in [
        "STEPWRIGHT_LISTEN",
        "STEPWRIGHT_DATA_DIR",
        "STEPWRIGHT_CONFIG",
        "STEPWRIGHT_ACCOUNT_ID",
        "AWS_DEFAULT_REGION",
        "STEPWRIGHT_CREDENTIALS",
        "STEPWRIGHT_TLS_CERTIFICATE",
        "STEPWRIGHT_TLS_KEY",
        "STEPWRIGHT_AUDIT",
        "LAMBDA_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_LAMBDA",
        "RUST_LOG",
    ] {
        command.env(name, "");
    }
    let said = crate::environment::said(command.output().expect("it ends"));
    assert!(said.error.contains("Address already in use"), "{}", said.error);
}
