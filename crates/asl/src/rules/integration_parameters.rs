//! The parameters of optimized integrations: those that a call needs, and those that it does not know.
//!
//! Source: Step Functions Developer Guide, pages of the optimized integrations. Only what those pages settle is judged;
//! parameters of all other calls are the service's matter.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, StateType};
use crate::node::Node;
use crate::program::{QueryLanguage, Resource};
use crate::resource_arn;
use crate::spelling;

/// A call: its service and action, the parameters it needs, and those it may have beside them; `None` when these are
/// not settled.
type Call = (&'static str, &'static str, &'static [&'static str], Option<&'static [&'static str]>);

const CALLS: &[Call] = &[
    (
        "lambda",
        "invoke",
        &["FunctionName"],
        Some(&[
            "ClientContext",
            "DurableExecutionName",
            "InvocationType",
            "LogType",
            "Payload",
            "Qualifier",
            "TenantId",
        ]),
    ),
    (
        "sqs",
        "sendMessage",
        &["QueueUrl", "MessageBody"],
        Some(&[
            "DelaySeconds",
            "MessageAttributes",
            "MessageDeduplicationId",
            "MessageGroupId",
            "MessageSystemAttributes",
        ]),
    ),
    ("states", "startExecution", &["StateMachineArn"], Some(&["Input", "Name", "TraceHeader"])),
    ("dynamodb", "getItem", &["TableName", "Key"], None),
    ("dynamodb", "putItem", &["TableName", "Item"], None),
    ("dynamodb", "updateItem", &["TableName", "Key"], None),
    ("dynamodb", "deleteItem", &["TableName", "Key"], None),
    ("events", "putEvents", &["Entries"], None),
    ("ecs", "runTask", &["TaskDefinition"], None),
    ("batch", "submitJob", &["JobDefinition", "JobName", "JobQueue"], None),
    ("glue", "startJobRun", &["JobName"], None),
    ("apigateway", "invoke", &["ApiEndpoint", "Method"], None),
    ("http", "invoke", &["ApiEndpoint", "Method"], None),
];

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    if site.holder != Holder::State(StateType::Task) {
        return;
    }
    let jsonpath = site.language == QueryLanguage::JsonPath;
    let field = if jsonpath { "Parameters" } else { "Arguments" };
    let Some(parameters) = site.node.get(field).filter(|node| node.is_object()) else { return };
    let Some((_, _, required, optional)) = call(site.node) else { return };
    let at = site.at.key(field);
    let has = |name: &str| parameters.has(name) || jsonpath && parameters.has(&format!("{name}.$"));
    for name in required.iter().filter(|name| !has(name)) {
        let message = format!("The field '{name}' is required but was missing");
        report.push(Diagnostic::new(&codes::MISSING_PARAMETER, message, at.to_string(), parameters.span));
    }
    let Some(optional) = optional else { return };
    for member in parameters.members() {
        let name = if jsonpath { member.key.strip_suffix(".$").unwrap_or(&member.key) } else { &member.key };
        let mut known = required.iter().chain(*optional).copied();
        if known.clone().any(|known| known == name) {
            continue;
        }
        let message = format!("The field '{name}' is not supported by Step Functions");
        let mut diagnostic =
            Diagnostic::new(&codes::UNSUPPORTED_PARAMETER, message, at.to_string(), member.key_span);
        if let Some(close) = spelling::closest(name, &mut known) {
            diagnostic = diagnostic.help(format!("Did you mean {close}?"));
        }
        report.push(diagnostic);
    }
}

fn call(task: &Node) -> Option<&'static Call> {
    let Ok(Resource::Integration(integration)) = resource_arn::parse(task.get("Resource")?.as_text()?) else {
        return None;
    };
    CALLS
        .iter()
        .find(|(service, action, ..)| *service == &*integration.service && *action == &*integration.action)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{jsonata, state};

    #[test]
    fn table() {
        let task = |rest: &str| {
            format!(r#""Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true{rest}"#)
        };
        state(
            &task(r#","Parameters":{"Payload":1}"#),
            &["The field 'FunctionName' is required but was missing at /Parameters"],
        );
        state(
            &task(r#","Parameters":{"FunctionName":"f","Payloads.$":"$"}"#),
            &["The field 'Payloads' is not supported by Step Functions at /Parameters"],
        );
        state(&task(r#","Parameters":{"FunctionName.$":"$.f","Payload.$":"$"}"#), &[]);
        jsonata(&task(r#","Arguments":"{% $states.input %}""#), &[]);
        jsonata(
            &task(r#","Arguments":{"FunctionName.$":"f"}"#),
            &[
                "The field 'FunctionName' is required but was missing at /Arguments",
                "The field 'FunctionName.$' is not supported by Step Functions at /Arguments",
            ],
        );
    }
}
