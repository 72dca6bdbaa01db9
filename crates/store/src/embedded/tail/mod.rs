//! The newest changes: durable in the log, and not yet in the database.
//!
//! A tail keeps what has become of each execution and record, not how it came about, so that what began and ended within it
//! costs the database nothing. Tails lie on top of each other: the changes of one unit, of one batch, of what is
//! acknowledged, of what is being folded into the database; below them all is the database. [`Layers`] reads through them.

mod layers;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) use layers::{Known, Layers};

use crate::{
    CatalogKind, CatalogRecord, Dispatch, Epoch, Execution, ExecutionKey, Mutation, Permit, QueueItem,
    Segment, ShardId, Status, Timer,
};

#[derive(Default)]
pub(super) struct Tail {
    pub executions: BTreeMap<ExecutionKey, Recent>,
    /// Machine, name: the executions that were created here.
    names: HashMap<Arc<str>, HashMap<Arc<str>, ExecutionKey>>,
    /// `None`: deleted.
    pub records: BTreeMap<(CatalogKind, Arc<str>), Option<CatalogRecord>>,
    pub epochs: BTreeMap<ShardId, Epoch>,
    /// The position under which the log was opened.
    pub opened: Option<u64>,
    /// About what it takes in memory.
    pub bytes: usize,
}

/// What has become of one execution.
#[derive(Default)]
pub(super) struct Recent {
    /// What is below has nothing of it any more. Before everything else here.
    pub deleted: bool,
    /// Its row, when it was created here, with the last status.
    pub created: Option<Execution>,
    /// What has changed in the row of one that was created below.
    pub changed: Changed,
    pub segments: Vec<Segment>,
    /// Timer and time: whether it is set.
    pub timers: BTreeMap<(u32, i64), bool>,
    /// Task: whether it is dispatched.
    pub dispatches: BTreeMap<u32, bool>,
    pub queued: BTreeMap<(u32, Arc<str>), Queued>,
    /// Task: its permit; `None`: it has none any more.
    pub permits: BTreeMap<u32, Option<Vec<u8>>>,
    /// Field: the values by which it is found from now on.
    pub terms: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// Changes of an execution's row.
#[derive(Clone, Default)]
pub(super) struct Changed {
    pub ended: Option<Ended>,
    /// How many redrives are to be counted, and when the last one was.
    pub redrives: u32,
    pub redriven_ms: Option<i64>,
}

/// A status that was set.
#[derive(Clone)]
pub(super) struct Ended {
    pub status: Status,
    pub stop_ms: Option<i64>,
    pub tail: Vec<u8>,
}

/// What has become of an item in a queue.
#[derive(Clone, Copy, Default)]
pub(super) struct Queued {
    /// The one below is gone.
    pub removed: bool,
    /// Its place in the order of all items, when it was queued here.
    pub position: Option<i64>,
}

/// About what an entry takes besides its texts and blobs.
const ENTRY_BYTES: usize = 200;

impl Tail {
    /// That the log was opened under this position.
    pub fn opened(position: u64) -> Tail {
        Tail { opened: Some(position), ..Tail::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.executions.is_empty()
            && self.records.is_empty()
            && self.epochs.is_empty()
            && self.opened.is_none()
    }

    /// Takes over a mutation that nothing speaks against. `position` is that of an item that it queues. What becomes of a
    /// catalogue record is for [`Tail::put_record`].
    pub fn apply(&mut self, mutation: Mutation, position: i64) {
        self.bytes += ENTRY_BYTES;
        match mutation {
            Mutation::Catalog { .. } => {}
            Mutation::CreateExecution(execution) => self.create(execution),
            Mutation::SetStatus { key, status, stop_ms, tail } => {
                self.bytes += tail.len();
                let ended = Some(Ended { status, stop_ms, tail });
                self.of(key).change(Changed { ended, ..Changed::default() });
            }
            Mutation::CountRedrive { key, at_ms } => {
                self.of(key).change(Changed { ended: None, redrives: 1, redriven_ms: Some(at_ms) });
            }
            Mutation::Append { key, segment } => {
                self.bytes += segment.data.len();
                self.of(key).segments.push(segment);
            }
            Mutation::SetTimer(Timer { due_ms, key, timer }) => {
                self.of(key).timers.insert((timer, due_ms), true);
            }
            Mutation::CancelTimer(Timer { due_ms, key, timer }) => {
                self.of(key).timers.insert((timer, due_ms), false);
            }
            Mutation::Dispatched(Dispatch { key, task }) => {
                self.of(key).dispatches.insert(task, true);
            }
            Mutation::Answered(Dispatch { key, task }) => {
                self.of(key).dispatches.insert(task, false);
            }
            Mutation::Enqueue(QueueItem { queue, key, task }) => {
                let item = self.of(key).queued.entry((task, queue)).or_default();
                item.position = item.position.or(Some(position));
            }
            Mutation::Dequeue(QueueItem { queue, key, task }) => {
                self.of(key).queued.insert((task, queue), Queued { removed: true, position: None });
            }
            Mutation::SetPermit(Permit { key, task, data }) => {
                self.bytes += data.len();
                self.of(key).permits.insert(task, Some(data));
            }
            Mutation::DropPermit { key, task } => {
                self.of(key).permits.insert(task, None);
            }
            Mutation::SetTerms { key, field, values } => {
                self.bytes += field.len() + values.iter().map(|value| value.len()).sum::<usize>();
                self.of(key).terms.insert(field, values);
            }
            Mutation::DeleteExecution(key) => {
                let gone = Recent { deleted: true, ..Recent::default() };
                let before = self.executions.insert(key, gone);
                self.forget_name(before);
            }
        }
    }

    /// What a catalogue record has become.
    pub fn put_record(&mut self, kind: CatalogKind, key: Arc<str>, record: Option<CatalogRecord>) {
        self.bytes += ENTRY_BYTES + record.as_ref().map_or(0, |record| record.data.len());
        self.records.insert((kind, key), record);
    }

    /// Takes over a newer tail.
    pub fn absorb(&mut self, newer: Tail) {
        self.bytes += newer.bytes;
        if self.is_empty() {
            let bytes = self.bytes;
            *self = Tail { bytes, ..newer };
            return;
        }
        for (key, newer) in newer.executions {
            if newer.deleted {
                let before = self.executions.remove(&key);
                self.forget_name(before);
            }
            self.of(key).absorb(newer);
        }
        for (machine, names) in newer.names {
            self.names.entry(machine).or_default().extend(names);
        }
        self.records.extend(newer.records);
        self.epochs.extend(newer.epochs);
        self.opened = newer.opened.or(self.opened);
    }

    fn create(&mut self, execution: Execution) {
        self.bytes += execution.head.len() + execution.tail.len() + 2 * execution.name.len();
        let (key, machine, name) = (execution.key, execution.machine.clone(), execution.name.clone());
        self.names.entry(machine).or_default().insert(name, key);
        let recent = self.of(key);
        recent.changed = Changed::default();
        recent.terms.clear();
        recent.created = Some(execution);
    }

    /// The execution that was created here under this name.
    fn named(&self, machine: &str, name: &str) -> Option<ExecutionKey> {
        self.names.get(machine)?.get(name).copied()
    }

    fn of(&mut self, key: ExecutionKey) -> &mut Recent {
        self.executions.entry(key).or_default()
    }

    fn forget_name(&mut self, gone: Option<Recent>) {
        let Some(gone) = gone.and_then(|gone| gone.created) else { return };
        if let Some(names) = self.names.get_mut(&gone.machine)
            && names.get(&gone.name) == Some(&gone.key)
        {
            names.remove(&gone.name);
        }
    }
}

impl Recent {
    fn change(&mut self, changed: Changed) {
        match &mut self.created {
            Some(execution) => changed.put_into(execution),
            None => self.changed.absorb(changed),
        }
    }

