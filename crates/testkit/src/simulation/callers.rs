//! Callers of the API: start executions (some of them twice), stop some, ask how they stand, and send tokens that nobody gave them.

use std::sync::Arc;
use std::time::Duration;

use stepwright_engine::{CallbackError, DeliverError, Revision, StartError, StartExecution};
use stepwright_store::Status;
use stepwright_value::Document;

use crate::dice::Dice;
use crate::simulation::life::Process;
use crate::simulation::world::Name;

/// A request for an execution.
#[derive(Clone, Debug)]
pub struct Request {
    pub at_ms: u64,
    /// The machine's place among the world's.
    pub machine: usize,
    pub name: Arc<str>,
    pub input: Arc<str>,
    /// The caller hangs up after so long.
    pub patience_ms: Option<u64>,
}

/// What callers will ask for within `span_ms`.
pub fn requests(dice: &mut Dice, machines: usize, count: u64, span_ms: u64, first: &mut u64) -> Vec<Request> {
    let mut requests = Vec::new();
    for _ in 0..count {
        let n = dice.below(8);
        let input = match dice.percent(4) {
            true => format!(r#"{{"n":{n},"pad":"{}"}}"#, "x".repeat(dice.below(60_000) as usize)),
            false => format!(r#"{{"n":{n}}}"#),
        };
        let request = Request {
            at_ms: dice.below(span_ms),
            machine: dice.below(machines as u64) as usize,
            name: format!("e{first}").into(),
            input: input.into(),
            patience_ms: dice.percent(10).then(|| dice.below(12)),
        };
        *first += 1;
        if dice.percent(20) {
            // The same once more: at the same time, a moment later, or when it may have ended; perhaps with another input.
            let at_ms = request.at_ms + [0, 1, 3, 10, 15_000][dice.below(5) as usize];
            let other = || r#"{"n":2,"other":true}"#.into();
            let input = if dice.percent(50) { request.input.clone() } else { other() };
            requests.push(Request { at_ms, input, ..request.clone() });
        }
        requests.push(request);
    }
    requests
}

/// Makes the request.
pub async fn start(process: Arc<Process>, request: Request) {
    tokio::time::sleep(Duration::from_millis(request.at_ms)).await;
    let machine = &process.world.machines[request.machine];
    let machine_arn: Arc<str> = machine.arn().into();
    let Ok(input) = Document::parse(&request.input) else { return };
    let name: Name = (machine_arn.clone(), request.name.clone());
    let start = process.engine.start(StartExecution {
        revision: Revision {
            machine_arn,
            revision_id: "1".into(),
            role_arn: "arn:aws:iam::111111111111:role/r".into(),
            definition: None,
        },
        name: Some(request.name.clone()),
        input,
        trace_header: None,
        version_arn: None,
        alias_arn: None,
        started_by: None,
    });
    let Some(result) = within(request.patience_ms, start).await else { return };
    process.note(format_args!("start {} {}", request.name, shown(&result)));
    match result {
        Ok(started) => process.world.started(name, &request.input, started.start_ms),
        Err(StartError::NameTaken(row)) => {
            let theirs = stepwright_engine::Head::decode(&row.head).map(|head| head.input);
            let is_same = theirs.is_ok_and(|input| input == request.input);
            if row.status == Status::Running && is_same {
                process.world.violated(format!("{} was refused but is the same", request.name));
            }
            process.world.started(
                name,
                &stepwright_engine::Head::decode(&row.head).map(|head| head.input).unwrap_or_default(),
                row.start_ms,
            );
        }
        Err(StartError::Deliver(error)) => process.failed("a start", &error),
        Err(error) => process.world.violated(format!("a start failed: {error}")),
    }
}

/// The value of the future, unless the caller hangs up first.
pub async fn within<T>(patience_ms: Option<u64>, future: impl Future<Output = T>) -> Option<T> {
    match patience_ms {
        None => Some(future.await),
        Some(ms) => tokio::time::timeout(Duration::from_millis(ms), future).await.ok(),
    }
}

fn shown<T: std::fmt::Debug, E: std::fmt::Display>(result: &Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

/// Stops an execution, if it is there by then.
pub async fn stop(
    process: Arc<Process>,
    at_ms: u64,
    machine: usize,
    name: Arc<str>,
    patience_ms: Option<u64>,
) {
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    let machine_arn: Arc<str> = process.world.machines[machine].arn().into();
    let Ok(Some(found)) = process.engine.find(&machine_arn, &name).await else { return };
    process.world.lock().executions.entry((machine_arn.clone(), name.clone())).or_default().may_be_stopped =
        true;
    let stop = process.engine.stop(found.row.key, Some("Stopped".into()), None);
    let Some(result) = within(patience_ms, stop).await else { return };
    process.note(format_args!("stop {name} {}", shown(&result)));
    match result {
        Ok(_) => {
            let mut state = process.world.lock();
            let known = state.executions.entry((machine_arn, name.clone())).or_default();
            let twice = std::mem::replace(&mut known.stopped, true);
            let may_be_redriven = known.may_be_redriven;
            drop(state);
            if twice && !may_be_redriven {
                process.world.violated(format!("{name} was stopped twice"));
            }
        }
        Err(DeliverError::Refused) => {}
        Err(error) => process.failed("a stop", &error),
    }
}

/// Asks how an execution stands.
pub async fn describe(process: Arc<Process>, at_ms: u64, machine: usize, name: Arc<str>) {
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    let machine_arn: Arc<str> = process.world.machines[machine].arn().into();
    if let Ok(Some(found)) = process.engine.find(&machine_arn, &name).await {
        process.world.described(&(machine_arn, name), found.row.status, found.tail.output);
    }
}

/// Sends a token that is none, or none any more.
pub async fn forge(process: Arc<Process>, at_ms: u64, token: String) {
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    let output = Document::parse(r#"{"forged":true}"#).unwrap_or_else(|_| Document::from_stored_text("null"));
    let result = process.engine.task_succeeded(&token, output).await;
    process.note(format_args!("forge {}", shown(&result)));
    match result {
        Ok(()) => process.world.violated("a forged token was taken"),
        Err(CallbackError::InvalidToken | CallbackError::TaskGone) => {}
        Err(CallbackError::Deliver(error)) => process.failed("a forged callback", &error),
    }
}
