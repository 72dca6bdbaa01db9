//! What an invocation gives back, and how Step Functions tells it: the result of each resource form, and the errors.
//!
//! Function errors, service errors and a client that got no answer are three things on AWS, with three ways to name them.

use std::sync::Arc;

use bytes::Bytes;
use stepwright_value::{Document, Object, Value};

use crate::target::{Failure, Success};

/// Lambda's answer to an invocation, whether it came over the wire or from a local process.
#[derive(Clone, Debug)]
pub struct InvokeAnswer {
    /// 200, 202 (`Event`) or 204 (`DryRun`).
    pub status: u16,
    /// The function's answer, or its error. Mostly JSON text.
    pub payload: Bytes,
    /// Whether `payload` tells an error (`X-Amz-Function-Error`).
    pub is_function_error: bool,
    /// `X-Amz-Executed-Version`.
    pub executed_version: Option<String>,
    /// The end of the log in Base64 (`X-Amz-Log-Result`).
    pub log_result: Option<String>,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// All headers of the answer, spelled as AWS spells them.
    pub headers: Vec<(String, String)>,
}

/// An invocation that the function never answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// Lambda refused it.
    #[error("{message} ({code}, status {status})")]
    Service {
        /// HTTP status.
        status: u16,
        /// Such as `ResourceNotFoundException`.
        code: String,
        /// Lambda's words.
        message: String,
        /// Request id of the refusal.
        request_id: String,
    },
    /// No answer came.
    #[error("{message}")]
    Client {
        /// What the client says, as AWS's SDK words it.
        message: String,
    },
}

impl From<InvokeError> for Failure {
    fn from(error: InvokeError) -> Failure {
        match error {
            InvokeError::Service { status, code, message, request_id } => Failure::new(
                format!("Lambda.{}", exception(status, &code)),
                format!(
                    "{message} (Service: AWSLambda; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; \
                     Proxy: null)"
                ),
            ),
            InvokeError::Client { message } => Failure::new("Lambda.SdkClientException", message),
        }
    }
}

/// The exception of AWS's SDK for an error code. Codes of the model are exceptions by themselves.
fn exception(status: u16, code: &str) -> String {
    match (status, code) {
        (_, code) if code.ends_with("Exception") => code.to_owned(),
        (429, _) => "TooManyRequestsException".to_owned(),
        (500.., _) => "ServiceException".to_owned(),
        _ => "AWSLambdaException".to_owned(),
    }
}

/// The result of a state whose resource is the function's ARN: the answer as the function wrote it.
pub fn function_result(answer: InvokeAnswer) -> Result<Success, Failure> {
    let output = checked_payload(&answer, |text| text.to_owned())?;
    Ok(Success { output: output.unwrap_or_default() })
}

/// The result of `lambda:invoke`: the answer within what AWS's SDK tells about the call.
pub fn invoke_result(answer: InvokeAnswer) -> Result<Success, Failure> {
    // The optimised integration reads the payload and writes it anew, so a cause has no blanks between its members.
    let compact =
        |text: &str| stepwright_value::read(text).map_or_else(|_| text.to_owned(), |value| value.to_json());
    let payload = checked_payload(&answer, compact)?;
    let mut result = Object::new();
    let mut put = |name: &str, value: Value| _ = result.insert(name, value);
    if let Some(version) = &answer.executed_version {
        put("ExecutedVersion", version.as_str().into());
    }
    if let Some(log) = &answer.log_result {
        put("LogResult", log.as_str().into());
    }
    put("Payload", payload.map_or_else(|| "".into(), |payload| payload.value().clone()));
    put("SdkHttpMetadata", http_metadata(&answer));
    put("SdkResponseMetadata", members([("RequestId", answer.request_id.as_str().into())]));
    put("StatusCode", i64::from(answer.status).into());
    Ok(Success { output: Value::from(result).into() })
}

/// The payload of an answer, `None` if it is empty; the failure that it tells; or that it is not JSON.
/// `rewrite` makes the cause's text of an error's payload.
fn checked_payload(
    answer: &InvokeAnswer,
    rewrite: impl Fn(&str) -> String,
) -> Result<Option<Document>, Failure> {
    let text = std::str::from_utf8(&answer.payload);
    if answer.is_function_error {
        return Err(function_failure(&String::from_utf8_lossy(&answer.payload), rewrite));
    }
    let text = text.map_err(|_| not_json(""))?;
    if text.is_empty() {
        return Ok(None);
    }
    Document::parse(text).map(Some).map_err(|_| not_json(text))
}

fn function_failure(text: &str, rewrite: impl Fn(&str) -> String) -> Failure {
    let value = stepwright_value::read(text).ok();
    match value.as_ref().and_then(|value| value.get("errorType")).and_then(Value::as_str) {
        Some(error) if !error.is_empty() => Failure::new(error, rewrite(text)),
        _ => Failure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {text}"
            ),
        ),
    }
}

