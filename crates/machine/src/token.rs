//! Task tokens: minted here, so that interpreter and engine agree on their form; kept nowhere but as a hash.
//!
//! A token is `locator ␟ task ␟ 24 random bytes`, in URL-safe base64 without padding. Whoever holds one can answer the task;
//! the locator only finds the execution, the random bytes are what authorises.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::event::TaskId;

const RANDOM_BYTES: usize = 24;
/// AWS's limit of a task token's text.
const TEXT_BYTES_MAX: usize = 2048;

/// A token's parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskToken {
    /// [`crate::Identity::locator`] of the execution.
    pub locator: String,
    pub task: TaskId,
    random: [u8; RANDOM_BYTES],
}

impl TaskToken {
    /// A fresh token; `entropy` yields random numbers.
    pub fn mint(locator: &str, task: TaskId, entropy: &mut dyn FnMut() -> u64) -> TaskToken {
        let mut random = [0; RANDOM_BYTES];
        for chunk in random.chunks_mut(8) {
            chunk.copy_from_slice(&entropy().to_le_bytes());
        }
        TaskToken { locator: locator.to_owned(), task, random }
    }

    /// The text that workers and targets see.
    pub fn text(&self) -> String {
        let mut bytes = Vec::with_capacity(self.locator.len() + 4 + RANDOM_BYTES);
        bytes.extend_from_slice(&self.random);
        bytes.extend_from_slice(&self.task.0.to_be_bytes());
        bytes.extend_from_slice(self.locator.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Takes a token's text apart; `None` when it is none of ours.
    pub fn parse(text: &str) -> Option<TaskToken> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (random, rest) = bytes.split_first_chunk::<RANDOM_BYTES>()?;
        let (task, locator) = rest.split_first_chunk::<4>()?;
        let locator = std::str::from_utf8(locator).ok()?.to_owned();
        Some(TaskToken { locator, task: TaskId(u32::from_be_bytes(*task)), random: *random })
    }
}

/// The SHA-256 of a token's text: what is kept of it.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let mut seed = 7;
        let token = TaskToken::mint("shard-3/exec-9", TaskId(5), &mut || {
            seed += 1;
            seed
        });
        let text = token.text();
        assert_eq!(TaskToken::parse(&text), Some(token));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        for text in ["", "x", "not a token", &text[..20]] {
            assert_eq!(TaskToken::parse(text), None, "{text}");
        }
    }
}
