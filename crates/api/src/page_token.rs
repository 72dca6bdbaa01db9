//! Page tokens: opaque to clients, and refused where they were not given out for the same question.
//!
//! A token holds where the next page begins and a checksum over it and the question (operation and everything that
//! selects or orders the results). It proves no origin: whoever forges one reaches only what the question shows anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;

const CHECKSUM_BYTES: usize = 12;

/// The token for a page that begins at `cursor`, for the question `question`.
pub fn encode(question: &[&str], cursor: &str) -> String {
    let mut bytes = checksum(question, cursor).to_vec();
    bytes.extend_from_slice(cursor.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The cursor within a token that [`encode`] made for the same question.
pub fn decode(question: &[&str], token: &str) -> Result<String, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| ApiError::invalid_token())?;
    let (sum, cursor) = bytes.split_at_checked(CHECKSUM_BYTES).ok_or_else(ApiError::invalid_token)?;
    let cursor = std::str::from_utf8(cursor).map_err(|_| ApiError::invalid_token())?;
    if sum == checksum(question, cursor) { Ok(cursor.to_owned()) } else { Err(ApiError::invalid_token()) }
}

fn checksum(question: &[&str], cursor: &str) -> [u8; CHECKSUM_BYTES] {
    let mut hash = Sha256::new();
    for part in question.iter().chain([&cursor]) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let full = hash.finalize();
    std::array::from_fn(|index| full[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_for_the_same_question() {
        let token = encode(&["ListExecutions", "arn"], "1700:12");
        assert_eq!(decode(&["ListExecutions", "arn"], &token).unwrap(), "1700:12");
        assert!(decode(&["ListExecutions", "other"], &token).is_err());
        assert!(decode(&["ListExecutionsa", "rn"], &token).is_err());
        for bad in ["", "x", "not base64!", "AAAAAAAAAAAAAAAAAAAAAAAA", &token[1..]] {
            assert_eq!(decode(&["ListExecutions", "arn"], bad), Err(ApiError::invalid_token()), "{bad}");
        }
    }
}
