//! `cargo xtask bench`: how fast, and how near to the limit. Figures stand beside those of a peer or of the disk where there
//! is one, measured in the same run: on another machine, or in another hour, only the ratios hold.

mod listings;
mod maps;
mod programs;
mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// One measured number.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// What it is compared with: name and number, in the same unit.
    peer: Option<(&'static str, f64)>,
    /// Further numbers of the same run, with their units in their names.
    details: Vec<(&'static str, f64)>,
}

impl Figure {
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Figure {
        Figure { name: name.into(), value, unit, peer: None, details: Vec::new() }
    }

    fn against(self, peer: &'static str, value: f64) -> Figure {
        Figure { peer: Some((peer, value)), ..self }
    }

    fn with(mut self, name: &'static str, value: f64) -> Figure {
        self.details.push((name, value));
        self
    }

    /// The figure as a share of the peer's.
    fn ratio(&self) -> Option<f64> {
        self.peer.filter(|(_, value)| *value > 0.0).map(|(_, value)| self.value / value)
    }

    fn line(&self) -> String {
        let mut line = format!("  {:<46} {:>12} {:<14}", self.name, shown(self.value), self.unit);
        if let (Some((peer, value)), Some(ratio)) = (self.peer, self.ratio()) {
            line.push_str(&format!(" {} of {peer} ({})", shown(ratio), shown(value)));
        }
        for (name, value) in &self.details {
            line.push_str(&format!("  {name} {}", shown(*value)));
        }
        line
    }

    fn json(&self, group: &str) -> Value {
        let details: serde_json::Map<String, Value> =
            self.details.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({ "group": group, "name": self.name, "value": self.value, "unit": self.unit,
            "peer": self.peer.map(|(name, value)| json!({ "name": name, "value": value })),
            "ratio": self.ratio(), "details": details })
    }
}

/// Three significant digits.
fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

struct Options {
    /// Measured time of each cell.
    seconds: f64,
    /// Names of groups; empty: all.
    only: Vec<String>,
    /// The server's binary; built when it is not given.
    server: Option<PathBuf>,
    json: Option<PathBuf>,
    /// Where data directories are made; its disk is the one that is measured.
    data: PathBuf,
    /// Executions that are parked.
    parked: usize,
    /// Executions that are listed.
    listed: usize,
}

const GROUPS: [&str; 10] = [
    "interpreter",
    "compiler",
    "jsonata",
    "jsonpath",
    "store",
    "codec",
    "server",
    "listings",
    "search",
    "maps",
];

impl Options {
    fn read(root: &Path, arguments: &[String]) -> Result<Options> {
        let mut options = Options {
            seconds: 3.0,
            only: Vec::new(),
            server: None,
            json: None,
            data: target_directory(root).join("bench-data"),
            parked: 20_000,
            listed: 1_000_000,
        };
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--seconds" => options.seconds = value.parse().context("--seconds")?,
                "--only" => options.only.extend(value.split(',').map(str::to_owned)),
                "--server" => options.server = Some(value.into()),
                "--json" => options.json = Some(value.into()),
                "--data" => options.data = value.into(),
                "--parked" => options.parked = value.parse().context("--parked")?,
                "--listed" => options.listed = value.parse().context("--listed")?,
                _ => bail!("unknown option {name}"),
            }
        }
        if let Some(unknown) = options.only.iter().find(|name| !GROUPS.contains(&name.as_str())) {
            bail!("nothing is called {unknown}; there are {}", GROUPS.join(", "));
        }
        Ok(options)
    }
}

/// Measures and prints.
pub fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let options = Options::read(root, arguments)?;
    let mut all = Vec::new();
    for group in GROUPS {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == group) {
            continue;
        }
        println!("{group}");
        let mut say = |figure: Figure| {
            println!("{}", figure.line());
            all.push(figure.json(group));
        };
        match group {
            "interpreter" => programs::interpreter(root, &mut say)?,
            "codec" => programs::codec(root, &mut say)?,
            "compiler" => programs::compiler(root, &mut say)?,
            "jsonata" => programs::jsonata(root, &mut say)?,
            "jsonpath" => programs::jsonpath(root, &mut say)?,
            "store" => programs::store(root, &options, &mut say)?,
            "listings" => listings::measure(root, &server::Bench::new(root, &options)?, &mut say)?,
            "search" => listings::search(root, &server::Bench::new(root, &options)?, &mut say)?,
            "maps" => maps::measure(&server::Bench::new(root, &options)?, &mut say)?,
            _ => server::Bench::new(root, &options)?.measure(&mut say)?,
        }
    }
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&json!({ "figures": all }))?;
        std::fs::write(path, text + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// What a command writes to its standard output.
fn output_of(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("{command:?} cannot be run"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds an example for measuring; its path.
fn example(root: &Path, package: &str, name: &str) -> Result<PathBuf> {
    let arguments = ["build", "--quiet", "--release", "--package", package, "--example", name];
    output_of(Command::new("cargo").args(arguments).current_dir(root))?;
    Ok(target_directory(root).join("release/examples").join(name))
}
