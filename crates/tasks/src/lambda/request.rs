//! One invocation: what a Task state's effective input means for each of the two resource forms.

use bytes::Bytes;
use stepwright_value::{Document, Object};

use super::name::FunctionName;
use crate::functions::Caller;
use crate::target::Failure;

/// How the caller waits. Source: Lambda API Reference, Invoke, `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationType {
    /// Wait for the function's answer.
    RequestResponse,
    /// Queue the event and answer 202.
    Event,
    /// Check only and answer 204.
    DryRun,
}

impl InvocationType {
    /// As AWS writes it.
    pub fn text(self) -> &'static str {
        match self {
            InvocationType::RequestResponse => "RequestResponse",
            InvocationType::Event => "Event",
            InvocationType::DryRun => "DryRun",
        }
    }
}

/// One invocation of a function, wherever it runs.
#[derive(Clone, Debug)]
pub struct InvokeRequest {
    /// Which function.
    pub function: FunctionName,
    /// Version or alias; over that of the name.
    pub qualifier: Option<String>,
    /// The event: JSON text, or empty for none (the function then sees `{}`).
    pub payload: Bytes,
    /// How to wait.
    pub invocation_type: InvocationType,
    /// Whether the answer shall have the end of the log (`LogType: Tail`).
    pub log_tail: bool,
    /// Base64, as `X-Amz-Client-Context` has it.
    pub client_context: Option<String>,
    /// Region of the caller.
    pub region: String,
    /// Account of the caller.
    pub account_id: String,
    /// The execution and the state that call, for the function's log.
    pub caller: Option<Caller>,
}

impl InvokeRequest {
    /// For a function's ARN: the effective input is the event.
    pub fn from_arn(
        arn: &str,
        input: &Document,
        region: String,
        account_id: String,
    ) -> Result<InvokeRequest, Failure> {
        let function = FunctionName::parse(arn).ok_or_else(|| {
            Failure::start("States.Runtime", format!("The provided ARN '{arn}' is invalid."))
        })?;
        Ok(InvokeRequest {
            qualifier: None,
            function,
            payload: Bytes::copy_from_slice(input.text().as_bytes()),
            invocation_type: InvocationType::RequestResponse,
            log_tail: false,
            client_context: None,
            region,
            account_id,
            caller: None,
        })
    }

    /// For `lambda:invoke`: the effective input has the parameters of the API action.
    pub fn from_parameters(
        parameters: &Document,
        region: String,
        account_id: String,
    ) -> Result<InvokeRequest, Failure> {
        let refuse = |why: String| {
            let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]");
            Failure::start("States.Runtime", cause)
        };
        let members = parameters.value().as_object();
        let members = members.ok_or_else(|| refuse("The value must be an OBJECT".to_owned()))?;
        let text = |name: &str| text_member(members, name).map_err(refuse);
        let name = text("FunctionName")?
            .ok_or_else(|| refuse("The field 'FunctionName' is required but was missing".to_owned()))?;
        let function = FunctionName::parse(&name).ok_or_else(|| {
            refuse(format!("The value '{name}' of the field 'FunctionName' is not a function's name"))
        })?;
        let invocation_type = match text("InvocationType")?.as_deref() {
            None | Some("RequestResponse") => InvocationType::RequestResponse,
            Some("Event") => InvocationType::Event,
            Some("DryRun") => InvocationType::DryRun,
            Some(other) => {
                return Err(refuse(format!("'{other}' is not a value of the field 'InvocationType'")));
            }
        };
        let log_tail = match text("LogType")?.as_deref() {
            None | Some("None") => false,
            Some("Tail") => true,
            Some(other) => return Err(refuse(format!("'{other}' is not a value of the field 'LogType'"))),
        };
        // A null payload is no payload: AWS calls the function with an empty body, and its event is {}. A string is the
        // body itself, as in AWS's SDK; everything else is written as JSON.
        let payload = match members.get("Payload").filter(|value| !value.is_null()) {
            Some(value) => value.as_str().map_or_else(|| value.to_json(), str::to_owned),
            None => String::new(),
        };
        Ok(InvokeRequest {
            function,
            qualifier: text("Qualifier")?,
            payload: Bytes::from(payload),
            invocation_type,
            log_tail,
            client_context: text("ClientContext")?,
            region,
            account_id,
            caller: None,
        })
    }

    /// The function's ARN with the qualifier that was asked for, `$LATEST` if none was.
    pub fn qualified_arn(&self) -> String {
        format!("{}:{}", self.function.arn(&self.region, &self.account_id), self.version())
    }

    /// The qualifier that was asked for, `$LATEST` if none was.
    pub fn version(&self) -> &str {
        let qualifier = self.qualifier.as_deref().or(self.function.qualifier.as_deref());
        qualifier.unwrap_or(super::name::LATEST)
    }
}

fn text_member(members: &Object, name: &str) -> Result<Option<String>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(format!("The value for the field '{name}' must be a STRING")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parameters: &str) -> Result<InvokeRequest, Failure> {
        InvokeRequest::from_parameters(&Document::parse(parameters).expect("JSON"), "r".into(), "a".into())
    }

    #[test]
    fn parameters() {
        let request = parse(
            r#"{"FunctionName":"f:1","Payload":{ "b":1.0,"a":[]},"InvocationType":"Event","LogType":"Tail","Qualifier":"P"}"#,
        )
        .expect("good parameters");
        assert_eq!(request.payload, r#"{"b":1.0,"a":[]}"#);
        assert_eq!((request.invocation_type, request.log_tail), (InvocationType::Event, true));
        assert_eq!(request.qualified_arn(), "arn:aws:lambda:r:a:function:f:P");
        let request = parse(r#"{"FunctionName":"f","Payload":null}"#).expect("good parameters");
        assert_eq!(request.payload, "");
        for (payload, body) in [(r#""0""#, "0"), ("0", "0"), (r#""{\"a\": 1}""#, r#"{"a": 1}"#)] {
            let parameters = format!(r#"{{"FunctionName":"f","Payload":{payload}}}"#);
            assert_eq!(parse(&parameters).expect("good parameters").payload, body, "{payload}");
        }
        assert_eq!(request.qualified_arn(), "arn:aws:lambda:r:a:function:f:$LATEST");
    }

    #[test]
    fn refused() {
        for (parameters, why) in [
            ("{}", "The field 'FunctionName' is required but was missing"),
            (r#"{"FunctionName":1}"#, "The value for the field 'FunctionName' must be a STRING"),
            (r#"{"FunctionName":"f","LogType":"x"}"#, "'x' is not a value of the field 'LogType'"),
            ("[]", "The value must be an OBJECT"),
        ] {
            let failure = parse(parameters).expect_err("bad parameters");
            let cause = format!("The Parameters '{parameters}' could not be used to start the Task: [{why}]");
            assert_eq!((failure.error.as_str(), failure.cause), ("States.Runtime", Some(cause)));
        }
    }
}
