//! What is run: state machines and their inputs.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::client::Client;

/// A state machine that is there, and the input of its executions.
pub struct Workload {
    pub machine_arn: String,
    pub input: String,
    /// Activities whose tasks are to be answered.
    pub activities: Vec<String>,
}

pub fn create(client: &mut Client, name: &str) -> Result<Workload> {
    let mut activities = Vec::new();
    let mut input = json!({ "order": "o-1", "text": "x".repeat(170) }).to_string();
    let definition = match name {
        "pass5" => chain(5, |_| json!({ "Type": "Pass" })),
        "map1000" => {
            input = json!((0..1000).map(|n| json!({ "n": n })).collect::<Vec<_>>()).to_string();
            json!({ "StartAt": "M", "States": { "M": { "Type": "Map", "MaxConcurrency": 40, "End": true,
                "ItemProcessor": { "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } } } } })
        }
        "task3" => {
            for number in 0..3 {
                let answer = client.call("CreateActivity", &json!({ "name": format!("bench-{number}") }))?;
                activities.push(answer["activityArn"].as_str().unwrap_or_default().to_owned());
            }
            chain(3, |number| json!({ "Type": "Task", "Resource": activities[number] }))
        }
        "lambda3" => chain(3, |_| {
            json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": { "FunctionName": "echo", "Payload.$": "$" }, "OutputPath": "$.Payload" })
        }),
        "wait" => chain(1, |_| json!({ "Type": "Wait", "Seconds": 3600 })),
        _ => bail!("there is no workload {name}"),
    };
    let machine = json!({ "name": format!("bench-{name}"), "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::123456789012:role/bench" });
    let answer = client.call("CreateStateMachine", &machine)?;
    let machine_arn = answer["stateMachineArn"].as_str().unwrap_or_default().to_owned();
    Ok(Workload { machine_arn, input, activities })
}

/// So many states in sequence.
fn chain(states: usize, state: impl Fn(usize) -> Value) -> Value {
    let mut all = serde_json::Map::new();
    for number in 0..states {
        let mut state = state(number);
        if number + 1 == states {
            state["End"] = json!(true);
        } else {
            state["Next"] = json!(format!("S{}", number + 1));
        }
        all.insert(format!("S{number}"), state);
    }
    json!({ "StartAt": "S0", "States": all })
}
