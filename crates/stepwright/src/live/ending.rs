//! The last words about an execution: how it ended, and if badly, why and where.

use stepwright_machine::{Failure, Status};
use stepwright_value::Value;

use super::duration;
use super::picture::{Ended, Picture};
use crate::row::{Row, Theme, Tone};

/// Lines of a cause that are shown.
const CAUSE_LINES_MAX: usize = 40;

/// As `DescribeExecution` names it.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::New | Status::Running => "RUNNING",
        Status::Succeeded => "SUCCEEDED",
        Status::Failed => "FAILED",
        Status::TimedOut => "TIMED_OUT",
        Status::Aborted => "ABORTED",
    }
}

/// One row for a success; a block with error, cause and place otherwise. `source` is the definition's file, and `line` where
/// the state stands in it.
pub fn rows(picture: &Picture, ended: &Ended, theme: Theme) -> Vec<Row> {
    let took = duration::short(ended.at_ms.saturating_sub(picture.start_ms));
    let events = picture.events;
    let (tone, icon) = match (ended.status, theme.unicode) {
        (Status::Succeeded, true) => (Tone::Good, "✔ "),
        (Status::Aborted, true) => (Tone::Notice, "■ "),
        (_, true) => (Tone::Bad, "✘ "),
        (_, false) => (Tone::Plain, ""),
    };
    let mut head = Row::new().with(tone, icon).with(tone, status_name(ended.status));
    head.push(Tone::Plain, &format!(" after {took}"));
    head.push(Tone::Dim, &format!(", {events} events"));
    let mut rows = vec![head];
    if ended.status == Status::Succeeded {
        return rows;
    }
    if let Some(origin) = &ended.origin {
        rows.push(field("state", Tone::Strong, &origin.place));
        rows.push(field("", Tone::Dim, &origin.pointer));
    }
    if let Some(failure) = &ended.failure {
        failure_rows(failure, &mut rows);
    }
    rows
}

fn failure_rows(failure: &Failure, rows: &mut Vec<Row>) {
    if let Some(error) = &failure.error {
        rows.push(field("error", Tone::Bad, error));
    }
    let cause = failure.cause.as_deref().map(readable).unwrap_or_default();
    let mut lines = cause.lines().filter(|line| !line.trim().is_empty());
    let mut name = "cause";
    for line in lines.by_ref().take(CAUSE_LINES_MAX) {
        rows.push(field(name, Tone::Plain, &line.replace('\t', "    ")));
        name = "";
    }
    let left_out = lines.count();
    if left_out > 0 {
        rows.push(field("", Tone::Dim, &format!("({left_out} lines more)")));
    }
}

fn field(name: &str, tone: Tone, text: &str) -> Row {
    Row::new().with(Tone::Dim, &format!("  {name:<6} ")).with(tone, text)
}

/// A cause for reading. Lambda functions fail with JSON: its message, and where in the function it happened.
fn readable(cause: &str) -> String {
    let parsed = if cause.trim_start().starts_with('{') { stepwright_value::read(cause).ok() } else { None };
    let Some(message) = parsed.as_ref().and_then(|value| value.get("errorMessage")).and_then(Value::as_str)
    else {
        return cause.to_owned();
    };
    let mut text = message.to_owned();
    let trace = parsed.as_ref().and_then(|value| value.get("stackTrace").or_else(|| value.get("trace")));
    for frame in trace.and_then(Value::as_array).into_iter().flat_map(|frames| frames.iter()) {
        if let Some(frame) = frame.as_str() {
            text.push('\n');
            text.push_str(frame.trim_end());
        }
    }
    text
}
