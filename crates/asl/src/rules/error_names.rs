//! `States.ALL` stands alone, in the last retrier or catcher; other names of the language are spelt right.

use stepwright_types::error_name;

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Holder;
use crate::node::{Node, Span};
use crate::spelling;

/// The names of the field, and those it must not have.
pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    place_of_all(place, report);
    unknown_names(place, report);
}

fn place_of_all(place: &FieldSite<'_>, report: &mut Report) {
    let names = place.value().items();
    let Some(index) = names.iter().position(|name| name.as_str() == Some(error_name::ALL)) else { return };
    if names.len() == 1 && is_last(place) {
        return;
    }
    let span = names.get(index).map(|name| name.span).unwrap_or_default();
    report.push(
        Diagnostic::new(
            &codes::STATES_ALL_PLACE,
            "States.ALL must appear alone and at end of list",
            place.at.index(index).to_string(),
            span,
        )
        .help(match names.len() {
            1 => "Nothing behind it could ever match: move it to the end.",
            _ => "It matches the other names too: leave them away, or put it into an entry of its own at the end.",
        }),
    );
}

/// Whether the retrier or catcher is the last of its list.
fn is_last(place: &FieldSite<'_>) -> bool {
    let field = if place.site.holder == Holder::Retrier { "Retry" } else { "Catch" };
    let own: Span = place.site.node.span;
    let list = place.site.state.and_then(|state| state.node.get(field)).map(Node::items).unwrap_or_default();
    list.last().is_none_or(|last| last.span == own)
}

/// Whether a Fail state of the machine raises the error.
fn is_raised(place: &FieldSite<'_>, name: &str) -> bool {
    place
        .site
        .context
        .outline
        .states
        .iter()
        .any(|state| state.node.get("Error").and_then(Node::as_str) == Some(name))
}

/// AWS takes any name; one that begins as its own and is none matches nothing.
fn unknown_names(place: &FieldSite<'_>, report: &mut Report) {
    for (index, item) in place.value().items().iter().enumerate() {
        let Some(name) = item.as_str().filter(|name| name.starts_with("States.")) else { continue };
        if error_name::RESERVED.contains(&name) || name.starts_with("States.Http.") || is_raised(place, name)
        {
            continue;
        }
        let message = format!("Step Functions has no error '{name}'");
        let at = place.at.index(index).to_string();
        let mut diagnostic = Diagnostic::new(&codes::UNKNOWN_STATES_ERROR, message, at, item.span);
        if let Some(close) = spelling::closest(name, error_name::RESERVED.iter().copied()) {
            diagnostic =
                diagnostic.help(format!("Did you mean {close}?")).fix(item.span, format!("\"{close}\""));
        }
        report.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        let retry = |list: &str| format!(r#"{TASK},"Retry":[{list}]"#);
        let place = "States.ALL must appear alone and at end of list at /Retry[0]/ErrorEquals";
        state(&retry(r#"{"ErrorEquals":["A","States.ALL"]}"#), &[&format!("{place}[1]")]);
        state(&retry(r#"{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}"#), &[&format!("{place}[0]")]);
        state(&retry(r#"{"ErrorEquals":["A"]},{"ErrorEquals":["States.ALL"]}"#), &[]);
        state(
            &retry(r#"{"ErrorEquals":["States.Timeouts"]}"#),
            &["SW1106: Step Functions has no error 'States.Timeouts' at /Retry[0]/ErrorEquals[0]"],
        );
        state(&retry(r#"{"ErrorEquals":["States.Http.StatusCode.404","States.Timeout","Mine"]}"#), &[]);
    }
}
