//! `cargo xtask language`: makes `docs/language.md`, the table of the whole language, from the compiler's own tables and
//! from `docs/language.toml`, which says what tests show each part. `--check` changes nothing and fails where the table is
//! stale; either way it is an error when a part has no test, or a test does not name the part that it shows.

mod page;
mod shown;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use stepwright_asl::language::LanguageField;
use stepwright_types::error_name;

use shown::{Row, Shown, Tests};

const PAGE: &str = "docs/language.md";
const TESTS: &str = "docs/language.toml";

/// A part of the language, as one line of the page.
struct Part {
    name: String,
    /// The test that shows it with JSONPath, as `path::function`; `None` where JSONPath states do not have it.
    json_path: Option<String>,
    jsonata: Option<String>,
}

/// One table of the page.
struct Section {
    title: String,
    note: Option<String>,
    parts: Vec<Part>,
}

/// Writes the page, or with `check` compares it.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let tests = Tests::read(root, TESTS)?;
    let mut complaints = Vec::new();
    let sections = sections(&tests, &mut complaints);
    let page = page::render(&sections, &tests.since);
    if !complaints.is_empty() {
        for complaint in &complaints {
            eprintln!("language: {complaint}");
        }
        bail!("{} parts of the language are not shown by a test; see {TESTS}", complaints.len());
    }
    let path = root.join(PAGE);
    if !check {
        return std::fs::write(&path, page).context(PAGE);
    }
    if std::fs::read_to_string(&path).unwrap_or_default() != page {
        bail!("{PAGE} is not what `cargo xtask language` makes; run it and commit the result");
    }
    Ok(())
}

fn sections(tests: &Tests, complaints: &mut Vec<String>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut used = BTreeSet::new();
    let mut add = |title: &str, parts: Vec<Subject>| {
        used.insert(title.to_owned());
        sections.push(section(tests, title, parts, complaints));
    };
    for (title, parts) in grouped(stepwright_asl::language::fields()) {
        add(title, parts);
    }
    let (with_path, plain): (Vec<_>, Vec<_>) = stepwright_asl::language::operators()
        .into_iter()
        .partition(|operator| operator.name.ends_with("Path"));
    add("Choice operator", plain.into_iter().map(Subject::field).collect());
    add("Choice operator with a path", with_path.into_iter().map(Subject::operator_with_path).collect());
    let intrinsics = stepwright_jsonpath::Intrinsic::names().map(|name| format!("States.{name}"));
    add(
        "Intrinsic functions",
        intrinsics.map(|name| Subject::new(&name, format!("{name}("), true, false)).collect(),
    );
    for (title, own) in [("JSONata functions of Step Functions", true), ("JSONata functions", false)] {
        let functions = stepwright_jsonata::aws_functions().filter(|(_, _, of_aws)| *of_aws == own);
        let names = functions.map(|(name, ..)| format!("${name}"));
        add(title, names.map(|name| Subject::new(&name, format!("{name}("), false, true)).collect());
    }
    let names = error_name::RESERVED.iter();
    add(
        "Reserved error names",
        names.map(|name| Subject::new(name, format!("\"{name}\""), true, true)).collect(),
    );
    for title in tests.shown.keys().filter(|title| !used.contains(*title)) {
        complaints.push(format!("{TESTS}: nothing in the language is called {title:?}"));
    }
    for row in &tests.rows {
        let part = row_part(tests, row, complaints);
        match sections.iter_mut().find(|section| section.title == row.section) {
            Some(section) => section.parts.push(part),
            None => sections.push(Section { title: row.section.clone(), note: None, parts: vec![part] }),
        }
    }
    sections
}

/// A part that wants a test.
struct Subject {
    name: String,
    /// What the text of its test holds.
    needle: String,
    json_path: bool,
    jsonata: bool,
}

impl Subject {
    fn new(name: &str, needle: String, json_path: bool, jsonata: bool) -> Subject {
        Subject { name: format!("`{name}`"), needle, json_path, jsonata }
    }

    fn field(field: LanguageField) -> Subject {
        let mark = if field.required { " (required)" } else { "" };
        Subject {
            name: format!("`{}`{mark}", field.name),
            needle: format!("\"{}\"", field.name),
            json_path: field.json_path,
            jsonata: field.jsonata,
        }
    }

    /// Its test makes the name from that of the plain operator.
    fn operator_with_path(field: LanguageField) -> Subject {
        let stem = field.name.strip_suffix("Path").unwrap_or(&field.name).to_owned();
        Subject { needle: format!("\"{stem}\""), ..Subject::field(field) }
    }
}

fn grouped(fields: Vec<LanguageField>) -> Vec<(&'static str, Vec<Subject>)> {
    let mut groups: Vec<(&'static str, Vec<Subject>)> = Vec::new();
    for field in fields {
        let holder = field.holder;
        let subject = Subject::field(field);
        match groups.last_mut().filter(|(title, _)| *title == holder) {
            Some((_, group)) => group.push(subject),
            None => groups.push((holder, vec![subject])),
        }
    }
    groups
}

fn section(tests: &Tests, title: &str, subjects: Vec<Subject>, complaints: &mut Vec<String>) -> Section {
    let none = Shown::default();
    let shown = tests.shown.get(title).unwrap_or(&none);
    let mut parts = Vec::new();
    for subject in subjects {
        let mut find = |wanted: bool, language: &str, own: &[String]| {
            if !wanted {
                return None;
            }
            let found = tests.first_that_holds(own.iter().chain(&shown.both), &subject.needle, complaints);
            if found.is_none() {
                complaints.push(format!("{title}: {} has no test in {language}", subject.name));
            }
            found
        };
        parts.push(Part {
            json_path: find(subject.json_path, "JSONPath", &shown.json_path),
            jsonata: find(subject.jsonata, "JSONata", &shown.jsonata),
            name: subject.name,
        });
    }
    Section { title: title.to_owned(), note: shown.note.clone(), parts }
}

fn row_part(tests: &Tests, row: &Row, complaints: &mut Vec<String>) -> Part {
    let mut find = |own: &Option<String>| {
        let named = own.iter().chain(&row.both);
        let found = tests.first_that_holds(named.clone(), &row.needle, complaints);
        if found.is_none() && named.count() > 0 {
            complaints.push(format!("{}: no test of {} holds {:?}", row.section, row.name, row.needle));
        }
        found
    };
    let (json_path, jsonata) = (find(&row.json_path), find(&row.jsonata));
    if json_path.is_none() && jsonata.is_none() {
        complaints.push(format!("{}: {} names no test", row.section, row.name));
    }
    Part { name: row.name.clone(), json_path, jsonata }
}
