//! `GetExecutionHistory`

use crate::api::{Api, encode};
use crate::backend::{HistoryPosition, HistoryRequest};
use crate::error::ApiError;
use crate::model::GetExecutionHistoryInput;
use crate::{arn, page_token, paging};

/// The response is written here: its events arrive as JSON text.
pub async fn run(api: &Api, input: GetExecutionHistoryInput) -> Result<Vec<u8>, ApiError> {
    let execution_arn = arn::execution(&input.execution_arn)?;
    let reverse = input.reverse_order.unwrap_or(false);
    let question = ["GetExecutionHistory", execution_arn, if reverse { "newest" } else { "oldest" }];
    let cursor = page_token::decode(api, &question, input.next_token.as_deref()).await?;
    let from = cursor.as_deref().map(|text| read_cursor(text).ok_or_else(ApiError::invalid_token));
    let page = api.backend.history(HistoryRequest {
        execution_arn: execution_arn.to_owned(),
        from: from.transpose()?,
        limit: paging::limit(input.max_results),
        reverse,
        include_data: input.include_execution_data.unwrap_or(true),
    });
    let page = page.await.map_err(|error| ApiError::from_execution(error, execution_arn))?;
    let events_bytes: usize = page.events.iter().map(|event| event.len() + 1).sum();
    let mut body = Vec::with_capacity(events_bytes + 128);
    body.extend_from_slice(b"{\"events\":[");
    for (index, event) in page.events.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event.as_bytes());
    }
    body.push(b']');
    if let Some(next) = page.next {
        let cursor = format!("{}/{}", next.event_id, next.section);
        body.extend_from_slice(b",\"nextToken\":");
        body.extend_from_slice(&encode(&page_token::encode(api, &question, &cursor).await?)?);
    }
    body.push(b'}');
    Ok(body)
}

fn read_cursor(text: &str) -> Option<HistoryPosition> {
    let (event_id, section) = text.split_once('/')?;
    Some(HistoryPosition { event_id: event_id.parse().ok()?, section: section.parse().ok()? })
}
