//! The shapes of what AWS services answer, and the check of a mocked result against them.
//!
//! The table `responses.txt` is generated (`cargo xtask codegen`) from the public service models. For each service: a line
//! `=NAME` with the name of its `aws-sdk` integration, a line `:ACTION SHAPE` for each operation, then its shapes, one a
//! line, numbered from 0:
//!
//! | line | shape |
//! |---|---|
//! | `sMIN,MAX` | text of so many characters; either bound may be empty, both with the comma |
//! | `dMIN,MAX` | a blob: text |
//! | `t` | a timestamp: text |
//! | `eA\|B` | one of the texts |
//! | `nMIN,MAX` | a number |
//! | `b` | a boolean |
//! | `lSHAPE` | an array |
//! | `mSHAPE` | an object with values of the shape |
//! | `oNAME:SHAPE,!NAME:SHAPE` | a structure; `!` marks a required member |
//! | `a` | anything |
//!
//! Left out: patterns, the bounds of arrays, services that the generator does not list, and `apigateway:invoke` and
//! `http:invoke`, which have no model. What is not in the table is not checked.

use stepwright_asl::program::{Integration, Pattern};
use stepwright_value::Value;

/// Whether members that the model requires must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    Required,
    Optional,
}

const TABLE: &str = include_str!("responses.txt");

/// `aws-sdk` names of the services that optimized integrations call by another name.
const OPTIMIZED: &[(&str, &str)] = &[
    ("states", "sfn"),
    ("events", "eventbridge"),
    ("elasticmapreduce", "emr"),
    ("emr-containers", "emrcontainers"),
    ("emr-serverless", "emrserverless"),
];

/// What a `.sync` integration asks until the job has ended, by service and action.
const POLLING: &[(&str, &str, &str)] = &[
    ("athena", "startqueryexecution", "getqueryexecution"),
    ("batch", "submitjob", "describejobs"),
    ("bedrock", "createmodelcustomizationjob", "getmodelcustomizationjob"),
    ("codebuild", "startbuild", "batchgetbuilds"),
    ("codebuild", "startbuildbatch", "batchgetbuildbatches"),
    ("databrew", "startjobrun", "describejobrun"),
    ("ecs", "runtask", "describetasks"),
    ("eks", "createcluster", "describecluster"),
    ("eks", "createfargateprofile", "describefargateprofile"),
    ("eks", "createnodegroup", "describenodegroup"),
    ("emr", "addstep", "describestep"),
    ("emr", "createcluster", "describecluster"),
    ("emrcontainers", "createvirtualcluster", "describevirtualcluster"),
    ("emrcontainers", "deletevirtualcluster", "describevirtualcluster"),
    ("emrcontainers", "startjobrun", "describejobrun"),
    ("emrserverless", "startapplication", "getapplication"),
    ("emrserverless", "startjobrun", "getjobrun"),
    ("emrserverless", "stopapplication", "getapplication"),
    ("glue", "startjobrun", "getjobrun"),
    ("mediaconvert", "createjob", "getjob"),
    ("sagemaker", "createhyperparametertuningjob", "describehyperparametertuningjob"),
    ("sagemaker", "createlabelingjob", "describelabelingjob"),
    ("sagemaker", "createprocessingjob", "describeprocessingjob"),
    ("sagemaker", "createtrainingjob", "describetrainingjob"),
    ("sagemaker", "createtransformjob", "describetransformjob"),
    ("sfn", "startexecution", "describeexecution"),
];

/// Checks the answer of `integration`. The error is AWS's sentence.
pub(super) fn check(integration: &Integration, result: &Value, presence: Presence) -> Result<(), String> {
    let Some((shapes, root)) = response_of(integration) else { return Ok(()) };
    Check { shapes, presence, free: free_member(integration) }.value(result, root, None)
}

/// A member that the integration gives as JSON where the service gives text.
fn free_member(integration: &Integration) -> Option<&'static str> {
    match (&*integration.service, integration.pattern) {
        ("lambda", _) => Some("Payload"),
        ("states", Pattern::Sync2) => Some("Output"),
        _ => None,
    }
}

