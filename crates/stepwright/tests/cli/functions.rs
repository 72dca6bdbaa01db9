//! Functions of a running program: what they print, what they may take, and that nothing of them stays behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::environment::{Environment, Said};

const CONFIG: &str = "[functions.f]\nruntime = 'python3.11'\nhandler = 'app.handler'\ncode = 'fn'\nmemory = 64\ntimeout = 60\n";
const MACHINE: &str = r#"{"StartAt": "Call", "States": {"Call": {"Type": "Task",
    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": true}}}"#;

fn world(code: &str) -> Environment {
    let environment = Environment::new();
    environment.write("stepwright.toml", CONFIG);
    environment.write("call.asl.json", MACHINE);
    environment.write("fn/app.py", code);
    environment
}

/// Starts children in the function's own session and in another, and writes down who they are.
const FORK: &str = r#"
import os, subprocess, threading
def handler(event, context):
    children = [subprocess.Popen(["sleep", "600"]), subprocess.Popen(["sleep", "600"], start_new_session=True)]
    with open("pids.new", "w") as file:
        file.write(" ".join(str(pid) for pid in [os.getpid()] + [child.pid for child in children]))
    os.rename("pids.new", "pids")
    if event.get("wait"): threading.Event().wait()
    return "done"
"#;

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "not in time: {what}");
        std::thread::yield_now();
    }
}

fn is_gone(pid: &str) -> bool {
    let state = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    // Nobody may have waited for it.
    state.map_or(true, |text| text.contains(") Z ") || text.contains(") X "))
}

fn pids(environment: &Environment) -> Vec<String> {
    let text = std::fs::read_to_string(environment.path().join("fn/pids")).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_they_print_is_shown_unless_told_otherwise() {
    let environment =
        world("def handler(event, context):\n    print('hello\\x1b[2J', event)\n    return 1\n");
    let Said { out, error, status } = environment.run(&["run", "call.asl.json"]);
    assert_eq!((out.as_str(), status), ("1\n", 0), "{error}");
    assert!(error.contains("\nCall | hello [2J {}\n") && !error.contains("REPORT"), "{error}");
    let Said { error, .. } = environment.run(&["run", "call.asl.json", "--no-function-output"]);
    assert!(!error.contains("hello"), "{error}");
    environment.write("stepwright.toml", &format!("{CONFIG}[lambda]\nprint = false\n"));
    let Said { error, .. } = environment.run(&["run", "call.asl.json"]);
    assert!(!error.contains("hello"), "{error}");
}

#[test]
fn credentials_of_the_server_are_for_the_server() {
    let code = "import os\ndef handler(event, context):\n    return [os.environ.get(name) for name in \
                ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')]\n";
    let environment = world(code);
    let run = || {
        let mut command = environment.command(&["run", "call.asl.json"]);
        let keys = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ];
        crate::environment::said(command.envs(keys).output().expect("it ends")).out
    };
    assert_eq!(run(), "[\"test\",\"test\",null]\n");
    environment.write("stepwright.toml", &format!("{CONFIG}[lambda]\ncredentials = 'server'\n"));
    assert_eq!(run(), "[\"id\",\"secret\",\"token\"]\n");
    environment.write(
        "stepwright.toml",
        &format!("{CONFIG}credentials = 'none'\n[lambda]\ncredentials = 'server'\n"),
    );
    assert_eq!(run(), "[\"test\",\"test\",null]\n");
}

#[test]
fn memory_is_what_was_declared() {
    let code = "import subprocess, sys\nTAKE = 'b = bytearray(b\"x\" * (200 << 20)); import time; time.sleep(60)'\n\
                def handler(event, context):\n    if event.get('child'): subprocess.run([sys.executable, '-c', TAKE])\n    \
                elif event.get('much'): exec(TAKE)\n    else: bytearray(b'x' * (20 << 20))\n    return 1\n";
    let environment = world(code);
    for input in [r#"{"much": true}"#, r#"{"child": true}"#] {
        let Said { error, status, .. } = environment.run(&["run", "call.asl.json", "-i", input]);
        assert_eq!(status, 1, "{input}: {error}");
        assert!(error.contains("Runtime exited with error: signal: killed"), "{input}: {error}");
    }
    let Said { error, status, .. } = environment.run(&["run", "call.asl.json"]);
    assert_eq!(status, 0, "{error}");
}

#[test]
fn nothing_outlives_a_run() {
    let environment = world(FORK);
    let Said { error, status, .. } = environment.run(&["run", "call.asl.json"]);
    assert_eq!(status, 0, "{error}");
    let pids = pids(&environment);
    assert_eq!(pids.len(), 3);
    until("all processes are gone", || pids.iter().all(|pid| is_gone(pid)));
}

#[test]
fn nothing_outlives_a_program_that_is_killed() {
    let environment = world(FORK);
    let mut command = environment.command(&["run", "call.asl.json", "-i", r#"{"wait": true}"#]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    lines.next().expect("a line").expect("text");
    until("the function works", || pids(&environment).len() == 3);
    child.kill().expect("killed");
    child.wait().expect("gone");
    let pids = pids(&environment);
    until("all processes are gone", || pids.iter().all(|pid| is_gone(pid)));
}

#[test]
fn what_cannot_be_used_is_named() {
    let environment = world("def handler(event, context):\n    return 1\n");
    environment.write(
        "template.yaml",
        "Resources:\n  Image: {Type: 'AWS::Serverless::Function', Properties: {PackageType: Image}}\n  \
         Far: {Type: 'AWS::Serverless::Function', Properties: {Runtime: python3.11, Handler: a.b, CodeUri: 's3://b/k'}}\n  \
         Gone: {Type: 'AWS::Serverless::Function', Properties: {Runtime: python3.11, Handler: a.b, CodeUri: gone}}\n  \
         Java: {Type: 'AWS::Serverless::Function', Properties: {Runtime: java21, Handler: a.b, CodeUri: fn}}\n",
    );
    let Said { error, status, .. } = environment.run(&["run", "call.asl.json"]);
    assert_eq!(status, 0, "{error}");
    for warning in [
        "warning: template.yaml: function Image: a container image cannot run here",
        "warning: template.yaml: function Far: code in S3 cannot run here",
        "warning: template.yaml: function Java: runtime \"java21\" is not available in this version",
        "warning: function Gone: its code gone is not a directory",
    ] {
        assert!(error.contains(warning), "{warning} in {error}");
    }
}
