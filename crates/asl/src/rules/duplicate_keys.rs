//! A key that stands twice in one object: the last value counts.

use std::collections::HashMap;

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::location::Location;
use crate::node::{Node, NodeKind, Span};

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    if let Some(machine) = context.outline.flows.first() {
        walk(machine.node, &Location::ROOT, report);
    }
}

fn walk(node: &Node, at: &Location<'_>, report: &mut Report) {
    match &node.kind {
        NodeKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &at.index(index), report);
            }
        }
        NodeKind::Object(members) => {
            let mut seen: HashMap<&str, Span> = HashMap::new();
            for member in members {
                if let Some(first) = seen.insert(&member.key, member.key_span) {
                    let message =
                        format!("The key '{}' stands here twice: the last value counts", member.key);
                    report.push(
                        Diagnostic::new(&codes::DUPLICATE_KEY, message, at.to_string(), member.key_span)
                            .note("It stands here first", first),
                    );
                }
                walk(&member.value, &at.key(&member.key), report);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        state(
            r#""Type":"Pass","Result":{"a":1,"a":2},"End":true"#,
            &["SW1101: The key 'a' stands here twice: the last value counts at /Result"],
        );
    }
}