/// The shapes of the service that answers, and the number of the answer's shape.
fn response_of(integration: &Integration) -> Option<(Vec<&'static str>, usize)> {
    let sdk = integration.service.strip_prefix("aws-sdk:");
    let service = sdk.unwrap_or(&integration.service);
    let renamed = OPTIMIZED.iter().filter(|_| sdk.is_none()).find(|(name, _)| *name == service);
    let service = renamed.map_or(service, |(_, name)| *name);
    let action = integration.action.to_ascii_lowercase();
    let action = match integration.pattern {
        Pattern::Sync | Pattern::Sync2 => {
            POLLING.iter().find(|(of, started, _)| *of == service && *started == action)?.2
        }
        _ => action.as_str(),
    };
    let mut lines =
        TABLE.lines().skip_while(|line| line.strip_prefix('=') != Some(service)).skip(1).peekable();
    let mut root = None;
    while let Some(operation) = lines.peek().and_then(|line| line.strip_prefix(':')) {
        let (name, shape) = operation.split_once(' ')?;
        if name == action {
            root = shape.parse().ok();
        }
        lines.next();
    }
    Some((lines.take_while(|line| !line.starts_with('=')).collect(), root?))
}

/// The shapes of one service at work.
struct Check {
    shapes: Vec<&'static str>,
    presence: Presence,
    free: Option<&'static str>,
}

impl Check {
    /// `field` is the name of the nearest member; the answer itself has none.
    fn value(&self, value: &Value, shape: usize, field: Option<&str>) -> Result<(), String> {
        let Some(shape) = self.shapes.get(shape) else { return Ok(()) };
        let (kind, rest) = shape.split_at_checked(1).unwrap_or(("a", ""));
        let number_of = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
        let wrong = |what: &str| match field {
            Some(field) => Err(format!("Field '{field}' {what}")),
            None => Err("Mocked result must be a JSON object.".to_owned()),
        };
        match (kind, value) {
            // AWS leaves members without a value away.
            (_, Value::Null) if field.is_some() => Ok(()),
            ("s" | "d", Value::String(text)) => {
                let length = text.chars().count() as f64;
                match beyond(length, rest) {
                    Some(std::cmp::Ordering::Less) => wrong("is smaller than the minimum length"),
                    Some(_) => wrong("exceeds the maximum length"),
                    None => Ok(()),
                }
            }
            ("t", Value::String(_)) => Ok(()),
            ("e", Value::String(text)) => match rest.split('|').any(|expected| expected == &**text) {
                true => Ok(()),
                false => wrong("is not an expected value"),
            },
            ("s" | "d" | "t" | "e", _) => wrong("must be a string"),
            ("n", Value::Number(number)) => match beyond(number.as_f64(), rest) {
                Some(std::cmp::Ordering::Less) => wrong("is less than the minimum value"),
                Some(_) => wrong("exceeds the maximum value"),
                None => Ok(()),
            },
            ("n", _) => wrong("must be a number"),
            ("b", Value::Bool(_)) => Ok(()),
            ("b", _) => wrong("must be a boolean"),
            ("l", Value::Array(items)) => {
                items.iter().try_for_each(|item| self.value(item, number_of(rest), field))
            }
            ("l", _) => wrong("must be an array"),
            ("m", Value::Object(members)) => {
                members.iter().try_for_each(|(key, member)| self.value(member, number_of(rest), Some(key)))
            }
            ("o", Value::Object(_)) => self.structure(value, rest),
            ("m" | "o", _) => wrong("must be an object"),
            _ => Ok(()),
        }
    }

    /// AWS: members that the model does not know are let through.
    fn structure(&self, value: &Value, members: &str) -> Result<(), String> {
        let members = || members.split(',').filter_map(|member| member.split_once(':'));
        if self.presence == Presence::Required {
            let mut required = members().filter_map(|(name, _)| name.strip_prefix('!'));
            if let Some(missing) = required.find(|name| value.get(name).is_none()) {
                return Err(format!("Required field '{missing}' is missing"));
            }
        }
        for (name, shape) in members() {
            let name = name.strip_prefix('!').unwrap_or(name);
            let (Some(member), Ok(shape)) = (value.get(name), shape.parse()) else { continue };
            if self.free != Some(name) {
                self.value(member, shape, Some(name))?;
            }
        }
        Ok(())
    }
}

