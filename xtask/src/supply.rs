//! What the workspace depends on: licences and sources as `deny.toml` allows them, and for every direct dependency a line
//! in the page of reasons. cargo-deny checks more where it is installed (`cargo xtask test supply`).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const PAGE: &str = "docs/design/dependencies.md";
const RULES: &str = "deny.toml";
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong with the dependencies, one sentence each.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = licences_and_sources(root)?;
    complaints.extend(page(root)?);
    Ok(complaints)
}

/// `cargo deny`, where it is installed.
pub fn deny(root: &Path) -> Result<()> {
    let version = Command::new("cargo").args(["deny", "--version"]).stderr(Stdio::null()).output();
    if !version.is_ok_and(|output| output.status.success()) {
        eprintln!("cargo-deny is not installed: tidy has looked at licences and sources");
        return Ok(());
    }
    let check = ["deny", "check", "licenses", "bans", "sources"];
    let status = Command::new("cargo").args(check).current_dir(root).status().context("cargo deny")?;
    if !status.success() {
        bail!("cargo deny ended with {status}");
    }
    Ok(())
}

fn metadata(root: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1"])
        .args(arguments)
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata")
}

fn licences_and_sources(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join(RULES)).context(RULES)?;
    let rules: toml::Table = text.parse().context(RULES)?;
    let allowed =
        rules.get("licenses").and_then(|licenses| licenses.get("allow")).and_then(toml::Value::as_array);
    let allowed: BTreeSet<&str> = allowed.into_iter().flatten().filter_map(toml::Value::as_str).collect();
    let mut complaints = Vec::new();
    for package in metadata(root, &[])?["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if !is_allowed(licence, &allowed) {
            complaints.push(format!("{name}: {RULES} does not allow the licence {licence:?}"));
        }
        if package["source"].as_str().is_some_and(|source| source != CRATES_IO) {
            complaints.push(format!("{name}: comes from {}", package["source"]));
        }
    }
    Ok(complaints)
}

/// Whether one can choose licences that are allowed. `/` is an old form of `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let outer = |separator: &str| split_outside(expression, separator);
    let expression = expression.trim();
    if expression.is_empty() {
        return false;
    }
    for separator in [" OR ", "/"] {
        if outer(separator).len() > 1 {
            return outer(separator).into_iter().any(|part| is_allowed(part, allowed));
        }
    }
    if outer(" AND ").len() > 1 {
        return outer(" AND ").into_iter().all(|part| is_allowed(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_allowed(inner, allowed),
        // An exception only adds permissions.
        None => allowed.contains(expression.split(" WITH ").next().unwrap_or_default()),
    }
}

/// The parts of `text` between separators that are in no parentheses.
fn split_outside<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 && at >= begin && text[at..].starts_with(separator) {
            parts.push(&text[begin..at]);
            begin = at + separator.len();
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// Direct dependencies without a line, and lines without a dependency.
fn page(root: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root.join(PAGE)).context(PAGE)?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let mut explained: BTreeSet<String> = BTreeSet::new();
    for row in rows.filter(|row| *row != "Crate" && !row.starts_with("---")) {
        let crates = split_outside(row, ", ").into_iter();
        explained.extend(crates.map(|name| name.split(" (").next().unwrap_or_default().trim().to_owned()));
    }
    let mut used = BTreeSet::new();
    for workspace in [root.to_owned(), root.join("fuzz")] {
        for package in
            metadata(&workspace, &["--no-deps", "--offline"])?["packages"].as_array().into_iter().flatten()
        {
            let names = package["dependencies"].as_array().into_iter().flatten();
            let names = names.filter_map(|dependency| dependency["name"].as_str());
            used.extend(names.filter(|name| !name.starts_with("stepwright-")).map(str::to_owned));
        }
    }
    let missing = used.difference(&explained).map(|name| format!("{PAGE}: no line says why {name}"));
    let idle = explained.difference(&used).map(|name| format!("{PAGE}: {name} is not depended on any more"));
    Ok(missing.chain(idle).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences() {
        let allowed = BTreeSet::from(["MIT", "Apache-2.0", "Unicode-3.0"]);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("", false),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
