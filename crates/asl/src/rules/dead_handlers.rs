//! Retriers and catchers that an earlier one leaves nothing to do.

use stepwright_types::error_name;

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::{Node, Span};

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    for field in ["Retry", "Catch"] {
        let list = site.at.key(field);
        let mut earlier: Vec<(&str, Span)> = Vec::new();
        for (index, entry) in site.node.get(field).map(Node::items).unwrap_or_default().iter().enumerate() {
            let names = entry.get("ErrorEquals").map(Node::items).unwrap_or_default();
            let names: Vec<(&str, Span)> =
                names.iter().filter_map(|name| Some((name.as_str()?, name.span))).collect();
            for (name, span) in &names {
                if let Some((taker, place)) = earlier.iter().find(|(taker, _)| takes(taker, name)) {
                    report.push(
                        Diagnostic::new(
                            &codes::DEAD_HANDLER,
                            format!("'{name}' never gets here: an earlier entry has '{taker}'"),
                            list.index(index).to_string(),
                            *span,
                        )
                        .note("The earlier entry is here", *place),
                    );
                }
            }
            earlier.extend(names);
        }
    }
}

/// Whether an entry with `taker` leaves nothing for `name`.
fn takes(taker: &str, name: &str) -> bool {
    if taker == name {
        return true;
    }
    // The names that no wild card takes (developer guide, "Error handling").
    let apart = [error_name::DATA_LIMIT_EXCEEDED, error_name::RUNTIME, error_name::ALL];
    match taker {
        error_name::TASK_FAILED => name != error_name::TIMEOUT && !apart.contains(&name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        let catch = |first: &str, second: &str| {
            format!(
                r#"{TASK},"Catch":[{{"ErrorEquals":["{first}"],"Next":"T"}},{{"ErrorEquals":["{second}"],"Next":"T"}}]"#
            )
        };
        let dead = |name: &str, taker: &str| {
            format!("SW1105: '{name}' never gets here: an earlier entry has '{taker}' at /Catch[1]")
        };
        state(&catch("A", "A"), &[&dead("A", "A")]);
        state(&catch("States.TaskFailed", "B"), &[&dead("B", "States.TaskFailed")]);
        for (first, second) in
            [("A", "States.TaskFailed"), ("States.TaskFailed", "States.Timeout"), ("A", "States.ALL")]
        {
            state(&catch(first, second), &[]);
        }
    }
}
