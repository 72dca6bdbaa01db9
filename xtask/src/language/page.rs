//! The page: one table for each section.

use std::collections::BTreeSet;

use super::Section;

const HEAD: &str = "\
<!-- Made by `cargo xtask language` from the compiler's tables and docs/language.toml. Do not edit. -->

# The language

Everything that a definition may hold, in which query language, since which version, and the test that shows it at work.
Behaviour is that of AWS Step Functions. A dash means that states of that query language do not have it, on AWS as here.

";

pub fn render(sections: &[Section], since: &str) -> String {
    let mut page = HEAD.to_owned();
    for section in sections {
        page.push_str(&format!("## {}\n\n", section.title));
        if let Some(note) = &section.note {
            page.push_str(&format!("{note}\n\n"));
        }
        page.push_str("| | JSONPath | JSONata | Since | Shown by |\n| --- | --- | --- | --- | --- |\n");
        for part in &section.parts {
            let mark = |test: &Option<String>| if test.is_some() { "yes" } else { "–" };
            page.push_str(&format!(
                "| {} | {} | {} | {since} | {} |\n",
                part.name.replace('|', "\\|"),
                mark(&part.json_path),
                mark(&part.jsonata),
                links(part.json_path.iter().chain(&part.jsonata)),
            ));
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn links<'t>(tests: impl Iterator<Item = &'t String>) -> String {
    let tests: BTreeSet<&String> = tests.collect();
    let link = |test: &&String| {
        let (path, name) = test.split_once("::").unwrap_or((test, test));
        format!("[{name}](../{path})")
    };
    tests.iter().map(link).collect::<Vec<_>>().join(", ")
}
