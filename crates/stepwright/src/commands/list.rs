//! `stepwright list`: state machines, or the executions of one.

use clap::ValueEnum as _;
use serde_json::{Value, json};
use stepwright_types::timestamp;

use crate::cli::List;
use crate::exit::{Exit, Failure};
use crate::live::duration;
use crate::named::{self, text};
use crate::{output, table};

pub fn run(arguments: &List) -> Result<Exit, Failure> {
    let client = arguments.connection.client()?;
    let (member, found) = match &arguments.machine {
        None => {
            let found =
                named::pages(&client, "ListStateMachines", &json!({}), "stateMachines", arguments.max)?;
            ("stateMachines", found)
        }
        Some(machine) => {
            let mut request = json!({ "stateMachineArn": named::machine(&client, machine)? });
            if let Some(status) = arguments.status.and_then(|status| status.to_possible_value()) {
                request["statusFilter"] = status.get_name().to_uppercase().into();
            }
            ("executions", named::pages(&client, "ListExecutions", &request, "executions", arguments.max)?)
        }
    };
    let drawn = match member {
        _ if arguments.connection.json => format!("{:#}\n", json!({ member: found })),
        _ if found.is_empty() => format!("There are no {}.\n", member.replace("stateM", "state m")),
        "executions" => executions(&found),
        _ => machines(&found),
    };
    output::write(&drawn)?;
    Ok(Exit::Success)
}

fn machines(found: &[Value]) -> String {
    let mut rows = vec![table::row(["NAME", "TYPE", "CREATED"])];
    rows.extend(found.iter().map(|machine| {
        table::row([text(machine, "name"), text(machine, "type"), &moment(machine, "creationDate")])
    }));
    table::draw(&rows)
}

fn executions(found: &[Value]) -> String {
    let mut rows = vec![table::row(["NAME", "STATUS", "STARTED", "TOOK"])];
    rows.extend(found.iter().map(|execution| {
        let ms = |member: &str| milliseconds(execution, member);
        let took = ms("stopDate").zip(ms("startDate")).map(|(stop, start)| duration::short(stop - start));
        let started = moment(execution, "startDate");
        table::row([text(execution, "name"), text(execution, "status"), &started, &took.unwrap_or_default()])
    }));
    table::draw(&rows)
}

/// A time of the API, in milliseconds.
pub fn milliseconds(value: &Value, member: &str) -> Option<i64> {
    Some((value.get(member)?.as_f64()? * 1000.0).round() as i64)
}

/// A time of the API as text; empty where there is none.
pub fn moment(value: &Value, member: &str) -> String {
    milliseconds(value, member).map(timestamp::to_text).unwrap_or_default()
}
