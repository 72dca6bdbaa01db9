//! Limits that executions share: so many tasks (or executions) at a time, so many starts in a while, each for all together or
//! for each value of a key. AWS has nothing like it; definitions do not change.
//!
//! - [`definition`] is what is configured, and what it is compiled to; `glob` and `key` say whom it concerns;
//! - `queue` is the order in which those who wait have their turn, `rate` the starts of the last window;
//! - `limiter` knows who holds and who waits, and decides who is next: no clock, no storage, no executions;
//! - `place` is what is durable of somebody who holds or waits: a permit of the store;
//! - `course` is the way of a task past all this: held back when it is scheduled, let go when it is its turn, its place given
//!   up when it ends;
//! - `settings` are the limits that apply, from the configuration file and from those who set them at run time; `report` shows
//!   them.
//!
//! What is durable decides: a place is written in the commit that schedules the task, marked in the commit that starts it, and
//! removed in the commit that ends it. What is in memory is rebuilt from that.
//!
//! Left out: a task that was scheduled before a limit was set is not counted by it.

mod course;
pub mod definition;
mod key;
mod limiter;
mod place;
mod queue;
mod rate;
mod report;
mod settings;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use definition::{Limit, LimitDefinition, LimitError, Rate};
pub use report::{LaneReport, LimitReport, Origin, Visitor};
pub use settings::SetLimitError;

pub(crate) use course::{CallUnderWay, Held};
use limiter::Limiter;
use settings::Settings;

/// The limits of an engine, and everybody at them.
#[derive(Default)]
pub(crate) struct Limits {
    /// Whether there is any limit, or anybody holds or waits: else nothing has to be asked.
    is_active: AtomicBool,
    limiter: Mutex<Limiter>,
    /// How many have come so far, those before this process included.
    arrivals: AtomicU64,
    /// The limits that apply, in order; replaced as a whole.
    current: Mutex<Arc<[Arc<Limit>]>>,
    settings: tokio::sync::Mutex<Settings>,
    /// The next time to look at the windows may have changed.
    nudge: Notify,
}

impl Limits {
    /// Costs one load where there are no limits.
    pub fn is_active(&self) -> bool {
        self.is_active.load(Ordering::Acquire)
    }

    /// The number of somebody who comes.
    fn arrive(&self) -> u64 {
        self.arrivals.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Somebody has had this number.
    fn arrived(&self, arrival: u64) {
        self.arrivals.fetch_max(arrival, Ordering::Relaxed);
    }

    fn current(&self) -> Arc<[Arc<Limit>]> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the limiter, after which it may have become idle or busy.
    fn change<R>(&self, change: impl FnOnce(&mut Limiter) -> R) -> R {
        let mut limiter = self.lock();
        let result = change(&mut limiter);
        self.is_active.store(!limiter.is_idle(), Ordering::Release);
        result
    }
}
