//! `stepwright explain`: the page of a diagnostic's code.

use std::io::Write;

use stepwright_asl::codes::{self, Code};

use crate::cli::Explain;
use crate::diagnostics::severity_name;
use crate::exit::{Exit, Failure};
use crate::markdown;
use crate::terminal::{Stream, TEXT_COLUMNS_MAX};

pub fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let text = match &arguments.code {
        None => list(codes::ALL.iter().copied()),
        Some(wanted) => match find(wanted) {
            Found::One(code) => page(code),
            Found::Several(codes) => list(codes.into_iter()),
            Found::None => {
                let error =
                    anyhow::anyhow!("there is no code {wanted:?}; `stepwright explain` lists them all");
                return Err(Failure { code: Exit::Usage, error });
            }
        },
    };
    // Who does not read to the end, such as a pager, has read enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(Exit::Success)
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

fn page(code: &Code) -> String {
    let ability = Stream::Out.ability();
    let mut text = if ability.is_terminal {
        markdown::draw(code.page, ability.theme, Stream::Out.size().columns.min(TEXT_COLUMNS_MAX))
    } else {
        code.page.to_owned()
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
