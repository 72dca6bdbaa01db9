//! What the store changes, as the log's format has it, and back.

use stepwright_formats::FormatError;
use stepwright_formats::log::{self as format, Change};

use crate::{
    CatalogKind, Dispatch, Epoch, Execution, ExecutionKey, Expect, Listed, Mutation, Permit, QueueItem,
    Segment, ShardId, Status, Timer,
};

/// A part of a record that takes effect as a whole.
pub(in crate::embedded) enum Entry {
    Unit(Vec<Mutation>),
    Acquire(ShardId, Epoch),
}

/// The mutation as it is written.
pub(super) fn change(mutation: &Mutation) -> Change<'_> {
    match mutation {
        Mutation::Catalog { kind, key, data, expect } => Change::PutRecord {
            kind: *kind as u8,
            key,
            data: data.as_deref(),
            expect: match expect {
                Expect::Anything => format::Expect::Anything,
                Expect::Absent => format::Expect::Absent,
                Expect::Revision(revision) => format::Expect::Revision(*revision),
            },
        },
        Mutation::CreateExecution(execution) => Change::CreateExecution(row(execution)),
        Mutation::SetStatus { key, status, stop_ms, tail } => {
            Change::SetStatus { key: key.bits(), status: *status as u8, stop_ms: *stop_ms, tail }
        }
        Mutation::CountRedrive { key, at_ms } => Change::CountRedrive { key: key.bits(), at_ms: *at_ms },
        Mutation::Append { key, segment } => {
            Change::Append { key: key.bits(), number: segment.number, data: &segment.data }
        }
        Mutation::SetTimer(Timer { due_ms, key, timer }) => {
            Change::SetTimer { due_ms: *due_ms, key: key.bits(), timer: *timer }
        }
        Mutation::CancelTimer(Timer { due_ms, key, timer }) => {
            Change::CancelTimer { due_ms: *due_ms, key: key.bits(), timer: *timer }
        }
        Mutation::Dispatched(Dispatch { key, task }) => Change::Dispatched { key: key.bits(), task: *task },
        Mutation::Answered(Dispatch { key, task }) => Change::Answered { key: key.bits(), task: *task },
        Mutation::Enqueue(QueueItem { queue, key, task }) => {
            Change::Enqueue { queue, key: key.bits(), task: *task }
        }
        Mutation::Dequeue(QueueItem { queue, key, task }) => {
            Change::Dequeue { queue, key: key.bits(), task: *task }
        }
        Mutation::SetPermit(Permit { key, task, data }) => {
            Change::SetPermit { key: key.bits(), task: *task, data }
        }
        Mutation::DropPermit { key, task } => Change::DropPermit { key: key.bits(), task: *task },
        Mutation::DeleteExecution(key) => Change::DeleteExecution { key: key.bits() },
        Mutation::SetTerms { key, field, values } => {
            Change::SetTerms { key: key.bits(), field, values: values.iter().map(|value| &**value).collect() }
        }
    }
}

/// The entry that was written.
pub(super) fn entry(entry: format::Entry<'_>) -> Result<Entry, FormatError> {
    Ok(match entry {
        format::Entry::Unit(changes) => {
            Entry::Unit(changes.into_iter().map(mutation).collect::<Result<_, _>>()?)
        }
        format::Entry::Acquire { shard, epoch } => Entry::Acquire(ShardId(shard), Epoch(epoch)),
    })
}

fn mutation(change: Change<'_>) -> Result<Mutation, FormatError> {
    Ok(match change {
        Change::PutRecord { kind, key, data, expect } => Mutation::Catalog {
            kind: CatalogKind::from_number(kind).ok_or(unknown("an unknown kind of record"))?,
            key: key.into(),
            data: data.map(<[u8]>::to_vec),
            expect: match expect {
                format::Expect::Anything => Expect::Anything,
                format::Expect::Absent => Expect::Absent,
                format::Expect::Revision(revision) => Expect::Revision(revision),
            },
        },
        Change::CreateExecution(row) => Mutation::CreateExecution(execution(row)?),
        Change::SetStatus { key, status, stop_ms, tail } => {
            let (key, status) = (execution_key(key)?, execution_status(status)?);
            Mutation::SetStatus { key, status, stop_ms, tail: tail.to_vec() }
        }
        Change::CountRedrive { key, at_ms } => Mutation::CountRedrive { key: execution_key(key)?, at_ms },
        Change::Append { key, number, data } => {
            Mutation::Append { key: execution_key(key)?, segment: Segment { number, data: data.to_vec() } }
        }
        Change::SetTimer { due_ms, key, timer } => {
            Mutation::SetTimer(Timer { due_ms, key: execution_key(key)?, timer })
        }
        Change::CancelTimer { due_ms, key, timer } => {
            Mutation::CancelTimer(Timer { due_ms, key: execution_key(key)?, timer })
        }
        Change::Dispatched { key, task } => Mutation::Dispatched(Dispatch { key: execution_key(key)?, task }),
        Change::Answered { key, task } => Mutation::Answered(Dispatch { key: execution_key(key)?, task }),
        Change::Enqueue { queue, key, task } => {
            Mutation::Enqueue(QueueItem { queue: queue.into(), key: execution_key(key)?, task })
        }
        Change::Dequeue { queue, key, task } => {
            Mutation::Dequeue(QueueItem { queue: queue.into(), key: execution_key(key)?, task })
        }
        Change::SetPermit { key, task, data } => {
            Mutation::SetPermit(Permit { key: execution_key(key)?, task, data: data.to_vec() })
        }
        Change::DropPermit { key, task } => Mutation::DropPermit { key: execution_key(key)?, task },
        Change::DeleteExecution { key } => Mutation::DeleteExecution(execution_key(key)?),
        Change::SetTerms { key, field, values } => Mutation::SetTerms {
            key: execution_key(key)?,
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
        },
    })
}

fn row(execution: &Execution) -> format::Execution<'_> {
    let Listed { version, alias, map_run, item_count, redrives, redriven_ms } = &execution.listed;
    format::Execution {
        key: execution.key.bits(),
        machine: &execution.machine,
        name: &execution.name,
        status: execution.status as u8,
        start_ms: execution.start_ms,
        stop_ms: execution.stop_ms,
        head: &execution.head,
        tail: &execution.tail,
        version: version.as_deref(),
        alias: alias.as_deref(),
        map_run: map_run.as_deref(),
        item_count: *item_count,
        redrives: *redrives,
        redriven_ms: *redriven_ms,
    }
}

fn execution(row: format::Execution<'_>) -> Result<Execution, FormatError> {
    Ok(Execution {
        key: execution_key(row.key)?,
        machine: row.machine.into(),
        name: row.name.into(),
        status: execution_status(row.status)?,
        start_ms: row.start_ms,
        stop_ms: row.stop_ms,
        head: row.head.to_vec(),
        tail: row.tail.to_vec(),
        listed: Listed {
            version: row.version.map(Into::into),
            alias: row.alias.map(Into::into),
            map_run: row.map_run.map(Into::into),
            item_count: row.item_count,
            redrives: row.redrives,
            redriven_ms: row.redriven_ms,
        },
    })
}

fn execution_key(bits: u64) -> Result<ExecutionKey, FormatError> {
    ExecutionKey::from_bits(bits).ok_or(unknown("a number that is no key of an execution"))
}

fn execution_status(number: u8) -> Result<Status, FormatError> {
    Status::from_number(number).ok_or(unknown("an unknown status"))
}

fn unknown(found: &'static str) -> FormatError {
    FormatError::Malformed { found, at: 0 }
}
