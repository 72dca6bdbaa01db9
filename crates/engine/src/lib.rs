//! The driver: takes executions through the interpreter, and makes durable what comes out before anybody hears of it.
//!
//! - An execution is driven by [`Engine::deliver`]: load it if it is not in memory, [`step`](stepwright_machine::Execution::step)
//!   it as far as it goes, commit its events as one segment together with its wake-ups, and only then perform its effects.
//! - Executions of all callers join the store's next group commit.
//! - EXPRESS executions take the same way, without the store.
//! - An execution that only waits (for a timer, a callback, a worker) is dropped from memory and rebuilt when something
//!   arrives: from its newest snapshot and the events after it.
//!
//! Invariant: this crate knows nothing of HTTP or SQL. Nothing leaves it before its cause is durable.

mod activities;
mod clock;
mod compute;
mod deliver;
mod dispatch;
mod endings;
mod engine;
mod entropy;
mod error;
mod express;
mod glob;
mod history_log;
mod hot;
mod jobs;
pub mod limits;
mod load;
mod map_runs;
mod observer;
mod programs;
mod queries;
mod recent;
mod record;
mod recovery;
mod redrive;
pub mod retention;
mod run_queue;
mod start;
mod steps;
mod tasks;
pub mod terms;
mod timer_set;
mod timers;
mod windows;

pub use clock::{Clock, SystemClock};
pub use engine::{Engine, EngineOptions};
pub use entropy::Entropy;
pub use error::{CallbackError, DeliverError, LoadError, StartError};
pub use express::{EXPRESS_BYTES_MAX, ExpressStarted};
pub use history_log::{HistoryLog, LogLevel, Logging};
pub use load::SNAPSHOT_AFTER;
pub use map_runs::{
    Counts, MapRunDescription, MapRunUpdate, RunKey, RunLimits, RunRecord, Span, UpdateMapRunError, span_of,
};
pub use observer::{MapRunProgress, Observer};
pub use programs::{Definitions, MachineFacts};
pub use queries::{Described, History, Section, Sections};
pub use recent::{KeptHistory, RecentExpress};
pub use record::{Head, Processor, Tail};
pub use recovery::Standby;
pub use redrive::{NotRedrivable, RedriveError};
pub use start::{Revision, StartExecution, Started, StartedBy};
pub use tasks::ActivityTask;
