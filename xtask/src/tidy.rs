//! `cargo xtask tidy`: what the compiler does not check about the shape of the code.
//!
//! - A room imports only from the rooms it may (the table of rooms in ARCHITECTURE.md).
//! - Every module begins with a `//!` header.
//! - Functions have at most 70 lines and files at most 500, tests apart. What is larger stands by name in
//!   `xtask/expected/giants.txt`, with its size; the list may only shrink.
//! - Licences and sources of dependencies are allowed, and each has its reason written down (`supply`).
//! - No room is called `util`, `common`, `helpers` or `misc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use syn::spanned::Spanned;
use syn::visit::Visit;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
const GIANTS: &str = "xtask/expected/giants.txt";
const BANNED_NAMES: [&str; 5] = ["util", "utils", "common", "helpers", "misc"];

/// Which rooms a room may import, in its program as in its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("types", &[]),
    ("sigv4", &[]),
    ("formats", &[]),
    ("jsonpath", &["value", "types"]),
    ("jsonata", &["value", "types"]),
    ("asl", &["value", "types", "jsonpath", "jsonata"]),
    ("machine", &["value", "types", "formats", "jsonpath", "jsonata", "asl"]),
    ("store", &["types", "formats"]),
    ("tasks", &["types", "value", "sigv4"]),
    ("engine", &["value", "types", "formats", "jsonata", "asl", "machine", "store", "tasks"]),
    ("server", &["types", "sigv4"]),
    ("logs", &["value", "types", "sigv4", "asl", "machine", "store", "tasks", "engine"]),
    ("api", &["value", "types", "formats", "sigv4", "server", "asl", "machine", "store", "tasks", "engine"]),
    ("testkit", &["value", "types", "asl", "machine", "store", "tasks", "engine", "api"]),
];

/// Runs all checks; `update` writes the list of giants anew.
pub fn run(root: &Path, update: bool) -> Result<()> {
    let mut complaints = dependency_directions(root)?;
    complaints.extend(crate::supply::complaints(root)?);
    let mut giants = BTreeMap::new();
    for file in rust_files(root)? {
        check_file(root, &file, &mut giants, &mut complaints)?;
    }
    compare_giants(root, &giants, update, &mut complaints)?;
    if complaints.is_empty() {
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("tidy: {complaint}");
    }
    bail!("{} complaints", complaints.len())
}

fn dependency_directions(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("cargo metadata")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(room) = name.strip_prefix("stepwright-") else { continue };
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == room) else {
            complaints.push(format!("the room {room} has no line in xtask/src/tidy.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let dependency_name = dependency["name"].as_str().unwrap_or_default();
            let Some(other) = dependency_name.strip_prefix("stepwright-") else { continue };
            let for_tests = dependency["kind"].as_str() == Some("dev") && other == "testkit";
            if !allowed.contains(&other) && !for_tests {
                complaints.push(format!("{room} must not depend on {other}"));
            }
        }
    }
    Ok(complaints)
}

fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    let names = String::from_utf8(listed.stdout).context("git ls-files")?;
    Ok(names.lines().map(|name| root.join(name)).filter(|path| path.exists()).collect())
}

fn check_file(
    root: &Path,
    path: &Path,
    giants: &mut BTreeMap<String, usize>,
    complaints: &mut Vec<String>,
) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if BANNED_NAMES.contains(&stem) {
        complaints.push(format!("{name}: a module is named after what it is, not `{stem}`"));
    }
    let is_generated = text.starts_with("// @generated");
    let is_test = name.contains("/tests/") || name.contains("/benches/") || name.contains("/examples/");
    if !is_generated && !text.trim_start().starts_with("//!") && !text.trim_start().starts_with("#![") {
        complaints.push(format!("{name}: begins without a `//!` header"));
    }
    if is_generated || is_test {
        return Ok(());
    }
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
    if lines > FILE_LINES_MAX {
        giants.insert(name.clone(), lines);
    }
    let file = syn::parse_file(&text).with_context(|| name.clone())?;
    let mut functions = Functions { file: &name, giants, path: Vec::new() };
    functions.visit_file(&file);
    Ok(())
}

/// Collects the functions that are too long.
struct Functions<'a> {
    file: &'a str,
    giants: &'a mut BTreeMap<String, usize>,
    path: Vec<String>,
}

impl Functions<'_> {
    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let lines = block.span().end().line - block.span().start().line + 1;
        if lines > FUNCTION_LINES_MAX {
            let path: String = self.path.iter().map(|part| format!("{part}::")).collect();
            self.giants.insert(format!("{} {path}{name}", self.file), lines);
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test"))
    })
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            self.path.push(module.ident.to_string());
            syn::visit::visit_item_mod(self, module);
            self.path.pop();
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_for_tests(&function.attrs) {
            self.measure(&function.sig.ident, &function.block);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, &function.block);
    }
}

fn compare_giants(
    root: &Path,
    found: &BTreeMap<String, usize>,
    update: bool,
    complaints: &mut Vec<String>,
) -> Result<()> {
    let path = root.join(GIANTS);
    if update {
        let mut text = String::new();
        for (name, lines) in found {
            writeln!(text, "{lines} {name}")?;
        }
        std::fs::create_dir_all(root.join("xtask/expected"))?;
        return std::fs::write(&path, text).context(GIANTS);
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    let mut tolerated = BTreeMap::new();
    for line in listed.lines() {
        if let Some((lines, name)) = line.split_once(' ') {
            tolerated.insert(name.to_owned(), lines.parse::<usize>().with_context(|| line.to_owned())?);
        }
    }
    for (name, lines) in found {
        match tolerated.get(name) {
            None => complaints.push(format!("{name}: {lines} lines; split it along its meaning")),
            Some(limit) if lines > limit => {
                complaints.push(format!("{name}: grew from {limit} to {lines} lines; split it"));
            }
            Some(_) => {}
        }
    }
    let gone: BTreeSet<_> = tolerated.keys().filter(|name| !found.contains_key(*name)).collect();
    for name in gone {
        complaints.push(format!("{name}: is no giant any more; take it off {GIANTS}"));
    }
    Ok(())
}
