//! `stepwright start`: an execution on a server.

use anyhow::anyhow;
use serde_json::json;

use crate::cli::Start;
use crate::exit::{Exit, Failure, OrExit as _};
use crate::follow::{self, Follower};
use crate::named::{self, text};
use crate::terminal::Stream;
use crate::{input, output};

pub fn run(arguments: &Start) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let input = match input::read(&arguments.input, Stream::Error.ability()) {
        Ok(input) => input,
        Err(shown) => {
            output::tell(&shown);
            return Ok(Exit::Usage);
        }
    };
    let machine_arn = named::machine(&client, &arguments.machine)?;
    let mut request = json!({ "stateMachineArn": machine_arn, "input": input.text() });
    if let Some(name) = &arguments.name {
        request["name"] = name.as_str().into();
    }
    let as_json = arguments.connection.json;
    if arguments.follow {
        let machine = client.api("DescribeStateMachine", &json!({ "stateMachineArn": machine_arn }))?;
        if text(&machine, "type") == "EXPRESS" {
            return follow::conclude(&client.api("StartSyncExecution", &request)?, as_json);
        }
    }
    let started = client.api("StartExecution", &request)?;
    let execution_arn = text(&started, "executionArn");
    if execution_arn.is_empty() {
        return Err(anyhow!("the server's answer names no execution: {started}")).or_exit(Exit::Negative);
    }
    match (arguments.follow, as_json) {
        (true, _) => {
            output::tell(&format!("{execution_arn}\n"));
            return follow::to_the_end(Follower::new(&client, execution_arn), as_json);
        }
        (false, true) => output::write(&format!("{started}\n"))?,
        (false, false) => output::write(&format!("{execution_arn}\n"))?,
    };
    Ok(Exit::Success)
}
