//! A clock on tokio's virtual time.

use std::time::Duration;

use stepwright_engine::Clock;
use stepwright_store::Pending;
use tokio::time::Instant;

/// Counts from `origin_ms` on, as fast as the tests go: in a runtime whose time is paused, time jumps to the next thing that is
/// due whenever everything waits.
pub struct SimulatedClock {
    origin_ms: i64,
    start: Instant,
}

impl SimulatedClock {
    /// To be made inside the runtime. A later life of the same world goes on from an origin that is later than what the
    /// earlier one has seen.
    pub fn new(origin_ms: i64) -> SimulatedClock {
        SimulatedClock { origin_ms, start: Instant::now() }
    }
}

impl Clock for SimulatedClock {
    fn now_ms(&self) -> i64 {
        let passed_ms = self.start.elapsed().as_millis();
        self.origin_ms.saturating_add(i64::try_from(passed_ms).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, due_ms: i64) -> Pending<'static, ()> {
        let left_ms = due_ms.saturating_sub(self.now_ms()).max(0);
        Box::pin(tokio::time::sleep(Duration::from_millis(left_ms.unsigned_abs())))
    }
}
