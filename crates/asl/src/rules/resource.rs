//! What a Task calls, and what items are read from and written to.

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Shape;
use crate::options::MachineType;
use crate::outline::ChildExecution;
use crate::program::{Pattern, Resource};
use crate::resource_arn::{self, Fault};

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    let Some(arn) = place.value().as_text() else { return };
    let actions: &[&str] = match place.field.shape {
        Shape::ReaderResource => &["getObject", "listObjectsV2"],
        Shape::WriterResource => &["putObject"],
        _ => return task(place, arn, report),
    };
    let known = matches!(resource_arn::s3(arn), Some(integration) if actions.contains(&&*integration.action));
    if !known {
        say(
            &codes::BAD_READER,
            "The field 'Resource' does not match any of the allowed values",
            place,
            report,
        );
    }
}

fn task(place: &FieldSite<'_>, arn: &std::sync::Arc<str>, report: &mut Report) {
    let resource = match resource_arn::parse(arn) {
        Ok(resource) => resource,
        Err(Fault::NotAnArn) => {
            return say(&codes::BAD_RESOURCE, "Value is not a valid resource ARN", place, report);
        }
        Err(Fault::Unknown) => {
            let message = format!(
                "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource \
                 is not available in this region."
            );
            return say(&codes::BAD_RESOURCE, &message, place, report);
        }
    };
    if let Resource::Activity { .. } = resource
        && place.site.node.has("Credentials")
    {
        let at = place.site.at.to_string();
        let message = "The field 'Credentials' is not supported for activities";
        report.push(Diagnostic::new(&codes::MISSING_ROLE, message, at, place.value().span));
    }
    if is_express(place) {
        express(place, &resource, report);
    }
}

/// Whether an EXPRESS execution runs the state.
fn is_express(place: &FieldSite<'_>) -> bool {
    match place.site.state.and_then(|state| state.child_execution) {
        Some(child) => child == ChildExecution::Express,
        None => place.site.context.options.machine_type == MachineType::Express,
    }
}

fn express(place: &FieldSite<'_>, resource: &Resource, report: &mut Report) {
    let message = match resource {
        Resource::Activity { .. } => "Express state machine does not support Activity ARN",
        Resource::Integration(integration) => match integration.pattern {
            Pattern::Sync | Pattern::Sync2 => {
                "Express state machine does not support '.sync' service integration"
            }
            // The space at the end is AWS's.
            Pattern::WaitForTaskToken => {
                "Express state machine does not support '.waitForTaskToken' service integration "
            }
            Pattern::RequestResponse => return,
        },
        Resource::Lambda { .. } => return,
    };
    say(&codes::EXPRESS_PATTERN, message, place, report);
}

fn say(code: &'static codes::Code, message: &str, place: &FieldSite<'_>, report: &mut Report) {
    report.push(Diagnostic::new(code, message, place.at.to_string(), place.value().span));
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, express, state};

    #[test]
    fn table() {
        let task = |arn: &str| {
            let parameters = if arn.contains(":sns:") { "Message" } else { "StateMachineArn" };
            format!(
                r#""Type":"Task","Resource":"{arn}","End":true,"TimeoutSeconds":1,"Parameters":{{"{parameters}":"x"}}"#
            )
        };
        state(&task("f"), &["Value is not a valid resource ARN at /Resource"]);
        state(&task("${Function}"), &["Value is not a valid resource ARN at /Resource"]);
        state(
            &task("arn:aws:states:::lambda:invoke.sync"),
            &[
                "The resource provided arn:aws:states:::lambda:invoke.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /Resource",
            ],
        );
        let activity = "arn:aws:states:eu-west-1:123456789012:activity:a";
        state(&task(activity), &[]);
        for (arn, message) in [
            (activity, "Activity ARN"),
            ("arn:aws:states:::states:startExecution.sync", "'.sync' service integration"),
            ("arn:aws:states:::sns:publish.waitForTaskToken", "'.waitForTaskToken' service integration "),
        ] {
            express(
                &format!(r#"{{"StartAt":"S","States":{{"S":{{{}}}}}}}"#, task(arn)),
                &[&format!("Express state machine does not support {message} at /States/S/Resource")],
            );
        }
        let reader = |arn: &str| format!(r#"{DISTRIBUTED},"ItemReader":{{"Resource":"{arn}"}}"#);
        state(&reader("arn:aws:states:::s3:listObjectsV2"), &[]);
        state(
            &reader("arn:aws:states:::s3:putObject"),
            &["The field 'Resource' does not match any of the allowed values at /ItemReader/Resource"],
        );
    }
}
