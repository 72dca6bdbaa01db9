//! `stepwright stop`: the end of an execution on a server.

use serde_json::json;

use crate::cli::Stop;
use crate::exit::{Exit, Failure};
use crate::{named, output};

pub fn run(arguments: &Stop) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let execution_arn = named::execution(&client, &arguments.execution)?;
    let mut request = json!({ "executionArn": execution_arn });
    for (member, value) in [("error", &arguments.error), ("cause", &arguments.cause)] {
        if let Some(value) = value {
            request[member] = value.as_str().into();
        }
    }
    let answer = client.api("StopExecution", &request)?;
    if arguments.connection.json {
        output::write(&format!("{answer}\n"))?;
    } else {
        output::tell(&format!("{execution_arn} is stopped\n"));
    }
    Ok(Exit::Success)
}
