//! Names in place of ARNs: `orders` is a state machine, `orders/first` one of its executions.

use anyhow::anyhow;
use serde_json::{Value, json};

use crate::client::Client;
use crate::exit::{Exit, Failure, OrExit as _};
use crate::suggestions;

/// State machines that are looked through for a name.
const MACHINES_MAX: usize = 10_000;
const PAGE: usize = 1_000;

/// The member of an answer, as text.
pub fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// All that a listing has, `max` at most.
pub fn pages(
    client: &Client,
    action: &str,
    request: &Value,
    member: &str,
    max: usize,
) -> Result<Vec<Value>, Failure> {
    let mut found: Vec<Value> = Vec::new();
    let mut request = request.clone();
    while found.len() < max {
        request["maxResults"] = (max - found.len()).min(PAGE).into();
        let mut answer = client.api(action, &request)?;
        if let Some(Value::Array(items)) = answer.get_mut(member).map(Value::take) {
            found.extend(items);
        }
        match answer.get_mut("nextToken").map(Value::take) {
            Some(token @ Value::String(_)) => request["nextToken"] = token,
            _ => break,
        }
    }
    Ok(found)
}

/// The ARN of a state machine by its name or ARN.
pub fn machine(client: &Client, given: &str) -> Result<String, Failure> {
    if given.starts_with("arn:") {
        return Ok(given.to_owned());
    }
    let machines = pages(client, "ListStateMachines", &json!({}), "stateMachines", MACHINES_MAX)?;
    if let Some(found) = machines.iter().find(|machine| text(machine, "name") == given) {
        return Ok(text(found, "stateMachineArn").to_owned());
    }
    let hint = suggestions::hint(given, machines.iter().map(|machine| text(machine, "name")));
    let hint = if machines.is_empty() { "; it has none" } else { &hint };
    Err(anyhow!("{} has no state machine {given:?}{hint}", client.endpoint)).or_exit(Exit::Negative)
}

/// The ARN of an execution by `MACHINE/EXECUTION`, by its ARN, or the newest one of `MACHINE`.
pub fn execution(client: &Client, given: &str) -> Result<String, Failure> {
    if given.starts_with("arn:") && !given.contains(":stateMachine:") {
        return Ok(given.to_owned());
    }
    if let Some((machine_name, name)) = given.split_once('/').filter(|_| !given.starts_with("arn:")) {
        let machine = machine(client, machine_name)?;
        return Ok(format!("{}:{name}", machine.replacen(":stateMachine:", ":execution:", 1)));
    }
    let machine = machine(client, given)?;
    let newest = json!({ "stateMachineArn": machine });
    let newest = pages(client, "ListExecutions", &newest, "executions", 1)?;
    match newest.first() {
        Some(execution) => Ok(text(execution, "executionArn").to_owned()),
        None => Err(anyhow!("{given:?} has no executions")).or_exit(Exit::Negative),
    }
}
