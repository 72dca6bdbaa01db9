//! ARNs in requests: taken apart, or refused in AWS's words. Nothing is looked up here.

use stepwright_types::arn::Arn;

use crate::error::ApiError;
use crate::model::ValidationExceptionReason;

/// The ARN of a state machine, perhaps with a version or alias behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MachineArn<'a> {
    /// Without qualifier and test case.
    pub plain: &'a str,
    /// With the qualifier, without the test case.
    pub qualified: &'a str,
    pub qualifier: Qualifier<'a>,
    /// A distributed Map's label behind the name (`…:stateMachine:NAME/LABEL`).
    pub label: Option<&'a str>,
    /// What follows `#`: a test case of Step Functions Local's mock configuration.
    pub test_case: Option<&'a str>,
}

impl<'a> MachineArn<'a> {
    /// The ARN of the state machine alone, and the label.
    pub fn without_label(&self) -> (&'a str, Option<&'a str>) {
        let length = self.label.map_or(0, |label| label.len() + 1);
        (&self.plain[..self.plain.len() - length], self.label)
    }
}

/// What follows a state machine's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Qualifier<'a> {
    None,
    Version(u32),
    Alias(&'a str),
}

/// A state machine's ARN.
pub fn machine(text: &str) -> Result<MachineArn<'_>, ApiError> {
    let resource = resource_of(text, &["stateMachine"])?;
    let (resource, test_case) = match resource.split_once('#') {
        Some((resource, test_case)) => (resource, Some(test_case)),
        None => (resource, None),
    };
    let qualified = &text[..text.len() - test_case.map_or(0, |test_case| test_case.len() + 1)];
    let (name, qualifier) = match resource.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (resource, None),
    };
    let plain = &qualified[..qualified.len() - qualifier.map_or(0, |qualifier| qualifier.len() + 1)];
    let qualifier = match qualifier {
        None => Qualifier::None,
        Some("") => return Err(invalid_prefix(text)),
        Some(qualifier) if qualifier.contains(':') => return Err(invalid_prefix(text)),
        Some(qualifier) => match qualifier.parse::<u32>() {
            Ok(number) => Qualifier::Version(number),
            Err(_) => Qualifier::Alias(qualifier),
        },
    };
    let label = name.split_once('/').map(|(_, label)| label);
    Ok(MachineArn { plain, qualified, qualifier, label, test_case })
}

/// A state machine's ARN where that of a distributed Map is not allowed.
pub fn unlabelled_machine(text: &str) -> Result<MachineArn<'_>, ApiError> {
    let arn = machine(text)?;
    match arn.label {
        None => Ok(arn),
        Some(_) => Err(ApiError::validation_because(
            ValidationExceptionReason::ApiDoesNotSupportLabeledArns,
            "This operation does not support labeled state machine ARNs",
        )),
    }
}

/// A state machine's ARN where no qualifier is allowed.
pub fn plain_machine(text: &str) -> Result<&str, ApiError> {
    let arn = unlabelled_machine(text)?;
    if arn.qualifier == Qualifier::None && arn.test_case.is_none() {
        Ok(arn.plain)
    } else {
        Err(ApiError::invalid_arn("Resource type not valid in this context: qualified stateMachine"))
    }
}

/// The ARN of a STANDARD execution, or of a child of a map run.
pub fn execution(text: &str) -> Result<&str, ApiError> {
    let resource = resource_of(text, &["execution"])?;
    if resource.split(':').count() != 2 { Err(invalid_prefix(text)) } else { Ok(text) }
}

/// As [`execution`], or the ARN of an EXPRESS child of a map run, which leaves a row to describe.
pub fn describable_execution(text: &str) -> Result<&str, ApiError> {
    match Arn::parse(text).and_then(|arn| arn.resource_after("express")) {
        Some(resource) if resource.contains('/') && resource.split(':').count() == 3 => Ok(text),
        _ => execution(text),
    }
}

/// An activity's ARN.
pub fn activity(text: &str) -> Result<&str, ApiError> {
    resource_of(text, &["activity"]).map(|_| text)
}

/// A map run's ARN.
pub fn map_run(text: &str) -> Result<&str, ApiError> {
    resource_of(text, &["mapRun"]).map(|_| text)
}

/// The ARN of something that can be tagged.
pub fn taggable(text: &str) -> Result<&str, ApiError> {
    resource_of(text, &["stateMachine", "activity"]).map(|_| text)
}

/// A role's ARN, as it is given for a state machine.
pub fn role(text: &str) -> Result<(), ApiError> {
    let refused =
        |text| ApiError::service(crate::model::ErrorName::InvalidArn, format!("Invalid Role Arn: '{text}'"));
    let arn = Arn::parse(text).ok_or_else(|| refused(text))?;
    if arn.service == "iam" && arn.resource.starts_with("role/") { Ok(()) } else { Err(refused(text)) }
}

/// What follows the resource type, when that is one of `types`.
fn resource_of<'a>(text: &'a str, types: &[&str]) -> Result<&'a str, ApiError> {
    let arn = Arn::parse(text).ok_or_else(|| invalid_prefix(text))?;
    if arn.service != "states" {
        return Err(invalid_prefix(text));
    }
    match arn.resource.split_once(':') {
        Some((kind, resource)) if types.contains(&kind) && !resource.is_empty() => Ok(resource),
        Some((kind, _)) if !types.contains(&kind) => {
            Err(ApiError::invalid_arn(format_args!("Resource type not valid in this context: {kind}")))
        }
        _ => Err(invalid_prefix(text)),
    }
}

fn invalid_prefix(text: &str) -> ApiError {
    ApiError::invalid_arn(format_args!("Invalid ARN prefix: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "arn:aws:states:us-east-1:123456789012";

    #[test]
    fn machines() {
        for (rest, plain, qualifier, label, test_case) in [
            ("a", "a", Qualifier::None, None, None),
            ("a:12", "a", Qualifier::Version(12), None, None),
            ("a:live", "a", Qualifier::Alias("live"), None, None),
            ("a/b", "a/b", Qualifier::None, Some("b"), None),
            ("a#Happy", "a", Qualifier::None, None, Some("Happy")),
            ("a:3#Happy", "a", Qualifier::Version(3), None, Some("Happy")),
        ] {
            let text = format!("{BASE}:stateMachine:{rest}");
            let arn = machine(&text).unwrap();
            assert_eq!(arn.plain, format!("{BASE}:stateMachine:{plain}"), "{rest}");
            assert_eq!((arn.qualifier, arn.label, arn.test_case), (qualifier, label, test_case), "{rest}");
        }
    }

    #[test]
    fn refusals() {
        let message = |result: Result<&str, ApiError>| result.unwrap_err().message;
        assert_eq!(message(execution("nonsense")), "Invalid Arn: 'Invalid ARN prefix: nonsense'");
        assert_eq!(
            message(execution(&format!("{BASE}:express:m:n:r"))),
            "Invalid Arn: 'Resource type not valid in this context: express'"
        );
        assert!(machine(&format!("{BASE}:stateMachine:")).is_err());
        assert!(machine(&format!("{BASE}:stateMachine:a:b:c")).is_err());
        assert!(machine("arn:aws:lambda:r:a:stateMachine:x").is_err());
        assert!(role("arn:aws:iam::123456789012:role/x").is_ok());
        assert!(role("x").is_err());
    }
}
