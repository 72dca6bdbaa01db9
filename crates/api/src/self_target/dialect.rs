//! How the two integrations say the same thing. Both write members with a capital letter. `aws-sdk:sfn` writes dates as text
//! and names errors as version 2 of AWS's SDK for Java does; `states:startExecution` writes dates as milliseconds, tells of
//! the HTTP exchange, and names errors as version 1 did.

use stepwright_tasks::{Failure, Success};
use stepwright_types::timestamp;
use stepwright_value::{Document, Object, Value};

use crate::error::{ApiError, ErrorKind};

/// Members that are JSON within text: what a definition gives as a value is written as text.
const JSON_TEXT: [&str; 3] = ["input", "output", "definition"];
/// Members whose value is a map: its keys are not names of members.
const MAPS: [&str; 1] = ["variableReferences"];

/// One of the integrations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// `aws-sdk:sfn`.
    Sdk,
    /// `states`.
    Optimised,
}

/// What an operation answered.
pub struct Answer {
    /// JSON of the API.
    pub body: Vec<u8>,
    pub request_id: String,
    /// Milliseconds since 1970.
    pub now_ms: i64,
}

impl Dialect {
    /// By the service's name in the resource.
    pub fn of(service: &str) -> Dialect {
        if service == "states" { Dialect::Optimised } else { Dialect::Sdk }
    }

    /// The state's result.
    pub fn result(self, answer: Answer) -> Result<Success, Failure> {
        let value = stepwright_value::read_bytes(&answer.body)
            .map_err(|error| Failure::new("States.Runtime", format!("The answer is not JSON: {error}")))?;
        let mut members = self.members(&value);
        if self == Dialect::Optimised {
            members.push(("SdkHttpMetadata".to_owned(), http_metadata(&answer)));
            members.push((
                "SdkResponseMetadata".to_owned(),
                object([("RequestId", answer.request_id.as_str().into())]),
            ));
        }
        Ok(Success { output: sorted(members).into() })
    }

    /// A structure of the API as the integration shows it.
    pub fn structure(self, value: &Value) -> Value {
        sorted(self.members(value))
    }

    fn members(self, value: &Value) -> Vec<(String, Value)> {
        let members = value.as_object().into_iter().flat_map(Object::iter);
        let shown = members.filter(|(_, value)| !value.is_null());
        shown.map(|(name, value)| (capitalised(name), self.member(name, value))).collect()
    }

    fn member(self, name: &str, value: &Value) -> Value {
        if MAPS.contains(&name) {
            return value.clone();
        }
        match value.as_f64() {
            Some(seconds) if name.ends_with("Date") || name == "timestamp" => self.date(seconds),
            _ => self.value(value),
        }
    }

    fn value(self, value: &Value) -> Value {
        match value.as_array() {
            Some(items) => items.iter().map(|item| self.value(item)).collect::<Vec<Value>>().into(),
            None if value.as_object().is_some() => self.structure(value),
            None => value.clone(),
        }
    }

    fn date(self, seconds: f64) -> Value {
        let ms = (seconds * 1000.0).round() as i64;
        match self {
            Dialect::Sdk => timestamp::to_text(ms).into(),
            Dialect::Optimised => ms.into(),
        }
    }

    /// An operation's error as the state's.
    pub fn failure(self, error: &ApiError, request_id: &str) -> Failure {
        let name = error.kind.name();
        let exception = match error.kind {
            ErrorKind::Service(_) if name.ends_with("Exception") => name.to_owned(),
            ErrorKind::Service(_) => format!("{name}Exception"),
            // Not in the service's model: the SDK has only its base class for it.
            ErrorKind::Protocol(_) if self == Dialect::Sdk => "SfnException".to_owned(),
            ErrorKind::Protocol(_) => "AWSStepFunctionsException".to_owned(),
        };
        let (message, status) = (&error.message, error.kind.http_status());
        match self {
            Dialect::Sdk => Failure::new(
                format!("Sfn.{exception}"),
                format!(
                    "{message} (Service: Sfn, Status Code: {status}, Request ID: {request_id}) (SDK Attempt Count: 1)"
                ),
            ),
            Dialect::Optimised => Failure::new(
                format!("StepFunctions.{exception}"),
                format!(
                    "{message} (Service: AWSStepFunctions; Status Code: {status}; Error Code: {name}; \
                     Request ID: {request_id}; Proxy: null)"
                ),
            ),
        }
    }
}

/// A state's parameters as the body of a request; or why they cannot be used.
pub fn request(parameters: &Document) -> Result<Vec<u8>, String> {
    let members = parameters.value().as_object().ok_or("The value must be an OBJECT")?;
    let mut body = Object::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let name = uncapitalised(name);
        let is_text = JSON_TEXT.contains(&name.as_str()) && value.as_str().is_none();
        let value = if is_text { value.to_json().into() } else { request_value(value) };
        body.insert(name, value);
    }
    Ok(Value::from(body).to_json().into_bytes())
}

fn request_value(value: &Value) -> Value {
    if let Some(items) = value.as_array() {
        return items.iter().map(request_value).collect::<Vec<Value>>().into();
    }
    let Some(members) = value.as_object() else { return value.clone() };
    let mut out = Object::with_capacity(members.len());
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        out.insert(uncapitalised(name), request_value(value));
    }
    out.into()
}

/// Parameters that are no request, in AWS's words.
pub fn refused(parameters: &Document, why: &str) -> Failure {
    let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]");
    Failure::start("States.Runtime", cause)
}

