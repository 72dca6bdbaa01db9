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
            let mut seen = Seen::new(members.len());
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

/// Keys that were there before. Most objects are small, and a scan is then quicker than a table.
enum Seen<'n> {
    Few(Vec<(&'n str, Span)>),
    Many(HashMap<&'n str, Span>),
}

impl<'n> Seen<'n> {
    fn new(members: usize) -> Seen<'n> {
        if members > 16 {
            Seen::Many(HashMap::with_capacity(members))
        } else {
            Seen::Few(Vec::with_capacity(members))
        }
    }

    /// The place of `key`, when it was there before.
    fn insert(&mut self, key: &'n str, place: Span) -> Option<Span> {
        match self {
            Seen::Many(seen) => seen.insert(key, place),
            Seen::Few(seen) => {
                let before = seen.iter().find(|(known, _)| *known == key).map(|(_, place)| *place);
                seen.push((key, place));
                before
            }
        }
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
