//! What a Task state calls, in words.

use stepwright_asl::program::{Kind, Resource, State};
use stepwright_value::{Document, Value};

/// What a Task state calls.
pub fn of_state(state: &State) -> Option<String> {
    match &state.kind {
        Kind::Task(task) => Some(of_resource(&task.resource, None)),
        _ => None,
    }
}

/// `lambda greet`, `activity approve`, `sqs:sendMessage`; of `lambda:invoke`, the function too, once it is known.
pub fn of_resource(resource: &Resource, parameters: Option<&Document>) -> String {
    let last_part = |arn: &str, kind: &str| arn.split_once(kind).map_or(arn, |(_, name)| name).to_owned();
    match resource {
        Resource::Lambda { arn } => format!("lambda {}", last_part(arn, ":function:")),
        Resource::Activity { arn } => format!("activity {}", last_part(arn, ":activity:")),
        Resource::Integration(integration) => {
            let service = format!("{}:{}", integration.service, integration.resource);
            let function = parameters
                .filter(|_| &*integration.service == "lambda")
                .and_then(|parameters| parameters.value().get("FunctionName"))
                .and_then(Value::as_str);
            match function {
                Some(function) => format!("{service} {}", last_part(function, ":function:")),
                None => service,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let lambda =
            Resource::Lambda { arn: "arn:aws:lambda:us-east-1:123456789012:function:greet:2".into() };
        assert_eq!(of_resource(&lambda, None), "lambda greet:2");
        let activity =
            Resource::Activity { arn: "arn:aws:states:us-east-1:123456789012:activity:ask".into() };
        assert_eq!(of_resource(&activity, None), "activity ask");
    }
}
