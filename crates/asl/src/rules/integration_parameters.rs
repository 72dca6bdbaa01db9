//! The parameters of optimized integrations: those that a call needs, and those that it does not know.
//!
//! Source: Step Functions Developer Guide, pages of the optimized integrations. Only what those pages settle is judged;
//! parameters of all other calls are the service's matter.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, StateType};
use crate::location::Location;
use crate::node::Node;
use crate::program::{Integration, QueryLanguage, Resource};
use crate::resource_arn;
use crate::rules::field_types;
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
    ("sns", "publish", &["Message"], None),
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
    let Some(integration) = integration(site.node) else { return };
    let field = match site.language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    };
    let Some(parameters) = site.node.get(field) else {
        let message = format!("{field} field is required for resource ARN: {}", integration.arn);
        report.push(
            Diagnostic::new(&codes::MISSING_PARAMETER, message, site.at.to_string(), site.node.span).help(
                format!(
                    "{field} are the request that is sent; an empty object does for one without parameters."
                ),
            ),
        );
        return;
    };
    let at = site.at.key(field);
    let computed = site.language == QueryLanguage::Jsonata && is_expression(parameters);
    if !parameters.is_object() {
        if !computed && !parameters.as_str().is_some_and(|text| site.context.options.is_open(text)) {
            field_types::wrong_type("Object", parameters.span, &at, report);
        }
        return;
    }
    let mut calls = CALLS.iter();
    let call = calls.find(|call| call.0 == &*integration.service && call.1 == &*integration.action);
    if let Some(call) = call {
        missing(call, parameters, site.language, &at, report);
        unsupported(call, parameters, site.language, &at, report);
        literals(call, parameters, &at, report);
    }
}

/// Parameters that are text, wherever they are known.
const TEXTS: [&str; 12] = [
    "FunctionName",
    "InvocationType",
    "LogType",
    "Qualifier",
    "ClientContext",
    "QueueUrl",
    "StateMachineArn",
    "Name",
    "TraceHeader",
    "TableName",
    "TaskDefinition",
    "JobName",
];

/// AWS looks at the types of what is written out: a function's `Payload` may be anything but a number or a boolean.
fn literals(call: &Call, parameters: &Node, at: &Location<'_>, report: &mut Report) {
    for member in parameters.members() {
        let (name, value) = (&*member.key, &member.value);
        let is_scalar = value.as_number().is_some() || value.as_bool().is_some();
        if call.0 == "lambda" && name == "Payload" && is_scalar {
            let message = "The field 'Payload' must be text, an object, an array or null";
            report.push(Diagnostic::new(&codes::WRONG_TYPE, message, at.key(name).to_string(), value.span));
        } else if TEXTS.contains(&name) && value.as_str().is_none() {
            field_types::wrong_type("String", value.span, &at.key(name), report);
        }
    }
}

fn is_expression(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.starts_with("{%"))
}

fn missing(call: &Call, parameters: &Node, language: QueryLanguage, at: &Location<'_>, report: &mut Report) {
    let computed = |name: &str| language == QueryLanguage::JsonPath && parameters.has(&format!("{name}.$"));
    for name in call.2.iter().filter(|name| !parameters.has(name) && !computed(name)) {
        let message = format!("The field '{name}' is required but was missing");
        report.push(Diagnostic::new(&codes::MISSING_PARAMETER, message, at.to_string(), parameters.span));
    }
}

fn unsupported(
    call: &Call,
    parameters: &Node,
    language: QueryLanguage,
    at: &Location<'_>,
    report: &mut Report,
) {
    let Some(optional) = call.3 else { return };
    let known = || call.2.iter().chain(optional).copied();
    for member in parameters.members() {
        let name = match language {
            QueryLanguage::JsonPath => member.key.strip_suffix(".$").unwrap_or(&member.key),
            QueryLanguage::Jsonata => &member.key,
        };
        if known().any(|known| known == name) {
            continue;
        }
        // AWS suggests the nearest name however far it is.
        let nearest = spelling::nearest(name, known()).unwrap_or_default();
        let message =
            format!("The field \"{name}\" is not supported by Step Functions. Did you mean '{nearest}'?");
        report.push(Diagnostic::new(&codes::UNSUPPORTED_PARAMETER, message, at.to_string(), member.key_span));
    }
}

fn integration(task: &Node) -> Option<Integration> {
    match resource_arn::parse(task.get("Resource")?.as_text()?) {
        Ok(Resource::Integration(integration)) => Some(integration),
        _ => None,
    }
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
            &task(r#","Parameters":{"Payload":"1"}"#),
            &["The field 'FunctionName' is required but was missing at /Parameters"],
        );
        state(
            &task(r#","Parameters":{"FunctionName":"f","Payloads.$":"$"}"#),
            &[
                "The field \"Payloads\" is not supported by Step Functions. Did you mean 'Payload'? at /Parameters",
            ],
        );
        // What is written out must be of the right type.
        for payload in ["5", "true"] {
            let message = "The field 'Payload' must be text, an object, an array or null at ";
            let fields = format!(r#"{{"FunctionName":"f","Payload":{payload}}}"#);
            state(&task(&format!(r#","Parameters":{fields}"#)), &[&format!("{message}/Parameters/Payload")]);
            jsonata(&task(&format!(r#","Arguments":{fields}"#)), &[&format!("{message}/Arguments/Payload")]);
        }
        for payload in ["null", r#""x""#, "[1]", "{}", r#""{% 5 %}""#] {
            jsonata(&task(&format!(r#","Arguments":{{"FunctionName":"f","Payload":{payload}}}"#)), &[]);
        }
        for literal in ["5", "null", r#""""#, "[]", "true"] {
            state(
                &task(&format!(r#","Parameters":{literal}"#)),
                &["Expected value of type Object at /Parameters"],
            );
            jsonata(
                &task(&format!(r#","Arguments":{literal}"#)),
                &["Expected value of type Object at /Arguments"],
            );
        }
        state(
            &task(r#","Parameters":{"FunctionName":1}"#),
            &["Expected value of type String at /Parameters/FunctionName"],
        );
        state(&task(r#","Parameters":{"FunctionName.$":"$.f","Payload.$":"$"}"#), &[]);
        state(
            &task(""),
            &["Parameters field is required for resource ARN: arn:aws:states:::lambda:invoke at "],
        );
        jsonata(
            &task(""),
            &["Arguments field is required for resource ARN: arn:aws:states:::lambda:invoke at "],
        );
        jsonata(&task(r#","Arguments":"{% $states.input %}""#), &[]);
        jsonata(
            &task(r#","Arguments":{"FunctionName.$":"f"}"#),
            &[
                "The field 'FunctionName' is required but was missing at /Arguments",
                "The field \"FunctionName.$\" is not supported by Step Functions. Did you mean 'FunctionName'? at /Arguments",
            ],
        );
    }
}
