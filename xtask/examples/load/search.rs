//! Pages of searches over many executions, one at a time: how long each takes.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use crate::Options;
use crate::client::Client;
use crate::listings::percentiles;

/// Pages of one search that are measured: the first ones, and as many from each later time on.
const PAGES: usize = 20;
/// Parts of the time in which the executions started; each part is searched from its end.
const PARTS: i64 = 10;

/// Searches in what `populate` has written.
pub fn run(machine_arn: &str, options: &Options) -> Result<()> {
    let mut client = Client::connect(&options.server)?;
    let [first_ms, last_ms] = starts(&mut client)?;
    let parent = machine_arn.replace(":stateMachine:", ":execution:") + ":parent-5";
    let machine = format!("stateMachine={machine_arn}");
    let middle_ms = (first_ms + last_ms) / 2;
    let searches = [
        String::new(),
        "counts=true".to_owned(),
        "status=FAILED".to_owned(),
        "status=ABORTED".to_owned(),
        "status=PENDING_REDRIVE".to_owned(),
        machine.clone(),
        format!("{machine}&status=RUNNING&counts=true"),
        "tag=stage=bench".to_owned(),
        "tag=stage=bench&status=FAILED&counts=true".to_owned(),
        "namePrefix=a".to_owned(),
        "namePrefix=abc".to_owned(),
        "namePrefix=abcde".to_owned(),
        "namePrefix=l".to_owned(),
        "namePrefix=ab&status=ABORTED".to_owned(),
        format!("{machine}&namePrefix=ab&status=FAILED&counts=true"),
        "error=Usual5".to_owned(),
        "error=Rare".to_owned(),
        "error=Usual5&namePrefix=a".to_owned(),
        "error=Usual5&status=SUCCEEDED".to_owned(),
        "error=Never".to_owned(),
        format!("parent={parent}"),
        format!("parent={parent}&status=FAILED"),
        format!("parent={parent}&error=Usual7"),
        format!("{machine}&tag=stage=bench&error=Usual5&namePrefix=ab&status=FAILED&counts=true"),
        format!("from={middle_ms}&status=TIMED_OUT"),
        format!("from={first_ms}&until={}&namePrefix=abc", first_ms + 1_000),
    ];
    for search in searches {
        let (mut times_ms, mut count) = (Vec::new(), 0);
        for part in 0..PARTS {
            let until_ms = last_ms + 1 - (last_ms - first_ms) / PARTS * part;
            let search = match search.contains("until=") {
                true => search.clone(),
                false => format!("{search}&until={until_ms}"),
            };
            count += walk(&mut client, &search, &mut times_ms)?;
        }
        let slowest_ms = times_ms.iter().copied().fold(0.0, f64::max);
        let [p50_ms, p99_ms] = percentiles(times_ms);
        let name = search.replace(machine_arn, "listed").replace(&parent, "one");
        println!(
            "{}",
            json!({ "name": name, "count": count, "p50_ms": p50_ms, "p99_ms": p99_ms, "slowest_ms": slowest_ms })
        );
    }
    Ok(())
}

/// When the first and the last execution of `populate` started, in milliseconds since 1970.
fn starts(client: &mut Client) -> Result<[i64; 2]> {
    // The two histories are the last that it writes, and what the server itself has started is far later.
    let start_ms = |client: &mut Client, query: &str| -> Result<i64> {
        let found = client.get(&format!("/executions?{query}"))?;
        let start_s = found["executions"][0]["startDate"].as_f64().context("nothing is found")?;
        Ok((start_s * 1e3) as i64)
    };
    let last_ms = start_ms(client, "namePrefix=whole")?;
    let count = client.get("/executions?counts=true")?["counts"].clone();
    let count: i64 =
        count.as_object().context("no counts")?.values().filter_map(|count| count.as_i64()).sum();
    Ok([last_ms - count, last_ms])
}

/// Measures some pages of one search; how many executions they have.
fn walk(client: &mut Client, search: &str, times_ms: &mut Vec<f64>) -> Result<usize> {
    let (mut token, mut count) = (String::new(), 0);
    for _ in 0..PAGES {
        let begun = Instant::now();
        let answer = client.get(&format!("/executions?{search}{token}"))?;
        times_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        count += answer["executions"].as_array().context("no list")?.len();
        let Some(next) = answer["nextToken"].as_str() else { break };
        token = format!("&nextToken={}", next.replace('/', "%2F"));
    }
    Ok(count)
}
