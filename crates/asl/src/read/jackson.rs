//! The finding for a definition that is not JSON, in Jackson's words.

use stepwright_value::jackson::{Source, first_value, place};

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::node::Span;

/// The finding for `text`, in which a reader stumbled at byte `offset`.
pub(crate) fn diagnose(text: &str, offset: usize) -> Diagnostic {
    let (message, location, span) = match first_value(text, Source::Excerpt) {
        Err(refusal) => (refusal.message, refusal.place, Span::new(refusal.token, refusal.end)),
        // Jackson stops behind the first value; what follows it is ours to refuse.
        Ok(_) => {
            let offset = offset.min(text.len());
            let message = "Unexpected content behind the definition".to_owned();
            (message, place(text, offset), Span::new(offset, offset + 1))
        }
    };
    Diagnostic::new(&codes::NOT_JSON, format!("{message}\n at {location}"), location, span)
}