fn not_json(text: &str) -> Failure {
    const SHOWN_CHARS_MAX: usize = 1000;
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    Failure::new("Lambda.Unknown", format!("The function's answer is not JSON. Returned payload: {shown}"))
}

/// AWS's order of `AllHttpHeaders`: that of a Java hash map, the same in all recordings.
const HEADER_ORDER: [&str; 9] = [
    "X-Amz-Log-Result",
    "X-Amz-Executed-Version",
    "x-amzn-Remapped-Content-Length",
    "Connection",
    "x-amzn-RequestId",
    "Content-Length",
    "Date",
    "X-Amzn-Trace-Id",
    "Content-Type",
];

fn http_metadata(answer: &InvokeAnswer) -> Value {
    let shared = |(name, value): &(String, String)| (Arc::from(name.as_str()), Value::from(value.as_str()));
    let mut headers: Vec<(Arc<str>, Value)> = answer.headers.iter().map(shared).collect();
    headers.sort_by_key(|(name, _)| {
        HEADER_ORDER.iter().position(|known| *known == &**name).unwrap_or(HEADER_ORDER.len())
    });
    let all: Object =
        headers.iter().map(|(name, value)| (name.clone(), Value::from(vec![value.clone()]))).collect();
    headers.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
    members([
        ("AllHttpHeaders", all.into()),
        ("HttpHeaders", headers.into_iter().collect::<Object>().into()),
        ("HttpStatusCode", i64::from(answer.status).into()),
    ])
}

fn members<'n>(members: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
    members.into_iter().collect::<Object>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(payload: &str, is_function_error: bool) -> InvokeAnswer {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        InvokeAnswer {
            status: 200,
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            is_function_error,
            executed_version: Some("$LATEST".into()),
            log_result: None,
            request_id: "id".into(),
            headers: vec![
                header("Content-Type", "application/json"),
                header("X-Amz-Executed-Version", "$LATEST"),
                header("x-amzn-RequestId", "id"),
            ],
        }
    }

    #[test]
    fn results() {
        let payload = r#"{ "b": 1.0, "a": "x" }"#;
        let text = |result: Result<Success, Failure>| result.map(|success| success.output.text().to_owned());
        assert_eq!(text(function_result(answer(payload, false))), Ok(payload.into()));
        assert_eq!(text(function_result(answer("", false))), Ok("null".into()));
        let expected = concat!(
            r#"{"ExecutedVersion":"$LATEST","Payload":{"b":1.0,"a":"x"},"SdkHttpMetadata":{"AllHttpHeaders":"#,
            r#"{"X-Amz-Executed-Version":["$LATEST"],"x-amzn-RequestId":["id"],"Content-Type":["application/json"]},"#,
            r#""HttpHeaders":{"Content-Type":"application/json","X-Amz-Executed-Version":"$LATEST","#,
            r#""x-amzn-RequestId":"id"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"id"},"StatusCode":200}"#,
        );
        assert_eq!(text(invoke_result(answer(payload, false))), Ok(expected.into()));
    }

    #[test]
    fn function_errors() {
        let payload = r#"{"errorMessage": "m", "errorType": "E"}"#;
        let failure = Failure::new("E", payload);
        assert_eq!(function_result(answer(payload, true)), Err(failure));
        let failure = Failure::new("E", r#"{"errorMessage":"m","errorType":"E"}"#);
        assert_eq!(invoke_result(answer(payload, true)), Err(failure));
        let unknown = Failure::new(
            "Lambda.Unknown",
            "The cause could not be determined because Lambda did not return an error type. Returned payload: \
             {\"errorMessage\":\"m\"}",
        );
        assert_eq!(invoke_result(answer(r#"{"errorMessage":"m"}"#, true)), Err(unknown));
        let failure = function_result(answer("{", false)).expect_err("not JSON");
        assert_eq!(failure.error, "Lambda.Unknown");
    }

    #[test]
    fn service_errors() {
        let error = |status, code: &str| InvokeError::Service {
            status,
            code: code.into(),
            message: "M".into(),
            request_id: "id".into(),
        };
        let failure = Failure::from(error(404, "ResourceNotFoundException"));
        assert_eq!(failure.error, "Lambda.ResourceNotFoundException");
        assert_eq!(
            failure.cause.as_deref(),
            Some(
                "M (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: id; Proxy: null)"
            )
        );
        assert_eq!(
            Failure::from(error(429, "TooManyRequestsException")).error,
            "Lambda.TooManyRequestsException"
        );
        assert_eq!(Failure::from(error(429, "Throttled")).error, "Lambda.TooManyRequestsException");
        assert_eq!(Failure::from(error(503, "")).error, "Lambda.ServiceException");
        assert_eq!(Failure::from(error(403, "Forbidden")).error, "Lambda.AWSLambdaException");
    }
}
