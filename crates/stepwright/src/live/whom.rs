//! Whom a Task state waits for outside of this program, and how they reach it.

use stepwright_asl::program::{Pattern, Resource};
use stepwright_machine::TaskToken;
use stepwright_machine::event::TaskScheduled;
use stepwright_value::Value;

/// Who has to answer.
pub enum Whom {
    Worker {
        activity_arn: String,
    },
    TokenHolder {
        /// Where the task's parameters have it as a whole text.
        token: Option<String>,
    },
}

/// Whom a task waits for.
pub fn of_task(scheduled: &TaskScheduled) -> Option<Whom> {
    match &*scheduled.resource {
        Resource::Activity { arn } => Some(Whom::Worker { activity_arn: arn.to_string() }),
        Resource::Integration(integration) if integration.pattern == Pattern::WaitForTaskToken => {
            Some(Whom::TokenHolder { token: token_in(scheduled.parameters.value()) })
        }
        _ => None,
    }
}

fn token_in(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return TaskToken::parse(text).map(|_| text.to_owned());
    }
    if let Some(items) = value.as_array() {
        return items.iter().find_map(token_in);
    }
    value.as_object()?.iter().find_map(|(_, member)| token_in(member))
}

impl Whom {
    /// What to do, for the user.
    pub fn notice(&self, endpoint: Option<&str>) -> String {
        let who = match self {
            Whom::Worker { .. } => "a worker of its activity",
            Whom::TokenHolder { .. } => "whoever gets its task token",
        };
        let Some(endpoint) = endpoint else {
            return format!("waits for {who}: `run --listen PORT` lets them in");
        };
        let command = match self {
            Whom::Worker { activity_arn } => format!("get-activity-task --activity-arn {activity_arn}"),
            Whom::TokenHolder { token } => {
                let token = token.as_deref().unwrap_or("TOKEN");
                format!("send-task-success --task-output '{{}}' --task-token {token}")
            }
        };
        format!("waits for {who}: aws stepfunctions {command} --endpoint-url {endpoint}")
    }
}
