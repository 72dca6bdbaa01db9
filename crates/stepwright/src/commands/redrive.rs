//! `stepwright redrive`: goes on with an execution that did not succeed.

use serde_json::json;

use crate::cli::Redrive;
use crate::exit::{Exit, Failure};
use crate::follow::{self, Follower};
use crate::{named, output};

pub fn run(arguments: &Redrive) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let execution_arn = named::execution(&client, &arguments.execution)?;
    let follower = if arguments.follow { Some(Follower::from_now(&client, &execution_arn)?) } else { None };
    let answer = client.api("RedriveExecution", &json!({ "executionArn": execution_arn }))?;
    if let Some(follower) = follower {
        return follow::to_the_end(follower, arguments.connection.json);
    }
    if arguments.connection.json {
        output::write(&format!("{answer}\n"))?;
    } else {
        output::tell(&format!("{execution_arn} goes on\n"));
    }
    Ok(Exit::Success)
}
