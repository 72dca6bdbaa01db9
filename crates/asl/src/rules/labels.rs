//! Labels of distributed Maps: not empty, not too long, without special characters, unique.

use std::collections::HashSet;

use stepwright_types::limit::MAP_LABEL_CHARS_MAX;

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;

const SPECIAL: &str = "?*<>{}[]:;,\\|^~$#%&`\"/";

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen = HashSet::new();
    for state in &context.outline.states {
        let Some(value) = state.node.get("Label") else { continue };
        let Some(label) = Node::as_str(value).filter(|label| !context.options.is_open(label)) else {
            continue;
        };
        let at = format!("{}/Label", state.pointer);
        if let Some(fault) = fault(label) {
            let message = format!("Invalid Label name: Label '{label}' {fault}");
            report.push(Diagnostic::new(&codes::BAD_LABEL, message, at, value.span));
        } else if !seen.insert(label) {
            let message = format!("Duplicate Label name: {label}");
            report.push(Diagnostic::new(&codes::DUPLICATE_LABEL, message, at, value.span));
        }
    }
}

fn fault(label: &str) -> Option<String> {
    if label.is_empty() {
        return Some("is empty".to_owned());
    }
    if label.chars().count() > MAP_LABEL_CHARS_MAX {
        return Some(format!("exceeds the {MAP_LABEL_CHARS_MAX}-character limit allowed by the service"));
    }
    let bad = |c: char| c.is_whitespace() || c.is_control() || SPECIAL.contains(c);
    label.chars().find(|c| bad(*c)).map(|c| format!("contains the invalid character '{c}'"))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, state};

    #[test]
    fn table() {
        let map = |label: &str| format!(r#"{DISTRIBUTED},"Label":"{label}""#);
        state(&map("fine-1.2"), &[]);
        let fault = |label: &str, fault: &str| {
            format!("INVALID_LABEL_NAME: Invalid Label name: Label '{label}' {fault} at /Label")
        };
        state(&map(""), &[&fault("", "is empty")]);
        state(&map("a b"), &[&fault("a b", "contains the invalid character ' '")]);
        let long = "x".repeat(41);
        state(&map(&long), &[&fault(&long, "exceeds the 40-character limit allowed by the service")]);
    }
}
