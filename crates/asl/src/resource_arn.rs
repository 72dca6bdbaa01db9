//! The ARNs in `Resource` fields.
//!
//! Sources: Step Functions Developer Guide, "Integrating services" and the pages of the optimized integrations.

use std::sync::Arc;

use stepwright_types::arn::Arn;

use crate::program::{Integration, Pattern, Resource};
use crate::sdk_actions;

/// Why a text is no resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    NotAnArn,
    /// It looks like one, but AWS has no such service, action or pattern.
    Unknown,
}

/// An optimized integration: its actions (none: not all are known here), and whether a pattern is there for any.
struct Service {
    name: &'static str,
    actions: &'static [&'static str],
    sync: bool,
    token: bool,
}

const fn service(name: &'static str, actions: &'static [&'static str], sync: bool, token: bool) -> Service {
    Service { name, actions, sync, token }
}

const SERVICES: &[Service] = &[
    service("apigateway", &["invoke"], false, true),
    service("athena", &[], true, false),
    service("batch", &["submitJob"], true, false),
    service("bedrock", &[], true, true),
    service("bedrock-agentcore", &[], false, false),
    service("codebuild", &[], true, false),
    service("databrew", &[], true, false),
    service("dynamodb", &["getItem", "putItem", "updateItem", "deleteItem"], false, false),
    service("ecs", &["runTask"], true, true),
    service("eks", &[], true, true),
    service("elasticmapreduce", &[], true, false),
    service("emr-containers", &[], true, false),
    service("emr-serverless", &[], true, false),
    service("events", &["putEvents"], false, true),
    service("glue", &[], true, false),
    service("http", &["invoke"], false, false),
    service("lambda", &["invoke"], false, true),
    service("mediaconvert", &[], true, false),
    service("sagemaker", &[], true, false),
    service("sns", &["publish"], false, true),
    service("sqs", &["sendMessage"], false, true),
    service("states", &["startExecution"], true, true),
];

/// Takes the `Resource` of a Task apart.
pub(crate) fn parse(text: &Arc<str>) -> Result<Resource, Fault> {
    let arn = Arn::parse(text).ok_or(Fault::NotAnArn)?;
    match arn.service {
        "lambda" => match arn.resource_after("function") {
            Some(name) if !name.is_empty() => Ok(Resource::Lambda { arn: text.clone() }),
            _ => Err(Fault::NotAnArn),
        },
        "states" => match arn.resource_after("activity") {
            Some(name) if !name.is_empty() => Ok(Resource::Activity { arn: text.clone() }),
            Some(_) => Err(Fault::NotAnArn),
            // AWS takes a region and an account in an integration's ARN, though they mean nothing.
            None => match integration(text, arn.resource).filter(is_known) {
                Some(integration) => Ok(Resource::Integration(integration)),
                None => Err(Fault::Unknown),
            },
        },
        _ => Err(Fault::NotAnArn),
    }
}

/// The integration with S3 that a reader or a writer names.
pub(crate) fn s3(text: &Arc<str>) -> Option<Integration> {
    let arn = Arn::parse(text)?;
    let integration = integration(text, arn.resource)?;
    (arn.service == "states"
        && &*integration.service == "s3"
        && integration.pattern == Pattern::RequestResponse)
        .then_some(integration)
}

/// `SERVICE:ACTION[.PATTERN]`, where the service may be `aws-sdk:NAME`.
fn integration(arn: &Arc<str>, resource: &str) -> Option<Integration> {
    let sdk = resource.strip_prefix("aws-sdk:");
    let (service, called) = match sdk {
        Some(rest) => {
            let (name, called) = rest.split_once(':')?;
            (format!("aws-sdk:{name}"), called)
        }
        None => {
            let (name, called) = resource.split_once(':')?;
            (name.to_owned(), called)
        }
    };
    let patterns = [
        (".sync:2", Pattern::Sync2),
        (".sync", Pattern::Sync),
        (".waitForTaskToken", Pattern::WaitForTaskToken),
    ];
    let suffixed = patterns
        .into_iter()
        .find_map(|(suffix, pattern)| called.strip_suffix(suffix).map(|action| (action, pattern)));
    let (action, pattern) = suffixed.unwrap_or((called, Pattern::RequestResponse));
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let name = service.strip_prefix("aws-sdk:").unwrap_or(&service);
    if !plain(name) || !plain(action) {
        return None;
    }
    Some(Integration {
        arn: arn.clone(),
        service: service.as_str().into(),
        resource: called.into(),
        action: action.into(),
        pattern,
    })
}

fn is_known(integration: &Integration) -> bool {
    let action = &*integration.action;
    if integration.service.starts_with("aws-sdk:") {
        let waits = matches!(integration.pattern, Pattern::RequestResponse | Pattern::WaitForTaskToken);
        return waits && sdk_actions::may_be(&integration.service, action);
    }
    let Some(service) = SERVICES.iter().find(|service| service.name == &*integration.service) else {
        return false;
    };
    let pattern = match integration.pattern {
        Pattern::RequestResponse => true,
        Pattern::Sync => service.sync,
        Pattern::Sync2 => service.name == "states",
        Pattern::WaitForTaskToken => service.token,
    };
    pattern && (service.actions.is_empty() || service.actions.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, &str, Pattern), Fault>) {
        let parsed = parse(&text.into());
        let parts = match &parsed {
            Ok(Resource::Integration(i)) => Ok((&*i.service, &*i.resource, i.pattern)),
            Ok(Resource::Lambda { .. }) => Ok(("function", "", Pattern::RequestResponse)),
            Ok(Resource::Activity { .. }) => Ok(("activity", "", Pattern::RequestResponse)),
            Err(fault) => Err(*fault),
        };
        assert_eq!(parts, expected, "{text}");
    }

    #[test]
    fn resources() {
        use Pattern::{RequestResponse, Sync, Sync2, WaitForTaskToken};
        check("arn:aws:states:::lambda:invoke", Ok(("lambda", "invoke", RequestResponse)));
        check(
            "arn:aws-cn:states:::sqs:sendMessage.waitForTaskToken",
            Ok(("sqs", "sendMessage.waitForTaskToken", WaitForTaskToken)),
        );
        check(
            "arn:aws:states:::states:startExecution.sync:2",
            Ok(("states", "startExecution.sync:2", Sync2)),
        );
        check("arn:aws:states:::ecs:runTask.sync", Ok(("ecs", "runTask.sync", Sync)));
        check("arn:aws:states:::aws-sdk:s3:getObject", Ok(("aws-sdk:s3", "getObject", RequestResponse)));
        check("arn:aws:lambda:eu-west-1:123456789012:function:f:live", Ok(("function", "", RequestResponse)));
        check("arn:aws:states:eu-west-1:123456789012:activity:a", Ok(("activity", "", RequestResponse)));
        for text in ["", "f", "arn:aws:lambda", "arn:aws:sns:eu-west-1:123456789012:topic"] {
            check(text, Err(Fault::NotAnArn));
        }
        for text in [
            "arn:aws:states:::lambda:invoke.sync",
            "arn:aws:states:::dynamodb:putItem.waitForTaskToken",
            "arn:aws:states:::ecs:runTask.sync:2",
            "arn:aws:states:::aws-sdk:s3:getObject.sync",
            "arn:aws:states:::nothing:ever",
            "arn:aws:states:::aws-sdk:sfn:noSuchThing",
            "arn:aws:states:::aws-sdk:sfn:StartExecution",
            "arn:aws:states:::aws-sdk:states:startExecution",
            "arn:aws:states:::aws-sdk:S3:getObject",
            "arn:aws:states:::lambda:call",
        ] {
            check(text, Err(Fault::Unknown));
        }
    }
}
