//! How many bytes have gone one way of a connection, and when the last of them did.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// One way of a connection. Written by the connection, read by whoever judges it.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    bytes: AtomicU64,
    /// Milliseconds after `began`.
    moved_at_ms: AtomicU64,
    is_abandoned: AtomicBool,
}

impl Meter {
    pub fn new() -> Meter {
        Meter {
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            moved_at_ms: AtomicU64::new(0),
            is_abandoned: AtomicBool::new(false),
        }
    }

    pub fn add(&self, bytes: usize) {
        if bytes > 0 {
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            self.moved_at_ms.store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What still comes this way is not wanted: the connection ends after the answer.
    pub fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    pub fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    /// Whether nothing has moved for so long.
    pub fn is_still_since(&self, now: Instant, time: Duration) -> bool {
        let moved_at = self.began + Duration::from_millis(self.moved_at_ms.load(Ordering::Relaxed));
        now.saturating_duration_since(moved_at) >= time
    }
}
