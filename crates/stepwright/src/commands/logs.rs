//! `stepwright logs`: what functions on a server have printed.

use hyper::Method;
use serde_json::Value;
use stepwright_sigv4::percent_encode;
use stepwright_types::timestamp;

use crate::cli::Logs;
use crate::exit::{Exit, Failure};
use crate::named::{self, text};
use crate::output::{self, Reader};
use crate::row::clean;

/// How long the server may wait for something new; less than the client waits for the server.
const WAIT_S: u64 = 15;
/// Lines that are asked for at once.
const LINES: u64 = 1_000;

pub fn run(arguments: &Logs) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let execution_arn =
        arguments.execution.as_deref().map(|given| named::execution(&client, given)).transpose()?;
    let filter: String = [
        ("executionArn", execution_arn.as_deref()),
        ("stateName", arguments.state.as_deref()),
        ("functionName", arguments.function.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("&{name}={}", percent_encode(value?, None))))
    .collect();
    let mut after = 0;
    let mut is_empty = true;
    loop {
        let wait = if arguments.follow { format!("&waitSeconds={WAIT_S}") } else { String::new() };
        let path = format!("/function-logs?after={after}&maxResults={LINES}{filter}{wait}");
        let answer = client.own(Method::GET, &path, None)?;
        let lines = answer.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let shown: String =
            lines.iter().filter(|line| !hides(arguments, line)).map(|line| draw(arguments, line)).collect();
        if output::write(&shown)? == Reader::Gone {
            return Ok(Exit::Success);
        }
        after = answer.get("next").and_then(Value::as_u64).unwrap_or(after);
        is_empty &= lines.is_empty();
        if !arguments.follow && lines.len() < LINES as usize {
            break;
        }
    }
    if is_empty && !arguments.connection.json {
        output::tell("No function that runs there has printed anything lately.\n");
    }
    Ok(Exit::Success)
}

fn hides(arguments: &Logs, line: &Value) -> bool {
    arguments.no_platform && line.get("isPlatform").and_then(Value::as_bool).unwrap_or_default()
}

/// Time, state (or function, where no state called), text; further lines of one message below the text.
fn draw(arguments: &Logs, line: &Value) -> String {
    if arguments.connection.json {
        return format!("{line}\n");
    }
    let time = line.get("timestamp").and_then(Value::as_i64).map(timestamp::to_text).unwrap_or_default();
    let state = text(line, "stateName");
    let place = if state.is_empty() { text(line, "functionName") } else { state };
    let head = format!("{time}  {}", clean(place));
    let mut parts = text(line, "message").split('\n');
    let first = parts.next().unwrap_or_default();
    let mut drawn = format!("{head}  {}\n", clean(first));
    for part in parts {
        drawn.push_str(&format!("{:width$}  {}\n", "", clean(part), width = head.chars().count()));
    }
    drawn
}
