//! Drives a server of the Step Functions API: the load of `cargo xtask bench`. One JSON object a run on standard output.
//!
//! - `load run WORKLOAD --server HOST:PORT [--clients N] [--seconds S]`: a closed loop of `pass5`, `map1000`, `task3` (three
//!   activities), `lambda3` (three function calls)
//! - `load park COUNT --server HOST:PORT`: starts executions that wait for an hour
//! - `load listings MACHINE_ARN MAP_RUN_ARN --server HOST:PORT`: walks the listings of what the example `populate` has written
//! - `load search MACHINE_ARN --server HOST:PORT`: searches in the same
//! - `load call OPERATION REQUEST --server HOST:PORT`: calls one operation
//! - `load echo`: serves the Lambda Invoke API on a free port, which it prints, until its standard input ends
//! - `load disk DIRECTORY [--clients N] [--seconds S]`: appends one record for each client and calls fdatasync, again and
//!   again: what no engine can pass that syncs before it answers
//!
//! Threads and blocking sockets, so that a client waits to the microsecond.

mod client;
mod closed_loop;
mod disk;
mod echo;
mod listings;
mod search;
mod workload;

use std::time::Duration;

use anyhow::{Context, Result, bail};

/// What the command line says besides the verb.
pub struct Options {
    pub server: String,
    pub clients: usize,
    pub time: Duration,
}

fn main() -> Result<()> {
    let mut words = Vec::new();
    let mut options =
        Options { server: "127.0.0.1:8083".to_owned(), clients: 1, time: Duration::from_secs(5) };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--server" => options.server = value()?,
            "--clients" => options.clients = value()?.parse()?,
            "--seconds" => options.time = Duration::from_secs_f64(value()?.parse()?),
            _ => words.push(argument),
        }
    }
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["run", workload] => closed_loop::run(workload, &options),
        ["park", count] => closed_loop::park(count.parse()?, &options),
        ["listings", machine_arn, map_run_arn] => listings::run(machine_arn, map_run_arn, &options),
        ["search", machine_arn] => search::run(machine_arn, &options),
        ["call", operation, request] => call(operation, request, &options),
        ["echo"] => echo::serve(),
        ["disk", directory] => disk::run(directory.as_ref(), &options),
        _ => bail!(
            "load run WORKLOAD | park COUNT | listings MACHINE_ARN MAP_RUN_ARN | search MACHINE_ARN | call OPERATION REQUEST | echo \
             | disk DIRECTORY"
        ),
    }
}

/// Calls one operation and prints its answer.
fn call(operation: &str, request: &str, options: &Options) -> Result<()> {
    let answer =
        client::Client::connect(&options.server)?.call(operation, &serde_json::from_str(request)?)?;
    println!("{answer}");
    Ok(())
}
