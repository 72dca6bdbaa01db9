//! `States.ALL` stands alone, in the last retrier or catcher.

use stepwright_types::error_name;

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Holder;
use crate::node::{Node, Span};

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
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
