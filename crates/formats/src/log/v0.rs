//! Version 0, frozen: postcard, which writes variants as their place in the declaration and fields in order. Nothing here may
//! be moved, added or removed.

use serde::Deserialize;

use super::{Change, Entry, Execution, Expect};
use crate::FormatError;

#[derive(Deserialize)]
enum OldEntry<'b> {
    #[serde(borrow)]
    Unit(Vec<OldChange<'b>>),
    Acquire(u8, u64),
}

#[derive(Deserialize)]
enum OldChange<'b> {
    Catalog {
        kind: OldKind,
        key: &'b str,
        #[serde(borrow)]
        data: Option<&'b serde_bytes::Bytes>,
        expect: OldExpect,
    },
    CreateExecution(#[serde(borrow)] OldExecution<'b>),
    SetStatus {
        key: u64,
        status: OldStatus,
        stop_ms: Option<i64>,
        #[serde(borrow)]
        tail: &'b serde_bytes::Bytes,
    },
    CountRedrive {
        key: u64,
        at_ms: i64,
    },
    Append {
        key: u64,
        #[serde(borrow)]
        segment: OldSegment<'b>,
    },
    SetTimer(OldTimer),
    CancelTimer(OldTimer),
    Dispatched(OldDispatch),
    Answered(OldDispatch),
    Enqueue(#[serde(borrow)] OldItem<'b>),
    Dequeue(#[serde(borrow)] OldItem<'b>),
    SetPermit(#[serde(borrow)] OldPermit<'b>),
    DropPermit {
        key: u64,
        task: u32,
    },
    DeleteExecution(u64),
}

/// Their numbers were those of their places, and not those of the table `record`.
#[derive(Clone, Copy, Deserialize)]
enum OldKind {
    StateMachine,
    Revision,
    Activity,
    Tags,
    Version,
    Alias,
    MapRun,
    Key,
    Limit,
}

#[derive(Clone, Copy, Deserialize)]
enum OldStatus {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

#[derive(Deserialize)]
enum OldExpect {
    Anything,
    Absent,
    Revision(u64),
}

#[derive(Deserialize)]
struct OldExecution<'b> {
    key: u64,
    machine: &'b str,
    name: &'b str,
    status: OldStatus,
    start_ms: i64,
    stop_ms: Option<i64>,
    #[serde(borrow)]
    head: &'b serde_bytes::Bytes,
    #[serde(borrow)]
    tail: &'b serde_bytes::Bytes,
    #[serde(borrow)]
    listed: OldListed<'b>,
}

#[derive(Deserialize)]
struct OldListed<'b> {
    #[serde(borrow)]
    version: Option<&'b str>,
    #[serde(borrow)]
    alias: Option<&'b str>,
    #[serde(borrow)]
    map_run: Option<&'b str>,
    item_count: Option<u32>,
    redrives: u32,
    redriven_ms: Option<i64>,
}

#[derive(Deserialize)]
struct OldSegment<'b> {
    number: u32,
    #[serde(borrow)]
    data: &'b serde_bytes::Bytes,
}

#[derive(Deserialize)]
struct OldTimer {
    due_ms: i64,
    key: u64,
    timer: u32,
}

#[derive(Deserialize)]
struct OldDispatch {
    key: u64,
    task: u32,
}

#[derive(Deserialize)]
struct OldItem<'b> {
    queue: &'b str,
    key: u64,
    task: u32,
}

#[derive(Deserialize)]
struct OldPermit<'b> {
    key: u64,
    task: u32,
    #[serde(borrow)]
    data: &'b serde_bytes::Bytes,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>, FormatError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let (entry, after) = postcard::take_from_bytes(rest)
            .map_err(|_| FormatError::Malformed { found: "an entry that was not written so", at })?;
        entries.push(match entry {
            OldEntry::Unit(changes) => Entry::Unit(changes.into_iter().map(change).collect()),
            OldEntry::Acquire(shard, epoch) => Entry::Acquire { shard, epoch },
        });
        rest = after;
    }
    Ok(entries)
}

fn change(old: OldChange<'_>) -> Change<'_> {
    match old {
        OldChange::Catalog { kind, key, data, expect } => Change::PutRecord {
            kind: kind as u8 + 1,
            key,
            data: data.map(|data| &**data),
            expect: match expect {
                OldExpect::Anything => Expect::Anything,
                OldExpect::Absent => Expect::Absent,
                OldExpect::Revision(revision) => Expect::Revision(revision),
            },
        },
        OldChange::CreateExecution(execution) => Change::CreateExecution(row(execution)),
        OldChange::SetStatus { key, status, stop_ms, tail } => {
            Change::SetStatus { key, status: status as u8, stop_ms, tail }
        }
        OldChange::CountRedrive { key, at_ms } => Change::CountRedrive { key, at_ms },
        OldChange::Append { key, segment } => {
            Change::Append { key, number: segment.number, data: segment.data }
        }
        OldChange::SetTimer(OldTimer { due_ms, key, timer }) => Change::SetTimer { due_ms, key, timer },
        OldChange::CancelTimer(OldTimer { due_ms, key, timer }) => Change::CancelTimer { due_ms, key, timer },
        OldChange::Dispatched(OldDispatch { key, task }) => Change::Dispatched { key, task },
        OldChange::Answered(OldDispatch { key, task }) => Change::Answered { key, task },
        OldChange::Enqueue(OldItem { queue, key, task }) => Change::Enqueue { queue, key, task },
        OldChange::Dequeue(OldItem { queue, key, task }) => Change::Dequeue { queue, key, task },
        OldChange::SetPermit(OldPermit { key, task, data }) => Change::SetPermit { key, task, data },
        OldChange::DropPermit { key, task } => Change::DropPermit { key, task },
        OldChange::DeleteExecution(key) => Change::DeleteExecution { key },
    }
}

fn row(old: OldExecution<'_>) -> Execution<'_> {
    let OldListed { version, alias, map_run, item_count, redrives, redriven_ms } = old.listed;
    Execution {
        key: old.key,
        machine: old.machine,
        name: old.name,
        status: old.status as u8,
        start_ms: old.start_ms,
        stop_ms: old.stop_ms,
        head: old.head,
        tail: old.tail,
        version,
        alias,
        map_run,
        item_count,
        redrives,
        redriven_ms,
    }
}