fn http_metadata(answer: &Answer) -> Value {
    let length = answer.body.len().to_string();
    let date = http_date(answer.now_ms);
    let headers = [
        ("connection", "keep-alive"),
        ("Content-Length", &length),
        ("Content-Type", "application/x-amz-json-1.0"),
        ("Date", &date),
        ("x-amzn-RequestId", &answer.request_id),
    ];
    let list = |text: &str| Value::from(vec![Value::from(text)]);
    object([
        ("AllHttpHeaders", object([4, 0, 1, 3, 2].map(|at| (headers[at].0, list(headers[at].1))))),
        ("HttpHeaders", object(headers.map(|(name, text)| (name, text.into())))),
        ("HttpStatusCode", 200_i64.into()),
    ])
}

/// As in HTTP's `Date`.
fn http_date(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let mut object = Object::with_capacity(N);
    for (name, value) in members {
        object.insert(name, value);
    }
    object.into()
}

/// Integrations show members by name.
fn sorted(mut members: Vec<(String, Value)>) -> Value {
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut object = Object::with_capacity(members.len());
    for (name, value) in members {
        object.insert(name, value);
    }
    object.into()
}

fn capitalised(name: &str) -> String {
    with_first(name, |first| first.to_ascii_uppercase())
}

fn uncapitalised(name: &str) -> String {
    with_first(name, |first| first.to_ascii_lowercase())
}

fn with_first(name: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = name.chars();
    letters.next().map(change).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ProtocolError;
    use crate::model::ErrorName;

    #[test]
    fn requests() {
        for (parameters, expected) in [
            (
                r#"{"StateMachineArn":"a","Input":{"K":[1]},"Name":null}"#,
                r#"{"stateMachineArn":"a","input":"{\"K\":[1]}"}"#,
            ),
            (r#"{"Input":"{}","Output":7}"#, r#"{"input":"{}","output":"7"}"#),
            (
                r#"{"Tags":[{"Key":"k","Value":"V"}],"MaxResults":1}"#,
                r#"{"tags":[{"key":"k","value":"V"}],"maxResults":1}"#,
            ),
        ] {
            let parameters = Document::parse(parameters).expect("JSON");
            assert_eq!(request(&parameters), Ok(expected.as_bytes().to_vec()), "{parameters}");
        }
        assert_eq!(
            request(&Document::parse("[]").expect("JSON")),
            Err("The value must be an OBJECT".to_owned())
        );
    }

    fn answer(body: &str) -> Answer {
        Answer { body: body.as_bytes().to_vec(), request_id: "id".into(), now_ms: 1_700_000_000_000 }
    }

    fn text(success: Success) -> String {
        success.output.text().to_owned()
    }

    #[test]
    fn results() {
        let body = r#"{"startDate":1700000000.123,"executionArn":"e","taskToken":null,"items":[{"name":"n"}],"variableReferences":{"s":["v"]}}"#;
        assert_eq!(
            Dialect::Sdk.result(answer(body)).map(text).as_deref(),
            Ok(
                r#"{"ExecutionArn":"e","Items":[{"Name":"n"}],"StartDate":"2023-11-14T22:13:20.123Z","VariableReferences":{"s":["v"]}}"#
            )
        );
        let body = r#"{"executionArn":"e","startDate":1700000000.0}"#;
        assert_eq!(
            Dialect::Optimised.result(answer(body)).map(text).as_deref(),
            Ok(concat!(
                r#"{"ExecutionArn":"e","SdkHttpMetadata":{"AllHttpHeaders":{"x-amzn-RequestId":["id"],"connection":["keep-alive"],"#,
                r#""Content-Length":["45"],"Date":["Tue, 14 Nov 2023 22:13:20 GMT"],"Content-Type":["application/x-amz-json-1.0"]},"#,
                r#""HttpHeaders":{"connection":"keep-alive","Content-Length":"45","Content-Type":"application/x-amz-json-1.0","#,
                r#""Date":"Tue, 14 Nov 2023 22:13:20 GMT","x-amzn-RequestId":"id"},"HttpStatusCode":200},"#,
                r#""SdkResponseMetadata":{"RequestId":"id"},"StartDate":1700000000000}"#,
            ))
        );
        assert_eq!(Dialect::Sdk.result(answer("{}")).map(text).as_deref(), Ok("{}"));
    }

    #[test]
    fn errors() {
        let taken = ApiError::service(ErrorName::ExecutionAlreadyExists, "Execution Already Exists: 'e'");
        let invalid = ApiError::validation("wrong");
        let overloaded = ApiError::protocol(ProtocolError::Throttling, "Rate exceeded");
        for (dialect, error, name, cause) in [
            (
                Dialect::Sdk,
                &taken,
                "Sfn.ExecutionAlreadyExistsException",
                "Execution Already Exists: 'e' (Service: Sfn, Status Code: 400, Request ID: id) (SDK Attempt Count: 1)",
            ),
            (
                Dialect::Optimised,
                &taken,
                "StepFunctions.ExecutionAlreadyExistsException",
                "Execution Already Exists: 'e' (Service: AWSStepFunctions; Status Code: 400; Error Code: \
                 ExecutionAlreadyExists; Request ID: id; Proxy: null)",
            ),
            (
                Dialect::Sdk,
                &invalid,
                "Sfn.ValidationException",
                "wrong (Service: Sfn, Status Code: 400, Request ID: id) (SDK Attempt Count: 1)",
            ),
            (
                Dialect::Sdk,
                &overloaded,
                "Sfn.SfnException",
                "Rate exceeded (Service: Sfn, Status Code: 400, Request ID: id) (SDK Attempt Count: 1)",
            ),
        ] {
            assert_eq!(dialect.failure(error, "id"), Failure::new(name, cause));
        }
    }
}
