//! One event as a record of the log. Source: Step Functions Developer Guide, "Using CloudWatch Logs to log execution
//! history" (levels, truncation), and records that AWS has written (members, and that all of them are texts).

use std::fmt::Write;

use stepwright_engine::{LogLevel, Logging};
use stepwright_machine::event::StateKind;
use stepwright_machine::{Event, EventBody, Execution, history};
use stepwright_value::write_string;

/// What inputs and outputs of a record may take, escaped: 248 KiB, so that a record fits into a log event.
const PAYLOAD_BYTES_MAX: usize = 248 << 10;

/// Whether an event is logged at the level.
pub(crate) fn is_logged(event: &Event, level: LogLevel) -> bool {
    event.id > 0
        && match level {
            LogLevel::All => true,
            LogLevel::Error => is_failure(&event.body) || is_fatal(&event.body),
            LogLevel::Fatal => is_fatal(&event.body),
        }
}

/// The execution has ended without success.
fn is_fatal(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::ExecutionFailed(_) | EventBody::ExecutionTimedOut(_) | EventBody::ExecutionAborted(_)
    )
}

/// Something within the execution has gone wrong.
fn is_failure(body: &EventBody) -> bool {
    match body {
        EventBody::StateEntered { kind, .. } => *kind == StateKind::Fail,
        EventBody::StateAborted { .. }
        | EventBody::EvaluationFailed(_)
        | EventBody::TaskFailed(_)
        | EventBody::TaskTimedOut(_)
        | EventBody::ParallelFailed
        | EventBody::MapFailed
        | EventBody::IterationFailed { .. }
        | EventBody::IterationAborted { .. }
        | EventBody::MapRunFailed(_)
        | EventBody::MapRunAborted => true,
        _ => false,
    }
}

/// The record: a JSON object in one line.
pub(crate) fn render(event: &Event, logging: &Logging, execution: &Execution) -> String {
    let mut out = String::with_capacity(512);
    // Writing to a string cannot fail.
    let _ = write!(out, "{{\"id\":\"{}\",\"type\":", event.id);
    write_string(&history::type_name(event).unwrap_or_default(), &mut out);
    out.push_str(",\"details\":");
    history::write_bounded_details(event, logging.include_data, PAYLOAD_BYTES_MAX, &mut out);
    let _ = write!(
        out,
        ",\"previous_event_id\":\"{}\",\"event_timestamp\":\"{}\",\"execution_arn\":",
        event.previous_id, event.timestamp_ms
    );
    write_string(&execution.identity().execution_arn, &mut out);
    let _ = write!(out, ",\"redrive_count\":\"{}\"}}", execution.redrive_count());
    out
}
