//! Pages of large listings and of long histories, one at a time: how long each takes.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::Options;
use crate::client::Client;

/// Results of the page that is measured.
const PAGE: usize = 100;
/// Results of the pages by which the listing is walked, so that the measured ones are at all depths.
const STRIDE: usize = 1000;

/// Walks every listing of the machine, and the two histories that `populate` has made.
pub fn run(machine_arn: &str, map_run_arn: &str, options: &Options) -> Result<()> {
    let mut client = Client::connect(&options.server)?;
    let of_machine = |more: Value| with(json!({ "stateMachineArn": machine_arn }), more);
    let of_map_run = |more: Value| with(json!({ "mapRunArn": map_run_arn }), more);
    let listings = [
        ("all", of_machine(json!({}))),
        ("SUCCEEDED", of_machine(json!({ "statusFilter": "SUCCEEDED" }))),
        ("FAILED", of_machine(json!({ "statusFilter": "FAILED" }))),
        ("RUNNING", of_machine(json!({ "statusFilter": "RUNNING" }))),
        ("of a version", json!({ "stateMachineArn": format!("{machine_arn}:1") })),
        (
            "of an alias, FAILED",
            json!({ "stateMachineArn": format!("{machine_arn}:live"), "statusFilter": "FAILED" }),
        ),
        ("of a map run", of_map_run(json!({}))),
        ("of a map run, REDRIVEN", of_map_run(json!({ "redriveFilter": "REDRIVEN" }))),
        (
            "of a map run, NOT_REDRIVEN, FAILED",
            of_map_run(json!({ "redriveFilter": "NOT_REDRIVEN", "statusFilter": "FAILED" })),
        ),
    ];
    for (name, request) in listings {
        walk(&mut client, "ListExecutions", "executions", name, &request)?;
    }
    for name in ["long", "whole"] {
        let execution_arn = format!("{}:{name}", machine_arn.replace(":stateMachine:", ":execution:"));
        for reverse in [false, true] {
            let request = json!({ "executionArn": execution_arn, "reverseOrder": reverse });
            let shown = format!("history {name}{}", if reverse { ", newest first" } else { "" });
            walk(&mut client, "GetExecutionHistory", "events", &shown, &request)?;
        }
    }
    Ok(())
}

/// At every stride of the listing measures a small page and the large one; prints one line of JSON.
fn walk(client: &mut Client, operation: &str, items: &str, name: &str, request: &Value) -> Result<()> {
    let (mut small_ms, mut large_ms) = (Vec::new(), Vec::new());
    let (mut token, mut count) = (None, 0);
    loop {
        let mut page = |size: usize, times: &mut Vec<f64>| {
            let mut request = with(request.clone(), json!({ "maxResults": size }));
            if let Some(token) = &token {
                request = with(request, json!({ "nextToken": token }));
            }
            let begun = Instant::now();
            let answer = client.call(operation, &request)?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            anyhow::Ok(answer)
        };
        page(PAGE, &mut small_ms)?;
        let answer = page(STRIDE, &mut large_ms)?;
        count += answer[items].as_array().context("no list")?.len();
        token = answer.get("nextToken").cloned();
        if token.is_none() {
            break;
        }
    }
    let [small_p50, small_p99] = percentiles(small_ms);
    let [large_p50, large_p99] = percentiles(large_ms);
    println!(
        "{}",
        json!({ "name": name, "count": count, "p50_ms": small_p50, "p99_ms": small_p99,
            "large_p50_ms": large_p50, "large_p99_ms": large_p99 })
    );
    Ok(())
}

fn with(mut request: Value, more: Value) -> Value {
    if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
        request.extend(more);
    }
    request
}

/// The middle, and that of the slowest hundredth.
pub fn percentiles(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    [at(0.5), at(0.99)]
}
