//! AWS's limits, in one place. Source: Step Functions Developer Guide, "Quotas", and the public service model, unless
//! another is named.

/// A payload: input, output, task result. UTF-8 bytes.
pub const PAYLOAD_BYTES_MAX: usize = 262_144;
/// A state machine definition. UTF-8 bytes.
pub const DEFINITION_BYTES_MAX: usize = 1_048_576;
/// Events in one execution's history; the last of them is then the failure.
pub const HISTORY_EVENTS_MAX: u32 = 25_000;
/// Default and greatest `TimeoutSeconds` of a Task state (Amazon States Language).
pub const TASK_TIMEOUT_S_MAX: i64 = 99_999_999;
/// Iterations of an inline Map at a time when `MaxConcurrency` is 0 or absent.
pub const INLINE_MAP_CONCURRENCY: u32 = 40;
/// Nested Map states and Parallel states within each other; AWS answers `TOO_DEEPLY_NESTED` beyond its own figure.
pub const NESTING_MAX: usize = 64;
/// One variable, and all variables that one `Assign` sets. Bytes of JSON.
pub const VARIABLE_BYTES_MAX: usize = 262_144;
/// All variables of an execution. Bytes of JSON.
pub const VARIABLES_BYTES_MAX: usize = 10 * 1024 * 1024;
/// A state's name. Characters.
pub const STATE_NAME_CHARS_MAX: usize = 80;
/// A variable's name. Characters.
pub const VARIABLE_NAME_CHARS_MAX: usize = 80;
/// A retrier's `MaxDelaySeconds` must be below this (Amazon States Language, "Retrying after error").
pub const RETRY_MAX_DELAY_S_MAX: i64 = 31_622_400;
/// A retrier's `MaxAttempts` and `IntervalSeconds`.
pub const RETRY_MAX_ATTEMPTS_MAX: i64 = 99_999_999;
/// Children of a distributed Map at a time.
pub const DISTRIBUTED_MAP_CONCURRENCY_MAX: u32 = 10_000;
/// `Label` of a distributed Map. Characters.
pub const MAP_LABEL_CHARS_MAX: usize = 40;
/// `error` of a failure. Characters.
pub const ERROR_CHARS_MAX: usize = 256;
/// `cause` of a failure. Characters.
pub const CAUSE_CHARS_MAX: usize = 32_768;
/// An EXPRESS execution's duration. Milliseconds.
pub const EXPRESS_DURATION_MS_MAX: i64 = 5 * 60 * 1000;
/// A STANDARD execution's duration: one year. Milliseconds.
pub const STANDARD_DURATION_MS_MAX: i64 = 366 * 24 * 60 * 60 * 1000;
/// How long after its end an execution can be redriven: 14 days. Milliseconds.
pub const REDRIVABLE_MS_MAX: i64 = 14 * 24 * 60 * 60 * 1000;
