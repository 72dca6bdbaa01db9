//! Retriers that go on for very long.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;

/// More attempts than this are hardly meant; each of them is a transition that costs.
const ATTEMPTS_MAX: i64 = 1_000;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let Some(node) = site.node.get("MaxAttempts") else { return };
    let attempts = node.as_number().and_then(|number| number.as_i64()).unwrap_or_default();
    if attempts <= ATTEMPTS_MAX {
        return;
    }
    let names = site.node.get("ErrorEquals").map(Node::items).unwrap_or_default();
    let names: Vec<&str> = names.iter().filter_map(Node::as_str).collect();
    let message = format!("Up to {attempts} retries of {}", names.join(", "));
    let at = site.at.key("MaxAttempts").to_string();
    report.push(
        Diagnostic::new(&codes::MANY_RETRIES, message, at, node.span).help(
            "An error that lasts keeps the execution busy until its history is full: lower MaxAttempts.",
        ),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        let retry = |attempts: u32| {
            format!(r#"{TASK},"Retry":[{{"ErrorEquals":["A","B"],"MaxAttempts":{attempts}}}]"#)
        };
        state(&retry(1_000), &[]);
        state(&retry(99_999), &["SW1104: Up to 99999 retries of A, B at /Retry[0]/MaxAttempts"]);
    }
}
