//! A task's heartbeat must come before its timeout.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let seconds = |name| site.node.get(name).and_then(Node::as_number).and_then(|number| number.as_i64());
    let (Some(heartbeat), Some(timeout)) = (seconds("HeartbeatSeconds"), seconds("TimeoutSeconds")) else {
        return;
    };
    if heartbeat < timeout {
        return;
    }
    let at = site.at.key("HeartbeatSeconds");
    let span = site.node.get("HeartbeatSeconds").map(|node| node.span).unwrap_or_default();
    report.push(
        Diagnostic::new(
            &codes::HEARTBEAT_NOT_BELOW_TIMEOUT,
            "HeartbeatSeconds must be smaller than TimeoutSeconds",
            at.to_string(),
            span,
        )
        .help(format!("The task times out after {timeout} seconds, so a heartbeat is due earlier.")),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        let after = "HeartbeatSeconds must be smaller than TimeoutSeconds at /HeartbeatSeconds";
        state(&format!(r#"{TASK},"TimeoutSeconds":5,"HeartbeatSeconds":5"#), &[after]);
        state(&format!(r#"{TASK},"TimeoutSeconds":5,"HeartbeatSeconds":4"#), &[]);
        state(&format!(r#"{TASK},"HeartbeatSeconds":400"#), &[]);
    }
}
