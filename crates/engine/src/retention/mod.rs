//! Giving back: executions that ended long enough ago are forgotten, and those of machines that are gone.
//!
//! - [`rules`] say how long executions of which machine are kept;
//! - `sweep` looks at all machines from time to time, and finds what is to go;
//! - `forget` lets executions go: in small units, an execution after the children of its map runs, so that what a crash leaves is
//!   found again by its row.
//!
//! Children of map runs go with the execution that has the Map state, never alone: a redrive, and the run itself after a crash,
//! need their rows.

mod forget;
pub mod rules;
mod sweep;

pub use rules::{Retention, RetentionDefinition, RetentionError, RuleDefinition};

/// Executions that are forgotten in one unit.
const BATCH: usize = 256;

/// A pause after each unit: whoever starts executions meanwhile shall not notice.
const PAUSE_MS: i64 = 25;
