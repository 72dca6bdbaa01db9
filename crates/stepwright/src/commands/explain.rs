//! `stepwright explain`: the page of a diagnostic's code, or what an error name means.

use stepwright_asl::codes::{self, Code};
use stepwright_types::error_name::RESERVED;

use crate::cli::Explain;
use crate::diagnostics::severity_name;
use crate::exit::{Exit, Failure};
use crate::markdown;
use crate::output;
use crate::suggestions;
use crate::terminal::{Stream, TEXT_COLUMNS_MAX};

/// A section for each error name that AWS reserves.
const ERROR_NAMES: &str = include_str!("../../../../docs/errors.md");

pub fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let text = match &arguments.code {
        None => list(codes::ALL.iter().copied()),
        Some(wanted) => match find(wanted) {
            Found::One(code) => page(code.page),
            Found::Several(codes) => list(codes.into_iter()),
            Found::None => match error_section(wanted) {
                Some(section) => page(&section),
                None => return Err(Failure { code: Exit::Usage, error: unknown(wanted) }),
            },
        },
    };
    output::write(&text)?;
    Ok(Exit::Success)
}

fn unknown(wanted: &str) -> anyhow::Error {
    let known = codes::ALL.iter().map(|code| code.id).chain(RESERVED.iter().copied());
    let hint = suggestions::hint(wanted, known);
    let hint = hint.strip_prefix("; did you").map(|near| format!("; did you{near}")).unwrap_or_default();
    anyhow::anyhow!("there is no code or error name {wanted:?}{hint}; `stepwright explain` lists all codes")
}

/// What an error name means: `States.Timeout`, in any case, also without `States.`.
fn error_section(wanted: &str) -> Option<String> {
    let is_wanted = |name: &str| {
        let bare = name.strip_prefix("States.").unwrap_or(name);
        name.eq_ignore_ascii_case(wanted.trim()) || bare.eq_ignore_ascii_case(wanted.trim())
    };
    let sections = ERROR_NAMES.split("\n## ").skip(1);
    let found = sections.into_iter().find(|section| section.lines().next().is_some_and(is_wanted))?;
    Some(format!("# {found}"))
}

enum Found {
    One(&'static Code),
    Several(Vec<&'static Code>),
    None,
}

/// By `SW1001`, `sw1001`, `1001`, or by AWS's code, which can stand for several of ours.
fn find(wanted: &str) -> Found {
    let wanted = wanted.trim().to_uppercase();
    let own = if wanted.starts_with("SW") { wanted.clone() } else { format!("SW{wanted}") };
    if let Some(code) = codes::ALL.iter().find(|code| code.id == own) {
        return Found::One(code);
    }
    let found: Vec<&Code> = codes::ALL.iter().copied().filter(|code| code.aws == Some(&*wanted)).collect();
    match *found {
        [] => Found::None,
        [one] => Found::One(one),
        _ => Found::Several(found),
    }
}

fn page(page: &str) -> String {
    let ability = Stream::Out.ability();
    let mut text = if ability.is_terminal {
        markdown::draw(page, ability.theme, Stream::Out.size().columns.min(TEXT_COLUMNS_MAX))
    } else {
        page.to_owned()
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn list(codes: impl Iterator<Item = &'static Code>) -> String {
    let theme = Stream::Out.ability().theme;
    let mut text = String::new();
    for code in codes {
        let columns =
            if Stream::Out.ability().is_terminal { Stream::Out.size().columns } else { TEXT_COLUMNS_MAX };
        let tone = match code.severity {
            stepwright_asl::Severity::Error => crate::row::Tone::Bad,
            stepwright_asl::Severity::Warning => crate::row::Tone::Notice,
        };
        let mut row = crate::row::Row::new().with(tone, code.id);
        row.pad_to(8);
        row.push(crate::row::Tone::Dim, &format!("{:<8}", severity_name(code.severity)));
        row.pad_to(17);
        row.push(crate::row::Tone::Plain, title(code));
        text.push_str(&row.draw(columns, theme));
        text.push('\n');
    }
    text
}

/// The first heading of the page, without the code.
fn title(code: &Code) -> &'static str {
    let heading = code.page.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    let title = heading.strip_prefix(code.id).unwrap_or(heading);
    title.trim_start_matches([':', ' ', '—', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_error_name_has_a_section() {
        for name in RESERVED {
            let section = error_section(name).unwrap_or_else(|| panic!("{name} is not in docs/errors.md"));
            assert!(section.starts_with(&format!("# {name}\n\n")) && section.len() > 60, "{section}");
        }
        assert!(error_section("timeout").is_some_and(|section| section.starts_with("# States.Timeout")));
        assert_eq!(error_section("Mine"), None);
        assert_eq!(ERROR_NAMES.matches("\n## ").count(), RESERVED.len());
    }
}
