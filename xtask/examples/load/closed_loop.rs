//! Clients that each start their next execution when the last has ended.
//!
//! A client learns of the end by `DescribeExecution`: first when a part of the time has passed that its executions usually
//! take, then in steps of 15 % of the time passed, at least 0.2 ms; so times contain up to so much waiting for the next look.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use crate::Options;
use crate::client::Client;
use crate::workload::{self, Workload};

const LOOK_MIN: Duration = Duration::from_micros(200);
const POLLERS: usize = 32;

/// Runs a workload for a while, after a quarter of the time as a warm-up.
pub fn run(name: &str, options: &Options) -> Result<()> {
    let workload = workload::create(&mut Client::connect(&options.server)?, name)?;
    for number in 0..workload.activities.len() * POLLERS {
        let activity = workload.activities[number % workload.activities.len()].clone();
        let server = options.server.clone();
        // Not joined: a worker may wait a minute for its next task.
        std::thread::spawn(move || answer_tasks(&server, &activity));
    }
    let begin = Instant::now() + options.time / 4;
    let times = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..options.clients).map(|_| scope.spawn(|| client(&workload, options, begin))).collect();
        let times = clients.into_iter().map(|client| joined(client));
        times.collect::<Result<Vec<_>>>()
    })?;
    let mut times: Vec<Duration> = times.into_iter().flatten().collect();
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let per_second = times.len() as f64 / options.time.as_secs_f64();
    println!(
        "{}",
        json!({ "executions": times.len(), "per_second": per_second, "p50_ms": at(0.5), "p99_ms": at(0.99) })
    );
    Ok(())
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow!("a client has panicked")))
}

/// The times of the executions that ended within the measured time.
fn client(workload: &Workload, options: &Options, begin: Instant) -> Result<Vec<Duration>> {
    let mut client = Client::connect(&options.server)?;
    let mut times = Vec::new();
    let end = begin + options.time;
    let mut usual = Duration::from_micros(500);
    while Instant::now() < end {
        let started = Instant::now();
        let looks = execute(&mut client, workload, usual)?;
        let took = started.elapsed();
        // So that the first look comes too early more often than not.
        usual = if looks == 1 { usual.mul_f64(0.9) } else { usual.mul_f64(0.97) + took.mul_f64(0.03) };
        if (begin..end).contains(&Instant::now()) {
            times.push(took);
        }
    }
    Ok(times)
}

/// One execution from start to end; how often was looked.
fn execute(client: &mut Client, workload: &Workload, usual: Duration) -> Result<u32> {
    let started = Instant::now();
    let arn = start(client, workload)?;
    let mut due = usual;
    let mut looks = 0;
    loop {
        if let Some(rest) = due.checked_sub(started.elapsed()) {
            std::thread::park_timeout(rest);
        }
        looks += 1;
        let answer = client.call("DescribeExecution", &json!({ "executionArn": arn }))?;
        match answer["status"].as_str() {
            Some("RUNNING") => {}
            Some("SUCCEEDED") => return Ok(looks),
            _ => bail!("the execution did not succeed: {answer}"),
        }
        let passed = started.elapsed();
        due = passed + LOOK_MIN.max(passed.mul_f64(0.15));
    }
}

fn start(client: &mut Client, workload: &Workload) -> Result<Value> {
    let request = json!({ "stateMachineArn": workload.machine_arn, "input": workload.input });
    let mut answer = client.call("StartExecution", &request)?;
    Ok(answer["executionArn"].take())
}

/// A worker of an activity: answers each task with its input.
fn answer_tasks(server: &str, activity: &str) -> Result<()> {
    let mut client = Client::connect(server)?;
    loop {
        let task = client.call("GetActivityTask", &json!({ "activityArn": activity }))?;
        let Some(token) = task["taskToken"].as_str() else { continue };
        let answer = json!({ "taskToken": token, "output": task["input"] });
        client.call("SendTaskSuccess", &answer)?;
    }
}

/// Starts so many executions that wait.
pub fn park(count: usize, options: &Options) -> Result<()> {
    let workload = workload::create(&mut Client::connect(&options.server)?, "wait")?;
    let left = AtomicUsize::new(count);
    let begun = Instant::now();
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    std::thread::scope(|scope| {
        let starters: Vec<_> = (0..options.clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(&options.server)?;
                    while take() {
                        start(&mut client, &workload)?;
                    }
                    Ok(())
                })
            })
            .collect();
        starters.into_iter().try_for_each(|starter| joined(starter))
    })?;
    println!("{}", json!({ "parked": count, "seconds": begun.elapsed().as_secs_f64() }));
    Ok(())
}
