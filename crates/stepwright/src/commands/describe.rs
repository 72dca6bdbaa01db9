//! `stepwright describe`: what a server knows of one thing.

use anyhow::anyhow;
use serde_json::{Value, json};
use stepwright_value::Document;

use super::list;
use crate::cli::Describe;
use crate::client::Client;
use crate::exit::{Exit, Failure, OrExit as _};
use crate::{named, output, pretty};

pub fn run(arguments: &Describe) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let answer = ask(&client, &arguments.what)?;
    let drawn = if arguments.connection.json { format!("{answer:#}\n") } else { draw(&answer) };
    output::write(&drawn)?;
    Ok(Exit::Success)
}

fn ask(client: &Client, what: &str) -> Result<Value, Failure> {
    let is_name = !what.starts_with("arn:");
    let arn = match what {
        _ if is_name && what.contains('/') => named::execution(client, what)?,
        _ => named::machine(client, what)?,
    };
    let kinds = [
        (":stateMachine:", "DescribeStateMachine", "stateMachineArn"),
        (":execution:", "DescribeExecution", "executionArn"),
        (":activity:", "DescribeActivity", "activityArn"),
        (":mapRun:", "DescribeMapRun", "mapRunArn"),
    ];
    match kinds.into_iter().find(|(kind, ..)| arn.contains(kind)) {
        Some((_, action, member)) => client.api(action, &json!({ member: arn })),
        None if arn.contains(":express:") => client.own(
            hyper::Method::GET,
            &format!("/express-executions/{}", stepwright_sigv4::percent_encode(&arn, None)),
            None,
        ),
        None => {
            let error =
                anyhow!("{arn} is not the ARN of a state machine, an execution, an activity or a map run");
            Err(error).or_exit(Exit::Usage)
        }
    }
}

/// A line for each member; JSON within, and what has more than one line, below its name.
fn draw(answer: &Value) -> String {
    let members = answer.as_object().into_iter().flatten();
    let mut text = String::new();
    for (name, value) in members {
        let shown = match value {
            Value::Number(_) if name.ends_with("Date") => list::moment(answer, name),
            Value::String(value) => json_within(value).unwrap_or_else(|| value.clone()),
            other => format!("{other:#}"),
        };
        let (first, rest) = shown.split_once('\n').map_or((shown.as_str(), None), |(a, b)| (a, Some(b)));
        text.push_str(&format!("{name:<24} {}\n", crate::row::clean(first)));
        for line in rest.into_iter().flat_map(str::lines) {
            text.push_str(&format!("{:<24} {}\n", "", crate::row::clean(line)));
        }
    }
    text
}

/// Definitions, inputs and outputs are JSON in a text.
fn json_within(text: &str) -> Option<String> {
    let document = text.trim_start().starts_with(['{', '[']).then(|| Document::parse(text).ok())??;
    Some(pretty::json(document.value()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_in_lines() {
        let answer =
            json!({"name": "a\u{1b}b", "input": "{\"n\":1}", "startDate": 1773500963.5, "redriveCount": 0});
        let expected = "name                     a b\n\
                        input                    {\n                           \"n\": 1\n                         }\n\
                        startDate                2026-03-14T15:09:23.500Z\nredriveCount             0\n";
        let drawn = draw(&answer);
        for line in expected.lines() {
            assert!(drawn.contains(line), "{line:?} in {drawn}");
        }
    }
}
