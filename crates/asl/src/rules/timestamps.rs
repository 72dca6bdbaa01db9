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

#[cfg(test)]
mod tests {
    use crate::rules::testing::{jsonata, state};

    #[test]
    fn table() {
        let wait = |text: &str| format!(r#""Type":"Wait","End":true,"Timestamp":"{text}""#);
        for text in [
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
            "2016-13-05T21:29:29Z",
            "05-12-2016T21:29:29Z",
            "{% $t %}",
        ] {
            state(&wait(text), &["String does not match RFC3339 timestamp at /Timestamp"]);
        }
        state(&wait("2016-12-05T21:29:29Z"), &[]);
        state(&wait("2016-12-05T21:29:29+01:00"), &[]);
        jsonata(&wait("{% $states.input.t %}"), &[]);
    }
}
