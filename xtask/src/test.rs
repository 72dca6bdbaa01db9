//! `cargo xtask test`: everything, in the order in which it fails fastest. Installs what the tests need from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// A part of the tests, by name.
type Step = (&'static str, fn(&Path) -> Result<()>);

/// Runs all tests. `filter`: only the steps whose name contains it.
pub fn run(root: &Path, filter: Option<&str>) -> Result<()> {
    let steps: [Step; 9] = [
        ("format", |root| cargo(root, &["fmt", "--all", "--check"])),
        ("tidy", |root| crate::tidy::run(root, false)),
        ("supply", crate::supply::deny),
        ("lint", |root| cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("test", |root| cargo(root, &["test", "--workspace"])),
        ("fuzz", |root| crate::fuzz::run(root, &["--stable".to_owned()])),
        ("build", |root| cargo(root, &["build", "--release"])),
        ("blackbox", blackbox),
        ("conformance", conformance),
    ];
    for (name, step) in steps {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        eprintln!("==> {name}");
        let begun = Instant::now();
        step(root).with_context(|| format!("step {name}"))?;
        eprintln!("==> {name}: {:.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    succeed(Command::new("cargo").args(arguments).current_dir(root))
}

/// boto3 and the AWS CLI against the release binary.
fn blackbox(root: &Path) -> Result<()> {
    let python = python_environment(root)?;
    succeed(
        Command::new(python)
            // Two at a time: much of it is waiting.
            .args(["-m", "pytest", "-q", "--timeout=300", "-n", "2", "--dist", "loadfile", "tests/blackbox"])
            .current_dir(root),
    )
}

/// What cases need of other services that this version does not call.
const NOT_CALLED: &str = "sqs,sns,s3,dynamodb,events,secretsmanager,apigateway,cloudformation,second_account";

/// What AWS answered, replayed against the release binary; where the cases are present.
fn conformance(root: &Path) -> Result<()> {
    let runner = root.join("../shared/conformance/run");
    if !runner.exists() {
        eprintln!("no conformance cases beside the checkout: left out");
        return Ok(());
    }
    let server = format!(
        "{} serve --listen 127.0.0.1:{{port}} --data-dir {}",
        root.join("target/release/stepwright").display(),
        fresh_directory(root)?.display()
    );
    succeed(
        Command::new("python3")
            .arg(&runner)
            .args(["--server", &server, "--kind", "execution,api,test_state,validate"])
            .args(["--without", NOT_CALLED, "--quiet", "--baseline"])
            .arg(root.join("tests/conformance-baseline.txt")),
    )
}

fn fresh_directory(root: &Path) -> Result<PathBuf> {
    let directory = root.join("target/conformance-data");
    if directory.exists() {
        std::fs::remove_dir_all(&directory)?;
    }
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// A virtual environment with what `tests/blackbox/requirements.txt` names, made anew when that changes.
fn python_environment(root: &Path) -> Result<PathBuf> {
    let environment = root.join("target/blackbox-venv");
    let python = environment.join("bin/python");
    let wanted = std::fs::read_to_string(root.join("tests/blackbox/requirements.txt"))?;
    let stamp = environment.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    eprintln!("installing the AWS CLI, boto3 and pytest");
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(root.join("tests/blackbox/requirements.txt")),
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} cannot be run"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
