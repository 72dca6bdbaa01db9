//! `GetExecutionHistory`

use crate::api::{Api, encode};
use crate::backend::HistoryRequest;
use crate::error::ApiError;
use crate::model::GetExecutionHistoryInput;
use crate::{arn, page_token, paging};

/// The response is written here: its events arrive as JSON text.
pub async fn run(api: &Api, input: GetExecutionHistoryInput) -> Result<Vec<u8>, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?;
    let reverse = input.reverse_order.unwrap_or(false);
    let question = ["GetExecutionHistory", execution_arn, if reverse { "newest" } else { "oldest" }];
    let from_event = match &input.next_token {
        Some(token) => {
            let cursor = page_token::decode(&question, token)?;
            Some(cursor.parse::<u32>().map_err(|_| ApiError::invalid_token())?)
        }
        None => None,
    };
    let page = api.backend.history(HistoryRequest {
        execution_arn: execution_arn.to_owned(),
        from_event,
        limit: paging::limit(input.max_results),
        reverse,
        include_data: input.include_execution_data.unwrap_or(true),
    });
    let page = page.await.map_err(|error| ApiError::from_execution(error, execution_arn))?;
    let events_bytes: usize = page.events.iter().map(|event| event.len() + 1).sum();
    let mut body = Vec::with_capacity(events_bytes + 128);
    body.extend_from_slice(b"{\"events\":[");
    for (index, event) in page.events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event.as_bytes());
    }
    body.push(b']');
    if let Some(next) = page.next_event {
        body.extend_from_slice(b",\"nextToken\":");
        body.extend_from_slice(&encode(&page_token::encode(&question, &next.to_string()))?);
    }
    body.push(b'}');
    Ok(body)
}
