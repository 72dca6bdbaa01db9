//! Time, as the engine sees it. The engine never asks the operating system for the time itself, so that tests and the
//! simulator can drive it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stepwright_store::Pending;

/// A wall clock that can wake its caller.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970. Never goes back.
    fn now_ms(&self) -> i64;

    /// Resolves once [`Clock::now_ms`] has reached `due_ms`.
    fn sleep_until(&self, due_ms: i64) -> Pending<'static, ()>;
}

/// The operating system's clock.
#[derive(Default)]
pub struct SystemClock {
    latest_ms: AtomicI64,
}

/// A sleep is cut into parts of this length, so that a clock that is set forward is noticed.
const SLEEP_PART_MS: i64 = 60_000;

fn system_now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let now_ms = system_now_ms();
        self.latest_ms.fetch_max(now_ms, Ordering::Relaxed).max(now_ms)
    }

    fn sleep_until(&self, due_ms: i64) -> Pending<'static, ()> {
        Box::pin(async move {
            loop {
                let left_ms = due_ms.saturating_sub(system_now_ms());
                if left_ms <= 0 {
                    return;
                }
                let part_ms = left_ms.min(SLEEP_PART_MS);
                tokio::time::sleep(Duration::from_millis(part_ms.unsigned_abs())).await;
            }
        })
    }
}
