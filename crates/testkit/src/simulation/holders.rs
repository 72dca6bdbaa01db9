//! Those who hold task tokens: workers that poll an activity, and whoever a function gave its token to.

use std::sync::Arc;
use std::time::Duration;

use stepwright_engine::{CallbackError, Clock, DeliverError};
use stepwright_value::Document;

use crate::machines;
use crate::simulation::callers::within;
use crate::simulation::life::Process;
use crate::simulation::world::{Held, Reply};

/// Does what the holder of a token has decided: some heartbeats, and then the reply.
pub async fn answer(process: Arc<Process>, token: String) {
    let Some(held) = process.world.token(&token, |held| held.clone()) else { return };
    for _ in 0..held.heartbeats {
        tokio::time::sleep(Duration::from_millis(held.pause_ms)).await;
        let sent_ms = process.clock.now_ms();
        let result = process.engine.task_heartbeat(&token).await;
        process.note(format_args!("heartbeat {}", result.is_ok()));
        match result {
            Ok(()) => {
                process.world.token(&token, |held| held.heartbeats -= 1);
                process.world.lock().heartbeats.entry(token.clone()).or_default().push(sent_ms);
            }
            Err(CallbackError::TaskGone) => break,
            Err(CallbackError::InvalidToken) => process.world.violated("a token of ours is not valid"),
            Err(CallbackError::Deliver(error)) => return process.failed("a heartbeat", &error),
        }
    }
    tokio::time::sleep(Duration::from_millis(held.pause_ms)).await;
    let patience_ms = {
        let dice = &mut process.world.lock().dice;
        dice.percent(10).then(|| dice.below(12))
    };
    let Some(reply) = held.reply else {
        process.world.token(&token, |held| held.settled = true);
        return;
    };
    // Some send their reply until they know that it has arrived; it counts once however often it is sent.
    for _ in 0..3 {
        let Some(result) = within(patience_ms, send(&process, &token, &reply)).await else { continue };
        process.note(format_args!("reply {reply:?} {:?}", result.as_ref().map_err(ToString::to_string)));
        match result {
            Ok(()) => {
                let twice = process.world.token(&token, |held| {
                    held.settled = true;
                    std::mem::replace(&mut held.accepted, true)
                });
                if twice == Some(true) {
                    process.world.violated(format!("a reply was taken twice: {reply:?}"));
                }
            }
            Err(CallbackError::TaskGone) => {
                process.world.token(&token, |held| held.settled = true);
                return;
            }
            Err(CallbackError::InvalidToken) => process.world.violated("a token of ours is not valid"),
            Err(CallbackError::Deliver(error)) => {
                process.failed("a callback", &error);
                return;
            }
        }
    }
}

async fn send(process: &Arc<Process>, token: &str, reply: &Reply) -> Result<(), CallbackError> {
    match reply {
        Reply::Success(output) => {
            let output = Document::from_stored_text(output.as_str());
            process.engine.task_succeeded(token, output).await
        }
        Reply::Failure(error) => process.engine.task_failed(token, Some((*error).to_owned()), None).await,
    }
}

/// A worker: takes tasks, and does them, or not.
pub async fn work(process: Arc<Process>, number: u32) {
    let activity_arn: Arc<str> = machines::account().activity(machines::ACTIVITY).into();
    loop {
        let poll_ms = {
            let dice = &mut process.world.lock().dice;
            if dice.percent(30) { dice.between(1, 200) } else { 60_000 }
        };
        let name = format!("worker-{number}");
        let poll = process.engine.activity_task(&activity_arn, Some(&name));
        let task = match within(Some(poll_ms), poll).await {
            Some(Ok(task)) => task,
            None => continue,
            Some(Err(DeliverError::Commit(_) | DeliverError::Load(_))) => return,
            Some(Err(error)) => return process.failed("a poll", &error),
        };
        process.note(format_args!("{name} has {}", task.input.text()));
        let held = {
            let answer = process.world.answer(&task.input);
            let dice = &mut process.world.lock().dice;
            let reply = match dice.below(10) {
                0 => None,
                1 => Some(Reply::Failure("Refused")),
                _ => Some(Reply::Success(answer)),
            };
            let heartbeats = dice.below(4) as u32;
            Held { heartbeats, pause_ms: dice.below(9_000), reply, accepted: false, settled: false }
        };
        if !process.world.hold(&task.token, held) {
            process.world.violated("a worker got a token that was given before");
        }
        tokio::spawn(answer(process.clone(), task.token));
        let rest_ms = process.world.lock().dice.below(3_000);
        tokio::time::sleep(Duration::from_millis(rest_ms)).await;
    }
}
