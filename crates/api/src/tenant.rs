//! The API as a tenant of the server: which operation a request names, what memory its answer takes, how errors look.

use bytes::Bytes;
use hyper::http::request::Parts;
use stepwright_server::{Answer, Answering, AwsError, Call, Place, SMALL_BYTES, Share, Tenant};
use stepwright_sigv4::SERVICE_STATES;

use crate::api::Api;
use crate::audit::{changes_something, named};
use crate::error::{ApiError, ProtocolError};
use crate::model::{Operation, TARGET_PREFIX};

/// Memory for the making of a page of a history: the part that is read, what it becomes, the answer.
const HISTORY_BYTES: usize = 32 << 20;
/// What metrics and log call an operation that there is not.
const UNKNOWN: stepwright_server::Operation =
    stepwright_server::Operation { name: "unknown", changes: false };

impl Tenant for Api {
    fn place(&self) -> Place {
        Place::Target { prefix: TARGET_PREFIX, signing_name: SERVICE_STATES }
    }

    fn operation(&self, head: &Parts) -> Option<stepwright_server::Operation> {
        let known = |operation: Operation| stepwright_server::Operation {
            name: operation.name(),
            changes: changes_something(operation),
        };
        Some(operation(head).map_or(UNKNOWN, known))
    }

    fn answer<'a>(&'a self, mut call: Call<'a>) -> Answering<'a> {
        Box::pin(async move {
            // Nobody keeps the body while the operation waits for something.
            let body = std::mem::take(&mut call.body);
            let sent = if call.is_audited { named(&body) } else { None };
            match perform(self, &call, body).await {
                Ok((json, share)) => {
                    let made = if call.is_audited { named(&json) } else { None };
                    Answer::aws_json(json, call.request_id).with(share).about(made.or(sent))
                }
                Err(error) => Answer::aws_error(&wire(&error), call.request_id).about(sent),
            }
        })
    }

    fn stop(&self) {
        self.stop_polls();
    }
}

/// An answer, with its memory where it takes some.
type Performed = (Vec<u8>, Option<Share>);

async fn perform(api: &Api, call: &Call<'_>, body: Bytes) -> Result<Performed, ApiError> {
    let operation =
        operation(call.head).ok_or_else(|| ApiError::protocol(ProtocolError::UnknownOperation, ""))?;
    let api = &api.of(call.account(api.account()));
    match operation {
        operation if !api.admits(operation) => Err(ApiError::overloaded()),
        Operation::GetActivityTask => {
            let poll = call.begin_poll();
            let answer = tokio::select! {
                biased;
                answer = api.call(Operation::GetActivityTask, body) => answer?,
                // As when there was nothing to do for the time of a poll.
                () = poll.ended() => b"{}".to_vec(),
            };
            Ok((answer, None))
        }
        Operation::GetExecutionHistory => {
            let share = call.reserve(HISTORY_BYTES).await?;
            Ok((api.call(Operation::GetExecutionHistory, body).await?, Some(share)))
        }
        operation if changes_something(operation) => Ok((api.call(operation, body).await?, None)),
        operation => {
            let answer = api.call(operation, body.clone()).await?;
            if answer.len() <= SMALL_BYTES {
                return Ok((answer, None));
            }
            if let Some(share) = call.take(answer.len()) {
                return Ok((answer, Some(share)));
            }
            // Nothing is held while it waits for memory: it is made once more.
            let bytes = answer.len();
            drop(answer);
            let share = call.reserve(bytes).await?;
            Ok((api.call(operation, body).await?, Some(share)))
        }
    }
}

fn operation(head: &Parts) -> Option<Operation> {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok())?;
    target.strip_prefix(TARGET_PREFIX).and_then(Operation::from_name)
}

fn wire(error: &ApiError) -> AwsError<'_> {
    AwsError {
        http_status: error.kind.http_status(),
        namespace: error.kind.namespace(),
        name: error.kind.name(),
        message: &error.message,
        detail: error.detail.as_ref().map(|(name, value)| (*name, value.as_str())),
    }
}