    /// Takes over what happened afterwards; a deletion has been applied already.
    fn absorb(&mut self, newer: Recent) {
        self.deleted |= newer.deleted;
        if let Some(created) = newer.created {
            self.changed = Changed::default();
            self.terms.clear();
            self.created = Some(created);
        }
        self.change(newer.changed);
        self.segments.extend(newer.segments);
        self.timers.extend(newer.timers);
        self.dispatches.extend(newer.dispatches);
        self.permits.extend(newer.permits);
        self.terms.extend(newer.terms);
        for (item, newer) in newer.queued {
            let item = self.queued.entry(item).or_default();
            if newer.removed {
                *item = newer;
            } else {
                item.position = item.position.or(newer.position);
            }
        }
    }
}

impl Changed {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ended.is_none() && self.redrives == 0
    }

    fn absorb(&mut self, newer: Changed) {
        self.ended = newer.ended.or(self.ended.take());
        self.redrives += newer.redrives;
        self.redriven_ms = newer.redriven_ms.or(self.redriven_ms);
    }

    /// The row with the changes.
    pub fn into_row(self, mut row: Execution) -> Execution {
        self.put_into(&mut row);
        row
    }

    fn put_into(self, execution: &mut Execution) {
        if let Some(Ended { status, stop_ms, tail }) = self.ended {
            (execution.status, execution.stop_ms, execution.tail) = (status, stop_ms, tail);
        }
        execution.listed.redrives += self.redrives;
        execution.listed.redriven_ms = self.redriven_ms.or(execution.listed.redriven_ms);
    }
}
