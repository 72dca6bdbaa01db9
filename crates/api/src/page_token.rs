//! Page tokens: opaque to clients, and refused where they were not given out for the same question, were changed, or are
//! older than a day.
//!
//! A token holds when it was made, where the next page begins, and a code over both and the question (operation and
//! everything that selects or orders the results), made with a key that the catalogue keeps: tokens outlive a restart and hold on
//! every node. Where the next page begins is the key of a row, not its place, so that pages stay right while rows come
//! and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use stepwright_store::{CatalogKind, Expect};

use crate::api::Api;
use crate::catalog::{CatalogStore, CatalogWrite, WriteError};
use crate::error::ApiError;
use stepwright_server::Environment;

/// How long a token can be used (API reference, for instance of ListExecutions: "expires after 24 hours").
const LIFETIME_S: i64 = 24 * 60 * 60;
const CODE_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
/// A block of the hash: no shorter key is better, no longer one stronger.
const KEY_BYTES: usize = 64;
/// The key's place in the catalogue.
const KEY_NAME: &str = "page tokens";

/// What makes tokens and checks them.
pub struct PageTokens {
    key: [u8; KEY_BYTES],
}

impl PageTokens {
    /// With the catalogue's key, which is made when it is first needed.
    pub async fn load(
        store: &dyn CatalogStore,
        environment: &dyn Environment,
    ) -> Result<PageTokens, ApiError> {
        if let Some(record) = store.get(CatalogKind::Key, KEY_NAME).await? {
            let key = record.data.try_into();
            let key = key.map_err(|_| ApiError::internal("the key of page tokens is damaged"))?;
            return Ok(PageTokens { key });
        }
        let mut key = [0; KEY_BYTES];
        let random: [[u8; 16]; 4] = std::array::from_fn(|_| environment.random().to_be_bytes());
        key.copy_from_slice(random.as_flattened());
        let write = CatalogWrite {
            kind: CatalogKind::Key,
            key: KEY_NAME.to_owned(),
            data: Some(key.to_vec()),
            expect: Expect::Absent,
        };
        match store.write(vec![write]).await {
            Ok(()) => Ok(PageTokens { key }),
            // Another node was faster.
            Err(WriteError::Conflict) => Box::pin(PageTokens::load(store, environment)).await,
            Err(error) => Err(error.into()),
        }
    }

    fn encode(&self, question: &[&str], cursor: &str, now_ms: i64) -> String {
        let made_s = now_ms.div_euclid(1_000).to_be_bytes();
        let mut bytes = self.code(question, made_s, cursor).to_vec();
        bytes.extend_from_slice(&made_s);
        bytes.extend_from_slice(cursor.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor, when the token is good.
    fn decode(&self, question: &[&str], token: &str, now_ms: i64) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (code, rest) = bytes.split_first_chunk::<CODE_BYTES>()?;
        let (made_s, cursor) = rest.split_first_chunk::<TIME_BYTES>()?;
        let cursor = std::str::from_utf8(cursor).ok()?;
        let is_ours = self.mac(question, *made_s, cursor).verify_truncated_left(code).is_ok();
        let age_s = now_ms.div_euclid(1_000).saturating_sub(i64::from_be_bytes(*made_s));
        (is_ours && age_s <= LIFETIME_S).then(|| cursor.to_owned())
    }

    fn code(&self, question: &[&str], made_s: [u8; TIME_BYTES], cursor: &str) -> [u8; CODE_BYTES] {
        let full = self.mac(question, made_s, cursor).finalize().into_bytes();
        std::array::from_fn(|index| full[index])
    }

    fn mac(&self, question: &[&str], made_s: [u8; TIME_BYTES], cursor: &str) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256>>::new(&self.key.into());
        mac.update(&made_s);
        for part in question.iter().chain([&cursor]) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// The token for a page that begins at `cursor`, for the question `question`.
pub async fn encode(api: &Api, question: &[&str], cursor: &str) -> Result<String, ApiError> {
    Ok(api.page_tokens().await?.encode(question, cursor, api.environment.now_ms()))
}

/// The cursor within a token that [`encode`] made for the same question; `None` without a token.
pub async fn decode(api: &Api, question: &[&str], token: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(token) = token else { return Ok(None) };
    let tokens = api.page_tokens().await?;
    let cursor = tokens.decode(question, token, api.environment.now_ms());
    cursor.map(Some).ok_or_else(ApiError::invalid_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_for_the_same_question_and_for_a_day() {
        let tokens = PageTokens { key: [7; KEY_BYTES] };
        let question = ["ListExecutions", "arn"];
        let token = tokens.encode(&question, "1700:12", 5_000);
        let day_ms = LIFETIME_S * 1_000;
        for now_ms in [0, 5_000, 5_000 + day_ms] {
            assert_eq!(tokens.decode(&question, &token, now_ms).as_deref(), Some("1700:12"), "{now_ms}");
        }
        assert_eq!(tokens.decode(&question, &token, 6_000 + day_ms), None);
        assert_eq!(tokens.decode(&["ListExecutions", "other"], &token, 5_000), None);
        assert_eq!(tokens.decode(&["ListExecutionsa", "rn"], &token, 5_000), None);
        assert_eq!(PageTokens { key: [8; KEY_BYTES] }.decode(&question, &token, 5_000), None);
        for bad in [
            "",
            "x",
            "not base64!",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &token[1..],
            &format!("{token}AAAA"),
        ] {
            assert_eq!(tokens.decode(&question, bad, 5_000), None, "{bad}");
        }
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(tokens.decode(&question, &changed, 5_000), None, "{place}");
        }
    }
}
