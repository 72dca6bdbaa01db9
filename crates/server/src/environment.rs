//! Time and chance, as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

/// The clock and the source of randomness. Tests bring their own.
pub trait Environment: Send + Sync + 'static {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Fresh random bits.
    fn random(&self) -> u128;

    /// A fresh UUID (version 4).
    fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.random().to_be_bytes()).into_uuid().to_string()
    }
}

/// The machine's clock, and random bits that cannot be guessed: from a generator that the operating system seeds, for a system
/// call with each request would be a part of its cost.
pub struct System;

impl Environment for System {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn random(&self) -> u128 {
        rand::random()
    }
}
