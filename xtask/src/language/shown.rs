//! Which tests show what: `docs/language.toml`, and the texts of the tests that it names.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What the file says, and the tests.
pub struct Tests {
    pub since: String,
    pub shown: BTreeMap<String, Shown>,
    pub rows: Vec<Row>,
    /// By `path::function`: the text of the function and of the constants that it uses.
    texts: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    since: String,
    shown: BTreeMap<String, Shown>,
    row: Vec<Row>,
}

/// The tests that show the fields of one holder.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shown {
    pub json_path: Vec<String>,
    pub jsonata: Vec<String>,
    pub both: Vec<String>,
    pub note: Option<String>,
}

/// A part that stands in no table of the compiler.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub section: String,
    pub name: String,
    /// What the text of its test holds.
    pub needle: String,
    pub json_path: Option<String>,
    pub jsonata: Option<String>,
    pub both: Option<String>,
}

impl Tests {
    pub fn read(root: &Path, file: &str) -> Result<Tests> {
        let text = std::fs::read_to_string(root.join(file)).context(file.to_owned())?;
        let File { since, shown, row: rows } = toml::from_str(&text).context(file.to_owned())?;
        let mut named: Vec<&String> =
            shown.values().flat_map(|it| it.json_path.iter().chain(&it.jsonata).chain(&it.both)).collect();
        named.extend(rows.iter().flat_map(|row| row.json_path.iter().chain(&row.jsonata).chain(&row.both)));
        let mut texts = BTreeMap::new();
        for test in named {
            if !texts.contains_key(test)
                && let Some(text) = text_of(root, test)
            {
                texts.insert(test.clone(), text);
            }
        }
        Ok(Tests { since, shown, rows, texts })
    }

    /// The first of the tests whose text holds `needle`.
    pub fn first_that_holds<'t>(
        &self,
        tests: impl Iterator<Item = &'t String>,
        needle: &str,
        complaints: &mut Vec<String>,
    ) -> Option<String> {
        for test in tests {
            match self.texts.get(test) {
                Some(text) if text.contains(needle) => return Some(test.clone()),
                Some(_) => {}
                None => {
                    let complaint = format!("there is no test {test}");
                    if !complaints.contains(&complaint) {
                        complaints.push(complaint);
                    }
                }
            }
        }
        None
    }
}

/// The text of the test function `path::name`, with the constants of its file that it uses.
fn text_of(root: &Path, test: &str) -> Option<String> {
    let (path, name) = test.split_once("::")?;
    let file = std::fs::read_to_string(root.join(path)).ok()?;
    let items = syn::parse_file(&file).ok()?.items;
    let lines: Vec<&str> = file.lines().collect();
    let text = |span: proc_macro2::Span| {
        let body = lines.get(span.start().line.checked_sub(1)?..span.end().line)?;
        Some(body.join("\n"))
    };
    let function = items.iter().find_map(|item| match item {
        syn::Item::Fn(function) if function.sig.ident == name && is_test(function) => Some(function),
        _ => None,
    })?;
    let mut found = text(syn::spanned::Spanned::span(function))?;
    for item in &items {
        let syn::Item::Const(constant) = item else { continue };
        if found.contains(&constant.ident.to_string()) {
            found.push_str(&text(syn::spanned::Spanned::span(constant))?);
        }
    }
    Some(found)
}

fn is_test(function: &syn::ItemFn) -> bool {
    function.attrs.iter().any(|attribute| attribute.path().is_ident("test"))
}
