//! Points in time are RFC 3339 texts with an upper-case `T` and `Z`.

use stepwright_types::timestamp;

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::expression;

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    let Some(text) = place.value().as_str() else { return };
    if place.jsonata() && expression::source(text).is_some() || timestamp::from_text(text).is_some() {
        return;
    }
    report.push(
        Diagnostic::new(
            &codes::BAD_TIMESTAMP,
            "String does not match RFC3339 timestamp",
            place.at.to_string(),
            place.value().span,
        )
        .help("Write it like 2026-03-14T01:59:00Z or 2026-03-14T01:59:00+01:00."),
    );
}
