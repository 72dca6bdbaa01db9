//! Who is logged, and with what: each event once, after it is durable, also across a restart.

use std::sync::{Arc, Mutex};

use stepwright_engine::{Definitions, HistoryLog, LogLevel, Logging};
use stepwright_machine::{Event, Execution, Identity, history};
use stepwright_store::{Pending, StoreError};

use super::{MACHINE, World, pass_ms, request, start};

const WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$","End":true}}}"#;
const QUIET: &str = "arn:aws:states:us-east-1:111111111111:stateMachine:quiet";

/// Remembers what it was given.
#[derive(Default)]
pub struct Seen(Mutex<Vec<(String, Vec<String>)>>);

impl HistoryLog for Seen {
    fn committed(&self, logging: &Logging, execution: &Execution, events: &[Event]) {
        assert_eq!(*logging, everything());
        let identity: &Identity = execution.identity();
        let types = events.iter().filter_map(history::type_name).collect();
        self.0.lock().expect("no panic").push((identity.execution_name.to_string(), types));
    }
}

fn everything() -> Logging {
    Logging { level: LogLevel::All, include_data: true, log_group_arn: "group".into() }
}

/// Two machines, of which one is logged.
struct OneIsLogged;

impl Definitions for OneIsLogged {
    fn definition(&self, _: &str, _: &str) -> Pending<'_, Result<Option<String>, StoreError>> {
        Box::pin(std::future::ready(Ok(Some(WAIT.to_owned()))))
    }

    fn logging(&self, machine_arn: &str, _: &str) -> Pending<'_, Result<Option<Logging>, StoreError>> {
        let logging = (machine_arn == MACHINE).then(everything);
        Box::pin(std::future::ready(Ok(logging)))
    }
}

#[test]
fn each_event_once() {
    let seen = Arc::new(Seen::default());
    let mut world = World::new(WAIT);
    world.definitions = Some(Arc::new(OneIsLogged));
    world.history_log = Some(seen.clone());
    let take = || std::mem::take(&mut *seen.0.lock().expect("no panic"));
    let of = |name: &str, types: &[&str]| {
        (name.to_owned(), types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    let begun = ["ExecutionStarted", "WaitStateEntered"];
    let ended = ["WaitStateExited", "ExecutionSucceeded"];
    world.live(async |engine| {
        start(&engine, "standard", "5").await.expect("starts");
        let express = engine.start_express(request("express", "1")).await.expect("starts");
        express.outcome().await.expect("an outcome");
        let mut quiet = request("quiet", "1");
        quiet.revision.machine_arn = QUIET.into();
        engine.start(quiet).await.expect("starts");
        assert_eq!(take(), [of("standard", &begun), of("express", &begun), of("express", &ended)]);
    });
    world.live(async |_| {
        pass_ms(6_000).await;
        assert_eq!(take(), [of("standard", &ended)]);
    });
}
