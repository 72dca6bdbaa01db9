//! Distributed Maps through HTTP: items a second, and what they take at their peak.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Figure;
use super::server::{Bench, Server};

/// Type of the children, and items.
const CELLS: [(&str, u64); 2] = [("EXPRESS", 100_000), ("STANDARD", 10_000)];
/// After this a run counts as stuck.
const LIMIT: Duration = Duration::from_secs(600);
/// Between two questions whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

pub fn measure(bench: &Bench<'_>, say: &mut dyn FnMut(Figure)) -> Result<()> {
    for (kind, items) in CELLS {
        let server = bench.start(None)?;
        say(cell(bench, &server, kind, items)?);
    }
    Ok(())
}

/// One run whose children only pass.
fn cell(bench: &Bench<'_>, server: &Server, kind: &str, items: u64) -> Result<Figure> {
    let call = |operation: &str, request: Value| {
        bench.load(&["call", operation, &request.to_string(), "--server", &server.address])
    };
    let definition = definition(kind, items).to_string();
    let role = "arn:aws:iam::123456789012:role/bench";
    let machine =
        call("CreateStateMachine", json!({ "name": kind, "roleArn": role, "definition": definition }))?;
    let (peak_before, cpu_before_s) = (server.peak_bytes()?, server.cpu_s()?);
    let begun = Instant::now();
    let started = call("StartExecution", json!({ "stateMachineArn": machine["stateMachineArn"] }))?;
    let ended = loop {
        let ended = call("DescribeExecution", json!({ "executionArn": started["executionArn"] }))?;
        if ended["status"] != "RUNNING" {
            break ended;
        }
        if begun.elapsed() > LIMIT {
            bail!("the map run does not end");
        }
        std::thread::park_timeout(PAUSE);
    };
    let seconds = begun.elapsed().as_secs_f64();
    if ended["status"] != "SUCCEEDED" {
        bail!("the execution ended with {ended}");
    }
    let cpu_s = server.cpu_s()? - cpu_before_s;
    let (mebibyte, peak) = (f64::from(1 << 20), server.peak_bytes()?);
    Ok(Figure::new(format!("{items} items, {kind} children"), items as f64 / seconds, "items/s")
        .with("CPU s/1,000", cpu_s / items as f64 * 1e3)
        .with("peak MiB", peak / mebibyte)
        .with("before MiB", peak_before / mebibyte))
}

/// The results are short: all of them must fit the output of one state.
fn definition(kind: &str, items: u64) -> Value {
    let processor = json!({ "ProcessorConfig": { "Mode": "DISTRIBUTED", "ExecutionType": kind },
        "StartAt": "One", "States": { "One": { "Type": "Pass", "Output": 1, "End": true } } });
    let all = json!({ "Type": "Map", "Items": format!("{{% [1..{items}] %}}"), "ItemProcessor": processor, "End": true });
    json!({ "QueryLanguage": "JSONata", "StartAt": "All", "States": { "All": all } })
}
