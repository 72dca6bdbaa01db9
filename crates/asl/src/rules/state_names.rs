//! State names: not too long, and unique in the whole machine.

use std::collections::HashMap;

use stepwright_types::limit::STATE_NAME_CHARS_MAX;

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Span;

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    // The name of a state that stands alone is not the user's.
    for state in context.outline.states.iter().skip(usize::from(context.alone)) {
        if state.name.chars().count() > STATE_NAME_CHARS_MAX {
            let message = format!(
                "Invalid State name: State '{}' exceeds the {STATE_NAME_CHARS_MAX}-character limit allowed by the \
                 service",
                state.name
            );
            report.push(Diagnostic::new(
                &codes::BAD_STATE_NAME,
                message,
                state.pointer.clone(),
                state.name_span,
            ));
        }
        match seen.get(&**state.name) {
            Some(first) => report.push(
                Diagnostic::new(
                    &codes::DUPLICATE_STATE,
                    format!("Duplicate State name: {}", state.name),
                    state.pointer.clone(),
                    state.name_span,
                )
                .help("Names are unique in the whole machine, branches and Map processors included.")
                .note("The first state of this name is here", *first),
            ),
            None => {
                seen.insert(state.name, state.name_span);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{MAP, machine};

    #[test]
    fn table() {
        let long = "x".repeat(81);
        machine(
            &format!(r#"{{"StartAt":"{long}","States":{{"{long}":{{"Type":"Succeed"}}}}}}"#),
            &[&format!(
                "INVALID_STATE_NAME: Invalid State name: State '{long}' exceeds the 80-character limit allowed by the service at /States/{long}"
            )],
        );
        machine(
            &format!(r#"{{"StartAt":"P","States":{{"P":{{{MAP}}}}}}}"#),
            &["DUPLICATE_STATE_NAME: Duplicate State name: P at /States/P/ItemProcessor/States/P"],
        );
        machine(
            r#"{"StartAt":"P","States":{"P":{"Type":"Succeed"},"P":{"Type":"Succeed"}}}"#,
            &["DUPLICATE_STATE_NAME: Duplicate State name: P at /States/P"],
        );
    }
}
