//! Tasks that wait for somebody else, without a limit.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, StateType};
use crate::program::{Pattern, Resource};
use crate::resource_arn;

const LIMITS: &[&str] = &["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"];

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let limited = site.context.outline.flows.first().is_some_and(|flow| flow.node.has("TimeoutSeconds"));
    if site.holder != Holder::State(StateType::Task)
        || limited
        || LIMITS.iter().any(|name| site.node.has(name))
    {
        return;
    }
    let Some(node) = site.node.get("Resource") else { return };
    let waits_for = match node.as_text().map(resource_arn::parse) {
        Some(Ok(Resource::Activity { .. })) => "a worker",
        Some(Ok(Resource::Integration(integration))) if integration.pattern == Pattern::WaitForTaskToken => {
            "a callback"
        }
        _ => return,
    };
    let message = format!("The task waits for {waits_for} without a limit");
    report.push(Diagnostic::new(&codes::NO_TIMEOUT, message, site.at.to_string(), node.span).help(
        "Set TimeoutSeconds or HeartbeatSeconds: if nobody answers, the execution waits for up to a year.",
    ));
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        let task = |rest: &str| {
            format!(
                r#""Type":"Task","End":true,"Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{{"QueueUrl":"q","MessageBody":"b"}}{rest}"#
            )
        };
        state(&task(""), &["SW1103: The task waits for a callback without a limit at "]);
        state(&task(r#","HeartbeatSeconds":60"#), &[]);
        state(TASK, &[]);
    }
}
