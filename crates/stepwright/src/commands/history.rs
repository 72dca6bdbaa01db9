//! `stepwright history`: the events of an execution.

use serde_json::json;

use crate::cli::History;
use crate::exit::{Exit, Failure};
use crate::follow::Follower;
use crate::named::{self, text};
use crate::output::{self, Reader};

pub fn run(arguments: &History) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let execution_arn = named::execution(&client, &arguments.execution)?;
    let mut follower = Follower::new(&client, &execution_arn);
    let as_json = arguments.connection.json;
    let show = |line: &str, event: &serde_json::Value| {
        if as_json { output::write(&format!("{event}\n")) } else { output::write(line) }
    };
    if !arguments.follow {
        for event in follower.events()? {
            let line = follower.line(&event);
            if show(&line, &event)? == Reader::Gone {
                break;
            }
        }
        return Ok(Exit::Success);
    }
    follower.follow(show)?;
    let described = client.api("DescribeExecution", &json!({ "executionArn": execution_arn }))?;
    Ok(match text(&described, "status") {
        "SUCCEEDED" | "RUNNING" => Exit::Success,
        _ => Exit::Negative,
    })
}
