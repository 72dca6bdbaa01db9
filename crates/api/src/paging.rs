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
    let after = token.map(|token| page_token::decode(&question, token)).transpose()?;
    let mut records: Vec<T> = api.catalog.list(prefix, after.as_deref(), limit + 1).await?;
    let next = (records.len() > limit).then(|| {
        records.truncate(limit);
        records.last().map(|last| page_token::encode(&question, &last.key()))
    });
    Ok((records, next.flatten()))
}
