//! Callers that redrive what did not succeed, and ask again until they know that it was done.

use std::sync::Arc;
use std::time::Duration;

use stepwright_engine::{NotRedrivable, RedriveError};

use crate::simulation::callers::within;
use crate::simulation::life::Process;
use crate::simulation::world::{Redrive, World};

/// Somebody will redrive an execution, if there is reason to; returns the client token.
pub fn ask(world: &World, machine: usize, name: &Arc<str>) -> String {
    let execution = (Arc::from(world.machines[machine].arn()), name.clone());
    let mut state = world.lock();
    let token = format!("redrive-{}", state.redrives.len());
    state.redrives.insert(token.clone(), Redrive { execution, at_ms: None, settled: false });
    token
}

/// Asks up to three times, with the same token. Some hang up, and some ask again although they were answered.
pub async fn redrive(process: Arc<Process>, at_ms: u64, token: String) {
    tokio::time::sleep(Duration::from_millis(at_ms)).await;
    let known = process.world.lock().redrives.get(&token).map(|redrive| redrive.execution.clone());
    let Some((machine, name)) = known else { return };
    for _ in 0..3 {
        let Ok(Some(found)) = process.engine.find(&machine, &name).await else { return };
        let (patience_ms, pause_ms, insists) = {
            let mut state = process.world.lock();
            let execution = (machine.clone(), name.clone());
            state.executions.entry(execution).or_default().may_be_redriven = true;
            let dice = &mut state.dice;
            (dice.percent(20).then(|| dice.below(12)), dice.below(10_000), dice.percent(30))
        };
        let redrive = process.engine.redrive(found.row.key, Some(&token));
        if let Some(result) = within(patience_ms, redrive).await {
            let shown = result.as_ref().map_err(ToString::to_string);
            process.note(format_args!("redrive {name} {token} {shown:?}"));
            match result {
                Ok(at_ms) => {
                    process.world.redriven(&token, at_ms);
                    if !insists {
                        return;
                    }
                }
                // Perhaps it fails later.
                Err(RedriveError::Refused(NotRedrivable::Running)) => {}
                Err(RedriveError::Refused(NotRedrivable::Succeeded)) => {
                    if let Some(redrive) = process.world.lock().redrives.get_mut(&token) {
                        redrive.settled = true;
                    }
                    return;
                }
                Err(RedriveError::Refused(reason)) => {
                    return process.world.violated(format!("{name} cannot be redriven: {reason}"));
                }
                Err(RedriveError::Deliver(error)) => return process.failed("a redrive", &error),
            }
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
}
