//! A history in short lines: `id<-previous Type member=value …`, with the seconds since the start when time has passed.

use stepwright_value::{Value, read};

use crate::harness::{START_MS, World};

/// Members that say nothing new in a scenario.
const LEFT_OUT: &[&str] =
    &["inputDetails", "outputDetails", "assignedVariablesDetails", "roleArn", "region", "resourceType"];

pub fn of(world: &World) -> Vec<String> {
    let history = read(&world.history()).expect("history");
    let mut clock_ms = START_MS;
    let events = history.as_array().expect("events");
    events
        .iter()
        .zip(world.events.iter().filter(|event| event.id != 0))
        .map(|(shown, event)| {
            let passed = match event.timestamp_ms - clock_ms {
                0 => String::new(),
                _ => format!("@{}s ", (event.timestamp_ms - START_MS) as f64 / 1000.0),
            };
            clock_ms = event.timestamp_ms;
            line(shown, &passed)
        })
        .collect()
}

fn line(event: &Value, passed: &str) -> String {
    let text = |key: &str| event.get(key).cloned().unwrap_or_default();
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut out = format!("{passed}{}<-{} {kind}", text("id"), text("previousEventId"));
    let members = event.as_object().into_iter().flat_map(|event| event.iter());
    for (key, details) in members.filter(|(key, _)| key.ends_with("EventDetails")) {
        let _ = key;
        for (name, value) in details.as_object().into_iter().flat_map(|details| details.iter()) {
            if LEFT_OUT.contains(&&**name) {
                continue;
            }
            let shown = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
            match &**name {
                "name" | "error" | "input" | "output" | "resource" | "parameters" => {
                    out.push_str(&format!(" {shown}"));
                }
                _ => out.push_str(&format!(" {name}={shown}")),
            }
        }
    }
    out
}
