//! Listings of many executions, searches in them, and pages of long histories, through HTTP. The rows are written by `populate`,
//! past the API; then the server is started on them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::server::{Bench, Server};
use super::{Figure, example, output_of};

type Say<'a> = &'a mut dyn FnMut(Figure);

/// Events of the long histories: AWS's limit.
const EVENTS: u32 = 25_000;

/// Listings and histories: each is walked to its end.
pub fn measure(root: &Path, bench: &Bench<'_>, say: Say<'_>) -> Result<()> {
    let (server, machine, map_run) = populated(root, bench, say)?;
    for measured in lines(bench, &["listings", &machine, &map_run, "--server", &server.address])? {
        let number = |name: &str| measured[name].as_f64().unwrap_or(f64::NAN);
        let name = format!("{}, a page of 100", measured["name"].as_str().unwrap_or_default());
        say(Figure::new(name, number("p99_ms"), "ms (p99)")
            .with("p50 ms", number("p50_ms"))
            .with("1,000: p50 ms", number("large_p50_ms"))
            .with("p99 ms", number("large_p99_ms"))
            .with("of", number("count")));
    }
    Ok(())
}

/// Searches: pages of each, at all depths.
pub fn search(root: &Path, bench: &Bench<'_>, say: Say<'_>) -> Result<()> {
    let (server, machine, _) = populated(root, bench, say)?;
    for measured in lines(bench, &["search", &machine, "--server", &server.address])? {
        let number = |name: &str| measured[name].as_f64().unwrap_or(f64::NAN);
        let name = measured["name"].as_str().unwrap_or_default();
        say(Figure::new(format!("search {name}"), number("p99_ms"), "ms (p99)")
            .with("p50 ms", number("p50_ms"))
            .with("slowest ms", number("slowest_ms"))
            .with("found", number("count")));
    }
    Ok(())
}

/// What the program that makes load has measured.
fn lines(bench: &Bench<'_>, arguments: &[&str]) -> Result<Vec<Value>> {
    let text = bench.load_text(arguments)?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// A server over many executions, with the ARNs of their state machine and of their map run.
fn populated<'b>(root: &Path, bench: &Bench<'b>, say: Say<'_>) -> Result<(Server, String, String)> {
    let populate = example(root, "stepwright-engine", "populate")?;
    let server = bench.start(None)?;
    let Furnished { machine, revision, map_run } = furnish(bench, &server)?;
    let data = server.stop_and_keep();
    let executions = bench.options.listed;
    let begun = std::time::Instant::now();
    let numbers = [executions.to_string(), EVENTS.to_string()];
    output_of(Command::new(populate).arg(&data).args([&machine, &revision, &map_run]).args(numbers))?;
    let seconds = begun.elapsed().as_secs_f64();
    say(Figure::new("executions written past the API", executions as f64 / seconds, "executions/s"));
    Ok((bench.start_on(data, None)?, machine, map_run))
}

struct Furnished {
    machine: String,
    /// The state machine's current revision.
    revision: String,
    map_run: String,
}

/// A state machine with a version, an alias, and a map run of its first revision.
fn furnish(bench: &Bench<'_>, server: &Server) -> Result<Furnished> {
    let call = |operation: &str, request: Value| {
        bench.load(&["call", operation, &request.to_string(), "--server", &server.address])
    };
    let text = |answer: &Value, member: &str| {
        answer[member].as_str().map(str::to_owned).with_context(|| format!("no {member}"))
    };
    let pass = json!({ "StartAt": "A", "States": { "A": { "Type": "Pass", "End": true } } });
    let mut processor = pass.clone();
    processor["ProcessorConfig"] = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
    let map = json!({ "Type": "Map", "Label": "Items", "ItemProcessor": processor, "End": true });
    let definition = json!({ "StartAt": "M", "States": { "M": map } }).to_string();
    let role = "arn:aws:iam::123456789012:role/bench";
    let request = json!({ "name": "listed", "definition": definition, "roleArn": role,
        "tags": [{ "key": "stage", "value": "bench" }] });
    let machine = text(&call("CreateStateMachine", request)?, "stateMachineArn")?;
    let started = call("StartExecution", json!({ "stateMachineArn": machine, "input": "[1]" }))?;
    let map_run = loop {
        let listed = call("ListMapRuns", json!({ "executionArn": started["executionArn"] }))?;
        if let Some(item) = listed["mapRuns"].get(0) {
            break text(item, "mapRunArn")?;
        }
    };
    let request = json!({ "stateMachineArn": machine, "definition": pass.to_string(), "publish": true });
    let updated = call("UpdateStateMachine", request)?;
    let version = text(&updated, "stateMachineVersionArn")?;
    let routing = json!([{ "stateMachineVersionArn": version, "weight": 100 }]);
    call("CreateStateMachineAlias", json!({ "name": "live", "routingConfiguration": routing }))?;
    Ok(Furnished { machine, revision: text(&updated, "revisionId")?, map_run })
}
