//! Fills a store with executions, for measuring listings and histories: `populate DIRECTORY MACHINE_ARN REVISION
//! MAP_RUN_ARN EXECUTIONS EVENTS`.
//!
//! All executions belong to the machine. One in five was started by its version 1, half of these by its alias `live`; three in ten
//! are also listed under the map run, and one in six of these was redriven. Nearly all have ended, one in ten by an error: one of
//! ten usual ones, and seldom a rare one. One in ten was started by an execution, of which there are a thousand.
//! Two more executions have a history of so many events: `long` in segments of five events, `whole` in a single segment.

#![allow(clippy::unwrap_used, reason = "an example")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use stepwright_engine::{Head, Tail, terms};
use stepwright_machine::{BranchId, Event, EventBody, codec};
use stepwright_store::embedded::{Embedded, EmbeddedOptions};
use stepwright_store::{
    Epoch, Execution, ExecutionKey, Listed, Mutation, Segment, ShardId, Status, Store as _, Unit,
};
use stepwright_value::Document;

const SHARD: ShardId = ShardId(0);
/// Executions that are committed together.
const UNIT: u64 = 2_000;
/// Events of a segment, where a history has many.
const SEGMENT: usize = 5;

struct Names {
    machine: Arc<str>,
    version: Arc<str>,
    alias: Arc<str>,
    map_run: Arc<str>,
    head: Vec<u8>,
    /// When the first one starts: now, as what ended before the machine came to be would be forgotten.
    start_ms: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, machine, revision, map_run, executions, events] = arguments.as_slice() else {
        panic!("populate DIRECTORY MACHINE_ARN REVISION MAP_RUN_ARN EXECUTIONS EVENTS");
    };
    let (executions, events): (u64, u32) = (executions.parse().unwrap(), events.parse().unwrap());
    let head = Head {
        input: format!(r#"{{"order":"o-1","text":"{}"}}"#, "x".repeat(100)).into(),
        revision_id: revision.as_str().into(),
        role_arn: "arn:aws:iam::123456789012:role/bench".into(),
        ..Head::default()
    };
    let names = Names {
        machine: machine.as_str().into(),
        version: format!("{machine}:1").into(),
        alias: format!("{machine}:live").into(),
        map_run: map_run.as_str().into(),
        head: head.encode(),
        start_ms: SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64,
    };
    let store = Embedded::open(EmbeddedOptions::new(directory)).unwrap();
    let (epoch, newest) = store.acquire(SHARD).await.unwrap();
    let mut sequence = newest + 1;
    while sequence <= newest + executions {
        let until = (sequence + UNIT).min(newest + executions + 1);
        let rows = (sequence..until).map(|sequence| row(&names, sequence));
        let mutations = rows.flat_map(|row| {
            let terms = terms_of(&names, &row);
            [Mutation::CreateExecution(row)].into_iter().chain(terms)
        });
        commit(&store, epoch, mutations.collect()).await;
        sequence = until;
    }
    for (name, events_of_segment) in [("long", SEGMENT), ("whole", usize::MAX)] {
        let row = Execution { name: name.into(), listed: Listed::default(), ..row(&names, sequence) };
        let mut mutations = vec![Mutation::CreateExecution(row.clone())];
        let all: Vec<Event> = (1..=events).map(|id| event(names.start_ms, id)).collect();
        for (number, events) in (1..).zip(all.chunks(events_of_segment)) {
            let segment = Segment { number, data: codec::encode_segment(events) };
            mutations.push(Mutation::Append { key: row.key, segment });
        }
        commit(&store, epoch, mutations).await;
        sequence += 1;
    }
    store.close();
}

async fn commit(store: &Embedded, epoch: Epoch, mutations: Vec<Mutation>) {
    store.commit(Unit { shard: SHARD, epoch, mutations }).await.unwrap();
}

fn row(names: &Names, sequence: u64) -> Execution {
    let status = match sequence % 100 {
        0 => Status::Running,
        1..=10 => Status::Failed,
        11..=13 => Status::TimedOut,
        14 => Status::Aborted,
        _ => Status::Succeeded,
    };
    let mut mixed = sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    // Not in step with the status.
    let group = (mixed >> 40) % 60;
    let is_child = (12..30).contains(&group);
    let start_ms = names.start_ms + sequence as i64;
    Execution {
        key: ExecutionKey::new(SHARD, sequence).unwrap(),
        machine: names.machine.clone(),
        name: format!("{:08x}-{:04x}-4000-8000-{sequence:012x}", mixed >> 32, mixed & 0xffff).into(),
        status,
        start_ms,
        stop_ms: (status != Status::Running).then_some(start_ms + 5_000),
        head: names.head.clone(),
        tail: Tail { output: Some("{}".into()), ..Tail::default() }.encode(),
        listed: Listed {
            version: (group < 12).then(|| names.version.clone()),
            alias: (group < 6).then(|| names.alias.clone()),
            map_run: is_child.then(|| names.map_run.clone()),
            item_count: is_child.then_some(1),
            redrives: u32::from((12..15).contains(&group)),
            redriven_ms: None,
        },
    }
}

/// What it is found by besides its row.
fn terms_of(names: &Names, row: &Execution) -> Vec<Mutation> {
    let sequence = row.key.sequence();
    let error = match sequence % 1_000 {
        1 => Some("Rare".to_owned()),
        rest if rest % 100 <= 10 && row.status == Status::Failed => Some(format!("Usual{}", rest % 10)),
        _ => None,
    };
    let parent = (sequence % 10 == 7).then(|| {
        let parent = names.machine.replace(":stateMachine:", ":execution:");
        format!("{parent}:parent-{}", sequence % 10_007 % 1_000)
    });
    let fields = [(terms::ERROR, error), (terms::PARENT, parent)];
    let set = fields.into_iter().filter_map(|(field, value)| {
        Some(Mutation::SetTerms { key: row.key, field: field.into(), values: vec![value?.into()] })
    });
    set.collect()
}

fn event(start_ms: i64, id: u32) -> Event {
    Event {
        sequence: id,
        id,
        previous_id: id - 1,
        timestamp_ms: start_ms + i64::from(id),
        branch: BranchId::ROOT,
        body: EventBody::ExecutionSucceeded {
            output: Document::from_stored_text(format!(r#"{{"number":{id},"text":"{}"}}"#, "x".repeat(200))),
        },
    }
}