/// On which side of the bounds `MIN,MAX` the number is, when it is outside.
fn beyond(number: f64, bounds: &str) -> Option<std::cmp::Ordering> {
    let (min, max) = bounds.split_once(',')?;
    if min.parse::<f64>().is_ok_and(|min| number < min) {
        return Some(std::cmp::Ordering::Less);
    }
    max.parse::<f64>().is_ok_and(|max| number > max).then_some(std::cmp::Ordering::Greater)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(service: &str, resource: &str, result: &str, presence: Presence) -> String {
        let patterns = [
            (".sync:2", Pattern::Sync2),
            (".sync", Pattern::Sync),
            (".waitForTaskToken", Pattern::WaitForTaskToken),
        ];
        let found = patterns.iter().find_map(|(end, pattern)| Some((resource.strip_suffix(end)?, *pattern)));
        let (action, pattern) = found.unwrap_or((resource, Pattern::RequestResponse));
        let integration = Integration {
            arn: "arn".into(),
            service: service.into(),
            resource: resource.into(),
            action: action.into(),
            pattern,
        };
        let result = stepwright_value::read(result).expect("JSON");
        check(&integration, &result, presence).err().unwrap_or_default()
    }

    #[test]
    fn responses() {
        use Presence::{Optional, Required};
        let cases = [
            ("states", "startExecution", "{}", Required, "Required field 'ExecutionArn' is missing"),
            ("states", "startExecution", "{}", Optional, ""),
            ("states", "startExecution", r#"{"executionArn":1}"#, Optional, ""),
            (
                "states",
                "startExecution",
                r#"{"StartDate":1}"#,
                Optional,
                "Field 'StartDate' must be a string",
            ),
            ("states", "startExecution.sync", "{}", Required, "Required field 'ExecutionArn' is missing"),
            ("states", "startExecution.sync:2", r#"{"Output":{"a":1}}"#, Optional, ""),
            ("aws-sdk:sfn", "startExecution", "[]", Optional, "Mocked result must be a JSON object."),
            ("lambda", "invoke", r#"{"Payload":{"a":1},"x":2}"#, Required, ""),
            ("lambda", "invoke", r#"{"StatusCode":"200"}"#, Required, "Field 'StatusCode' must be a number"),
            ("aws-sdk:lambda", "invoke", r#"{"Payload":{}}"#, Required, "Field 'Payload' must be a string"),
            (
                "aws-sdk:lambda",
                "getFunction",
                r#"{"Configuration":{"MemorySize":127}}"#,
                Required,
                "Field 'MemorySize' is less than the minimum value",
            ),
            (
                "dynamodb",
                "getItem",
                r#"{"Item":{"a":{"L":[{"S":"x"},{"S":1}]}}}"#,
                Required,
                "Field 'S' must be a string",
            ),
            (
                "aws-sdk:s3",
                "getObject",
                r#"{"StorageClass":"Paper"}"#,
                Required,
                "Field 'StorageClass' is not an expected value",
            ),
            (
                "events",
                "putEvents",
                r#"{"Entries":[{"EventId":"a"},{"EventId":[]}]}"#,
                Required,
                "Field 'EventId' must be a string",
            ),
            (
                "aws-sdk:kms",
                "encrypt",
                r#"{"CiphertextBlob":""}"#,
                Required,
                "Field 'CiphertextBlob' is smaller than the minimum length",
            ),
            ("http", "invoke", r#"{"StatusCode":"x"}"#, Required, ""),
            ("aws-sdk:nosuch", "thing", "1", Required, ""),
        ];
        for (service, resource, result, presence, expected) in cases {
            assert_eq!(
                checked(service, resource, result, presence),
                expected,
                "{service}:{resource} {result}"
            );
        }
    }

    #[test]
    fn the_table_is_whole() {
        let mut services = TABLE.split('=').skip(1);
        assert!(services.clone().count() > 50);
        let whole = services.all(|service| {
            let shapes = service.lines().skip(1).filter(|line| !line.starts_with(':')).count();
            let roots = service.lines().filter_map(|line| line.strip_prefix(':')?.split_once(' '));
            roots.into_iter().all(|(_, shape)| shape.parse::<usize>().is_ok_and(|shape| shape < shapes))
        });
        assert!(whole);
    }

    /// Both tables come from the same models.
    #[test]
    fn actions_are_those_that_definitions_can_name() {
        let here = TABLE.split('=').skip(1).map(|service| {
            let mut lines = service.lines();
            let name = lines.next().unwrap_or_default().to_owned();
            let actions = lines.filter_map(|line| line.strip_prefix(':')?.split(' ').next());
            (name, actions.collect::<Vec<_>>().join(" "))
        });
        let there =
            stepwright_asl::sdk_actions().map(|(name, actions)| (name.to_owned(), actions.to_owned()));
        assert_eq!(here.collect::<Vec<_>>(), there.collect::<Vec<_>>());
    }
}
