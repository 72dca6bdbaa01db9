//! A mocked context object.

use stepwright_value::{Kind, Object, Value};

use super::request::refuse;
use crate::backend::TestStateError;

/// A member, and the type of its value; `None` is any type.
type Member = (&'static str, Option<Kind>);

/// The members that AWS knows.
const MEMBERS: &[(&str, &[Member])] = &[
    (
        "Execution",
        &[
            ("Id", Some(Kind::String)),
            ("Input", None),
            ("Name", Some(Kind::String)),
            ("RoleArn", Some(Kind::String)),
            ("StartTime", Some(Kind::String)),
            ("RedriveCount", Some(Kind::Number)),
            ("RedriveTime", Some(Kind::String)),
        ],
    ),
    (
        "State",
        &[
            ("EnteredTime", Some(Kind::String)),
            ("Name", Some(Kind::String)),
            ("RetryCount", Some(Kind::Number)),
        ],
    ),
    ("StateMachine", &[("Id", Some(Kind::String)), ("Name", Some(Kind::String))]),
    ("Task", &[("Token", Some(Kind::String))]),
];

/// The object that `text` is; it may have any of the members, or none. `has_token`: the state is given a task token.
pub(super) fn read(text: &str, has_token: bool) -> Result<Object, TestStateError> {
    let wrong = |what: String| refuse(format!("Invalid Context object provided: {what}"));
    let context = match stepwright_value::read(text) {
        Ok(Value::Object(context)) => context,
        Ok(_) => return wrong("Context must be a JSON object".to_owned()),
        Err(error) => return wrong(format!("Context must be valid JSON: {error}")),
    };
    // AWS: what a Map's iterations see is made from the items.
    if context.contains_key("Map") {
        return wrong("'Map' field is not supported when mocking a Context object".to_owned());
    }
    let known = |name: &str| MEMBERS.iter().find(|(known, _)| *known == name);
    for (name, value) in context.iter() {
        let Some((_, members)) = known(name) else { return wrong(format!("Field '{name}' is not allowed")) };
        let inner = value.as_object().into_iter().flat_map(Object::iter);
        let mut unknown = inner.filter(|(name, _)| !members.iter().any(|(known, _)| *known == &***name));
        if let Some((name, _)) = unknown.next() {
            return wrong(format!("Field '{name}' is not allowed"));
        }
    }
    if context.contains_key("Task") && !has_token {
        return wrong(
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' \
             service integration pattern"
                .to_owned(),
        );
    }
    for (name, members) in MEMBERS {
        let Some(value) = context.get(name) else { continue };
        let Some(object) = value.as_object() else { return wrong(format!("{name} must be an object")) };
        for (member, kind) in *members {
            let (Some(value), Some(kind)) = (object.get(member), kind) else { continue };
            if value.kind() != *kind {
                let kind = if *kind == Kind::String { "string" } else { "number" };
                return wrong(format!("{name}.{member} must be a {kind}"));
            }
        }
    }
    Ok(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts() {
        let cases = [
            ("{}", ""),
            (r#"{"Execution":{"Id":"i","Input":{"any":7}},"State":{"RetryCount":2}}"#, ""),
            (r#"{"Other":1}"#, "Field 'Other' is not allowed"),
            (r#"{"State":{"Retries":1}}"#, "Field 'Retries' is not allowed"),
            (r#"{"Task":{"Token":"t"}}"#, ""),
            (r#"{"Map":{}}"#, "'Map' field is not supported when mocking a Context object"),
            (r#"{"Execution":{"Id":1}}"#, "Execution.Id must be a string"),
            (r#"{"Execution":1}"#, "Execution must be an object"),
            (r#"{"State":{"RetryCount":"1"}}"#, "State.RetryCount must be a number"),
            ("[]", "Context must be a JSON object"),
        ];
        for (text, expected) in cases {
            let expected =
                (!expected.is_empty()).then(|| format!("Invalid Context object provided: {expected}"));
            assert_eq!(read(text, true).err().map(|error| error.to_string()), expected, "{text}");
        }
    }
}
