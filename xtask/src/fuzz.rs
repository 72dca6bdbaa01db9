//! `cargo xtask fuzz`: all targets of `fuzz/`, each for its share of the time.
//!
//! With a nightly compiler and cargo-fuzz, libFuzzer looks for inputs that reach new code; otherwise (or with `--stable`)
//! `mutate` tries the corpus and seeded changes of it. Findings are files in `fuzz/artifacts/TARGET`: mend the code, then
//! move the file to `fuzz/corpus/TARGET`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

const TARGETS: [&str; 9] = [
    "definition",
    "definition_yaml",
    "execution",
    "intrinsic",
    "jsonata",
    "jsonpath",
    "segment",
    "token",
    "value_read",
];
const SECONDS: f64 = 60.0;

struct Options {
    seconds: f64,
    targets: Vec<String>,
    seed: Option<u64>,
    stable: bool,
    install: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options> {
        let mut options =
            Options { seconds: SECONDS, targets: Vec::new(), seed: None, stable: false, install: false };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{name} wants a value"));
            match name.as_str() {
                "--seconds" => options.seconds = value()?.parse().context("--seconds")?,
                "--target" => options.targets.push(value()?.clone()),
                "--seed" => options.seed = Some(value()?.parse().context("--seed")?),
                "--stable" => options.stable = true,
                "--install" => options.install = true,
                _ => bail!("unknown option {name}"),
            }
        }
        if let Some(unknown) = options.targets.iter().find(|name| !TARGETS.contains(&name.as_str())) {
            bail!("there is no target {unknown}; there are {}", TARGETS.join(", "));
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.map(str::to_owned).to_vec();
        }
        Ok(options)
    }

    fn seconds_each(&self) -> f64 {
        self.seconds / self.targets.len().max(1) as f64
    }
}

/// Fuzzes; an error when something was found.
pub fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    if options.install && !succeeds(Command::new("cargo").args(["fuzz", "--version"])) {
        ran(Command::new("cargo").args(["install", "cargo-fuzz"]), "cargo install cargo-fuzz")?;
    }
    let guided = !options.stable
        && options.seed.is_none()
        && succeeds(Command::new("cargo").args(["+nightly", "fuzz", "--version"]));
    let found = if guided { guided_run(root, &options)? } else { mutation_run(root, &options)? };
    if !found.is_empty() {
        bail!("inputs that break something: {} (see fuzz/artifacts)", found.join(", "));
    }
    Ok(())
}

/// Where builds and grown corpora go.
fn target_directory(root: &Path, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join(name)
}

fn guided_run(root: &Path, options: &Options) -> Result<Vec<String>> {
    let target_directory = target_directory(root, "fuzz-nightly");
    let fuzz = |verb: &str| {
        let mut command = Command::new("cargo");
        command.current_dir(root.join("fuzz")).args(["+nightly", "fuzz", verb]);
        // No address sanitizer: there is no unsafe code to watch, and it makes large allocations very slow.
        command.args(["--release", "--debug-assertions", "--sanitizer", "none"]);
        command.args(["--features", "libfuzzer", "--target-dir"]).arg(&target_directory);
        command
    };
    ran(&mut fuzz("build"), "cargo fuzz build")?;
    let mut found = Vec::new();
    for target in &options.targets {
        let grown = target_directory.join("corpus").join(target);
        std::fs::create_dir_all(&grown)?;
        let inputs = inputs_of(target);
        let mut command = fuzz("run");
        command.arg(target).arg(grown).arg(format!("corpus/{inputs}")).arg("--");
        command.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=0"]);
        command.arg(format!("-max_total_time={}", options.seconds_each().ceil().max(1.0)));
        command.arg(format!("-dict=dictionaries/{inputs}.dict"));
        let output = command.stdin(Stdio::null()).output().context("cargo fuzz run")?;
        if output.status.success() {
            println!("{target}: nothing found in {:.0} s", options.seconds_each());
        } else {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
            found.push(target.clone());
        }
    }
    Ok(found)
}

/// Whose corpus and dictionary a target uses.
fn inputs_of(target: &str) -> &str {
    if target == "execution" { "definition" } else { target }
}

fn mutation_run(root: &Path, options: &Options) -> Result<Vec<String>> {
    let target_directory = target_directory(root, "fuzz");
    let mut build = Command::new("cargo");
    build.current_dir(root.join("fuzz")).args(["build", "--quiet", "--release", "--example", "mutate"]);
    ran(build.env("CARGO_TARGET_DIR", &target_directory), "cargo build of the fuzz targets")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seed = options.seed.unwrap_or(now);
    let mut found = Vec::new();
    for target in &options.targets {
        let mut mutate = Command::new(target_directory.join("release/examples/mutate"));
        mutate.arg(target).args(["--seed", &seed.to_string()]);
        mutate.args(["--seconds", &options.seconds_each().to_string()]);
        let status = mutate.status().context("mutate")?;
        if status.code().is_none() {
            // It ended at once, as after an overflow of the stack: the same inputs again, each written down before.
            eprintln!(
                "{target} with seed {seed} ended with {status}; the input will be fuzz/artifacts/{target}/current"
            );
            let _ = mutate.args(["--trace", "--seconds", "600"]).status();
        }
        if !status.success() {
            found.push(format!("{target} --seed {seed}"));
        }
    }
    Ok(found)
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn ran(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| what.to_owned())?;
    if !status.success() {
        bail!("{what} ended with {status}");
    }
    Ok(())
}
