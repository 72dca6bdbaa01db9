//! Pages of listings.

use crate::api::Api;
use crate::catalog::Record;
use crate::error::ApiError;
use crate::page_token;

/// Page size where the request names none, or 0 (service model, `PageSize`).
const PAGE_SIZE_DEFAULT: usize = 100;

/// The page size that a request asks for.
pub fn limit(max_results: Option<i32>) -> usize {
    match max_results.and_then(|results| usize::try_from(results).ok()) {
        None | Some(0) => PAGE_SIZE_DEFAULT,
        Some(results) => results,
    }
}

/// The token of the page that begins at `next`, if there is one.
pub async fn next_token(
    api: &Api,
    question: &[&str],
    next: Option<&str>,
) -> Result<Option<String>, ApiError> {
    match next {
        Some(cursor) => Ok(Some(page_token::encode(api, question, cursor).await?)),
        None => Ok(None),
    }
}

/// A page of catalogue records whose keys start with `prefix`, in key order, and the token of the next page.
pub async fn records<T: Record>(
    api: &Api,
    prefix: &str,
    max_results: Option<i32>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let limit = limit(max_results);
    let kind = format!("{:?}", T::KIND);
    let question = [kind.as_str(), prefix];
    let after = page_token::decode(api, &question, token).await?;
    let mut records: Vec<T> = api.catalog.list(prefix, after.as_deref(), limit + 1).await?;
    let more = records.len() > limit;
    records.truncate(limit);
    let last = records.last().filter(|_| more).map(Record::key);
    let next = next_token(api, &question, last.as_deref()).await?;
    Ok((records, next))
}
