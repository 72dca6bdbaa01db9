//! What is measured within one process, by the examples and benches of the crates. They print for people; here their
//! numbers are picked out.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Figure, Options, example, output_of, target_directory};

type Say<'a> = &'a mut dyn FnMut(Figure);

pub fn interpreter(root: &Path, say: Say<'_>) -> Result<()> {
    for (name, words) in transitions(root)? {
        let value = before(&words, "transitions/s").with_context(|| format!("transitions of {name}"))?;
        say(Figure::new(name, value, "transitions/s"));
    }
    Ok(())
}

/// Events encoded, decoded and shown in a second, of the same executions.
pub fn codec(root: &Path, say: Say<'_>) -> Result<()> {
    for (name, words) in transitions(root)? {
        let events = before(&words, "events").context("events")?;
        for part in ["encode", "decode", "project"] {
            let at = words.iter().position(|word| word == part).context(part)?;
            let seconds = words.get(at + 1).and_then(|word| duration_s(word)).context(part)?;
            say(Figure::new(format!("{part}: {name}"), events / seconds, "events/s"));
        }
    }
    Ok(())
}

/// The lines of the interpreter's own measurement: name and words.
fn transitions(root: &Path) -> Result<Vec<(String, Vec<String>)>> {
    let text = output_of(&mut Command::new(example(root, "stepwright-machine", "transitions")?))?;
    let line = |line: &str| {
        let (name, rest) = line.split_at_checked(38)?;
        Some((name.trim().to_owned(), rest.split_whitespace().map(str::to_owned).collect()))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// The number before a word.
fn before(words: &[String], unit: &str) -> Option<f64> {
    let at = words.iter().position(|word| word == unit)?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

/// A duration as Rust prints it.
fn duration_s(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let value: f64 = digits.parse().ok()?;
    Some(match text.strip_prefix(digits)? {
        "s" => value,
        "ms" => value * 1e-3,
        "µs" => value * 1e-6,
        "ns" => value * 1e-9,
        _ => return None,
    })
}

pub fn compiler(root: &Path, say: Say<'_>) -> Result<()> {
    let text = output_of(&mut Command::new(example(root, "stepwright-asl", "compile_large")?))?;
    let times = text.lines().filter_map(|line| duration_s(line.rsplit(' ').next()?));
    let best = times.fold(f64::INFINITY, f64::min);
    if !best.is_finite() {
        bail!("no time in {text:?}");
    }
    say(Figure::new("a definition of 1 MB", best * 1e3, "ms"));
    Ok(())
}

/// Against jsonata-js on Node, installed from npm where it is not there.
pub fn jsonata(root: &Path, say: Say<'_>) -> Result<()> {
    let directory = root.join("crates/jsonata/differential");
    if !directory.join("node_modules/jsonata").exists() {
        output_of(
            Command::new("npm").args(["install", "--silent", "--no-package-lock"]).current_dir(&directory),
        )?;
    }
    let ours = example(root, "stepwright-jsonata", "speed")?;
    let text = output_of(Command::new("node").arg("speed.mjs").arg(ours).current_dir(&directory))?;
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, ours, theirs, _, compiled, compiled_theirs, _] = cells.as_slice() else { continue };
        let (Ok(ours), Ok(theirs)) = (ours.parse(), theirs.parse()) else { continue };
        let figure = Figure::new(*name, ours, "evaluations/s").against("jsonata-js", theirs);
        let ratio = compiled.parse::<f64>().ok().zip(compiled_theirs.parse::<f64>().ok());
        say(figure.with("with compilation, ratio", ratio.map_or(f64::NAN, |(ours, theirs)| ours / theirs)));
    }
    Ok(())
}

pub fn jsonpath(root: &Path, say: Say<'_>) -> Result<()> {
    let arguments = ["bench", "--quiet", "--package", "stepwright-jsonpath", "--bench", "paths"];
    let text = output_of(Command::new("cargo").args(arguments).current_dir(root))?;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [path @ .., ours, "ns", theirs, "ns", _, "x"] = words.as_slice() else { continue };
        let (Ok(ours), Ok(theirs)) = (ours.parse::<f64>(), theirs.parse::<f64>()) else { continue };
        let figure = Figure::new(path.join(" "), 1e9 / ours, "selections/s");
        say(figure.against("serde_json_path", 1e9 / theirs));
    }
    Ok(())
}

/// Commits of the embedded store beside flushes of a bare file, one commit in flight; more in flight share a flush.
pub fn store(root: &Path, options: &Options, say: Say<'_>) -> Result<()> {
    let directory = options.data.join("store");
    let mut command = Command::new(example(root, "stepwright-store", "store_bench")?);
    let text = output_of(
        command.arg(&directory).arg(options.seconds.to_string()).current_dir(target_directory(root)),
    )?;
    let mut flushes = f64::NAN;
    for line in text.lines() {
        if let Some(rate) = line.strip_prefix("bare loop: append 4 KiB, fdatasync: ") {
            flushes = rate.split('/').next().and_then(|rate| rate.parse().ok()).context("the bare loop")?;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, "unit" | "units", in_flight, executions, commits, _, p50, "/", p99, writer, all] =
            words.as_slice()
        else {
            continue;
        };
        let number = |text: &str| text.trim_end_matches(',').parse::<f64>().unwrap_or(f64::NAN);
        let per_execution = if *kind == "one" { "1 commit" } else { "4 commits" };
        let figure = Figure::new(
            format!("{per_execution} an execution, {in_flight} in flight"),
            number(commits),
            "commits/s",
        );
        say(figure
            .against("bare flushes", flushes)
            .with("executions/s", number(executions))
            .with("p50 ms", number(p50))
            .with("p99 ms", number(p99))
            .with("writer CPU ms/1,000", number(writer))
            .with("all CPU ms/1,000", number(all)));
    }
    let _ = std::fs::remove_dir_all(directory);
    Ok(())
}
