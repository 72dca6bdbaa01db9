//! The history of an execution on a server, as it comes, and its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::list::milliseconds;
use crate::exit::{Exit, Failure, OrExit as _};
use crate::live::duration;
use crate::named::{pages, text};
use crate::output::{self, Reader};
use crate::row::clean;
use crate::terminal::Stream;

/// Between two looks; the pause grows while nothing happens.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Events that are asked for at once while following, the newest first.
const PAGE: usize = 100;
/// No history has more.
const EVENTS_MAX: usize = 25_000;
const BRIEF_CHARS_MAX: usize = 160;

/// Reads the history of one execution, piece by piece.
pub struct Follower<'c> {
    client: &'c Client,
    execution_arn: &'c str,
    /// The last event that was read.
    last_id: u64,
    start_ms: Option<i64>,
}

impl<'c> Follower<'c> {
    pub fn new(client: &'c Client, execution_arn: &'c str) -> Follower<'c> {
        Follower { client, execution_arn, last_id: 0, start_ms: None }
    }

    /// Of an execution that has a history already: what comes from now on.
    pub fn from_now(client: &'c Client, execution_arn: &'c str) -> Result<Follower<'c>, Failure> {
        let mut follower = Follower::new(client, execution_arn);
        let newest = json!({ "executionArn": execution_arn, "reverseOrder": true });
        let newest = pages(client, "GetExecutionHistory", &newest, "events", 1)?;
        follower.last_id = newest.first().map_or(0, id);
        Ok(follower)
    }

    /// The events since the last time, in order.
    pub fn events(&mut self) -> Result<Vec<Value>, Failure> {
        let mut request = json!({ "executionArn": self.execution_arn });
        let mut found = if self.last_id == 0 {
            pages(self.client, "GetExecutionHistory", &request, "events", EVENTS_MAX)?
        } else {
            request["reverseOrder"] = true.into();
            let mut count = PAGE;
            loop {
                let newest = pages(self.client, "GetExecutionHistory", &request, "events", count)?;
                if newest.len() < count || newest.last().is_none_or(|event| id(event) <= self.last_id + 1) {
                    break newest;
                }
                count *= 4;
            }
        };
        found.retain(|event| id(event) > self.last_id);
        found.sort_by_key(id);
        self.last_id = found.last().map_or(self.last_id, id);
        Ok(found)
    }

    /// One line: time since the start, number, type, and what is worth telling.
    pub fn line(&mut self, event: &Value) -> String {
        let at_ms = milliseconds(event, "timestamp").unwrap_or_default();
        let start_ms = *self.start_ms.get_or_insert(at_ms);
        let (id, kind) = (id(event), text(event, "type"));
        let line = format!("{:>9}  {id:>4}  {kind:<28} {}", duration::since(at_ms - start_ms), more(event));
        format!("{}\n", clean(line.trim_end()))
    }

    /// Hands all events to `show` until the execution has ended, or `show` has nobody to show it to.
    pub fn follow(
        &mut self,
        mut show: impl FnMut(&str, &Value) -> Result<Reader, Failure>,
    ) -> Result<(), Failure> {
        let mut pause = PAUSE_MIN;
        loop {
            let events = self.events()?;
            pause = if events.is_empty() { (pause * 2).min(PAUSE_MAX) } else { PAUSE_MIN };
            for event in &events {
                let line = self.line(event);
                if show(&line, event)? == Reader::Gone || is_end(event) {
                    return Ok(());
                }
            }
            self.client.pause(pause);
        }
    }
}

/// How an execution has ended: its status, error and cause on standard error, its output on standard output.
pub fn conclude(described: &Value, as_json: bool) -> Result<Exit, Failure> {
    let status = text(described, "status");
    let exit = if status == "SUCCEEDED" { Exit::Success } else { Exit::Negative };
    if as_json {
        output::write(&format!("{described}\n"))?;
        return Ok(exit);
    }
    let took = milliseconds(described, "stopDate").zip(milliseconds(described, "startDate"));
    let took = took.map(|(stop, start)| format!(" after {}", duration::short(stop - start)));
    let mut told = format!("{status}{}\n", took.unwrap_or_default());
    for member in ["error", "cause"] {
        let value = text(described, member);
        if !value.is_empty() {
            let lines: Vec<String> = value.lines().map(clean).collect();
            told.push_str(&format!("  {member:<6} {}\n", lines.join("\n         ")));
        }
    }
    output::tell(&told);
    let result = text(described, "output");
    if !result.is_empty() {
        let is_terminal = Stream::Out.ability().is_terminal;
        let document = stepwright_value::Document::parse(result).or_exit(Exit::Negative)?;
        let drawn =
            if is_terminal { crate::pretty::json(document.value()) } else { document.value().to_json() };
        output::write(&(drawn + "\n"))?;
    }
    Ok(exit)
}

/// Follows an execution to its end and concludes it. What happens goes to standard error; as JSON, to standard output.
pub fn to_the_end(mut follower: Follower<'_>, as_json: bool) -> Result<Exit, Failure> {
    follower.follow(|line, event| {
        if as_json {
            return output::write(&format!("{event}\n"));
        }
        output::tell(line);
        Ok(Reader::There)
    })?;
    let described = json!({ "executionArn": follower.execution_arn });
    conclude(&follower.client.api("DescribeExecution", &described)?, as_json)
}

fn id(event: &Value) -> u64 {
    event.get("id").and_then(Value::as_u64).unwrap_or_default()
}

/// Whether nothing comes after it (but a redrive).
fn is_end(event: &Value) -> bool {
    matches!(
        text(event, "type"),
        "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionTimedOut" | "ExecutionAborted"
    )
}

/// The state, what it calls, and why it failed.
fn more(event: &Value) -> String {
    let members = event.as_object().into_iter().flatten();
    let Some((_, details)) = members.into_iter().find(|(name, _)| name.ends_with("EventDetails")) else {
        return String::new();
    };
    let own = |name: &str| Some(text(details, name)).filter(|value| !value.is_empty());
    let target = own("resourceType").zip(own("resource")).map(|(kind, action)| format!("{kind}:{action}"));
    let target = target.or_else(|| own("resource").map(str::to_owned));
    let index = details.get("index").map(|index| format!("[{index}]"));
    let name = own("name").map(|name| format!("{name}{}", index.unwrap_or_default()));
    let failure = own("error").map(|error| match own("cause").and_then(|cause| cause.lines().next()) {
        Some(cause) => format!("{error}: {}", brief(cause)),
        None => error.to_owned(),
    });
    [name, target, failure].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn brief(text: &str) -> String {
    match text.char_indices().nth(BRIEF_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_telling() {
        for (event, expected) in [
            (
                json!({"type": "PassStateEntered", "stateEnteredEventDetails": {"name": "A", "input": "{}"}}),
                "A",
            ),
            (
                json!({"taskFailedEventDetails": {"resourceType": "lambda", "resource": "invoke", "error": "E", "cause": "a\nb"}}),
                "lambda:invoke E: a",
            ),
            (json!({"mapIterationStartedEventDetails": {"name": "M", "index": 2}}), "M[2]"),
            (json!({"type": "TaskStarted"}), ""),
        ] {
            assert_eq!(more(&event), expected, "{event}");
        }
    }
}
