//! The tables of the store in memory, and how a unit changes them: mutation by mutation, with a note of what was there
//! before, by which a refused unit is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::check::check;
use crate::{
    CatalogKind, CatalogRecord, CommitError, Dispatch, Epoch, Execution, ExecutionKey, Expect, Mutation,
    Permit, QueueItem, ShardId, Status, Timer, Unit,
};

/// Name within a machine.
type Name = (Arc<str>, Arc<str>);

#[derive(Clone, Default)]
pub(crate) struct Tables {
    pub(super) shards: BTreeMap<ShardId, Shard>,
    pub(super) executions: BTreeMap<ExecutionKey, Execution>,
    pub(super) names: BTreeMap<Name, ExecutionKey>,
    pub(super) segments: BTreeMap<(ExecutionKey, u32), Vec<u8>>,
    /// By key, so that those of one execution are found.
    pub(super) timers: BTreeSet<(ExecutionKey, u32, i64)>,
    pub(super) dispatches: BTreeSet<Dispatch>,
    /// With the position in the order of all items.
    pub(super) queued: BTreeMap<(ExecutionKey, u32, Arc<str>), u64>,
    pub(super) permits: BTreeMap<(ExecutionKey, u32), Vec<u8>>,
    pub(super) records: BTreeMap<(CatalogKind, Arc<str>), CatalogRecord>,
    /// By field.
    pub(super) terms: BTreeMap<(ExecutionKey, Arc<str>), Vec<Arc<str>>>,
    queue_position: u64,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Shard {
    epoch: u64,
    /// The highest sequence number of an execution that was deleted.
    deleted_sequence: u64,
}

/// What was at a place before a unit changed it.
enum Before {
    Shard(ShardId, Option<Shard>),
    Execution(ExecutionKey, Option<Execution>),
    Name(Name, Option<ExecutionKey>),
    Segment((ExecutionKey, u32), Option<Vec<u8>>),
    Timer((ExecutionKey, u32, i64), bool),
    Dispatch(Dispatch, bool),
    Queued((ExecutionKey, u32, Arc<str>), Option<u64>),
    Permit((ExecutionKey, u32), Option<Vec<u8>>),
    Record((CatalogKind, Arc<str>), Option<CatalogRecord>),
    Terms((ExecutionKey, Arc<str>), Option<Vec<Arc<str>>>),
}

impl Tables {
    pub(super) fn acquire(&mut self, id: ShardId) -> (Epoch, u64) {
        let in_use = self.executions.range(keys(id)).next_back().map_or(0, |(key, _)| key.sequence());
        let shard = self.shards.entry(id).or_default();
        shard.epoch += 1;
        (Epoch(shard.epoch), in_use.max(shard.deleted_sequence))
    }

    /// Commits the unit as a whole, or changes nothing.
    pub(super) fn commit(&mut self, unit: &Unit) -> Result<(), CommitError> {
        let held = self.shards.get(&unit.shard).map_or(0, |shard| shard.epoch);
        if held == 0 || unit.epoch.0 != held {
            return Err(CommitError::Fenced);
        }
        check(unit)?;
        let mut journal = Vec::new();
        let result =
            unit.mutations.iter().try_for_each(|mutation| self.apply(mutation.clone(), &mut journal));
        if result.is_err() {
            for before in journal.into_iter().rev() {
                self.restore(before);
            }
        }
        result
    }

    fn apply(&mut self, mutation: Mutation, journal: &mut Vec<Before>) -> Result<(), CommitError> {
        match mutation {
            Mutation::Catalog { kind, key, data, expect } => {
                self.catalog(kind, key, data, expect, journal)?
            }
            Mutation::CreateExecution(execution) => self.create(execution, journal)?,
            Mutation::SetStatus { key, status, stop_ms, tail } => {
                self.set_status(key, status, stop_ms, tail, journal);
            }
            Mutation::CountRedrive { key, at_ms } => {
                if let Some(execution) = self.executions.get_mut(&key) {
                    journal.push(Before::Execution(key, Some(execution.clone())));
                    execution.listed.redrives += 1;
                    execution.listed.redriven_ms = Some(at_ms);
                }
            }
            Mutation::Append { key, segment } => {
                let place = (key, segment.number);
                if self.segments.contains_key(&place) {
                    let number = segment.number;
                    return Err(CommitError::Invalid(format!(
                        "segment {number} of execution {key:?} is there"
                    )));
                }
                journal.push(Before::Segment(place, self.segments.insert(place, segment.data)));
            }
            Mutation::SetTimer(Timer { due_ms, key, timer }) => {
                let row = (key, timer, due_ms);
                journal.push(Before::Timer(row, !self.timers.insert(row)));
            }
            Mutation::CancelTimer(Timer { due_ms, key, timer }) => {
                let row = (key, timer, due_ms);
                journal.push(Before::Timer(row, self.timers.remove(&row)));
            }
            Mutation::Dispatched(dispatch) => {
                journal.push(Before::Dispatch(dispatch, !self.dispatches.insert(dispatch)));
            }
            Mutation::Answered(dispatch) => {
                journal.push(Before::Dispatch(dispatch, self.dispatches.remove(&dispatch)));
            }
            Mutation::Enqueue(QueueItem { queue, key, task }) => {
                let item = (key, task, queue);
                if !self.queued.contains_key(&item) {
                    self.queue_position += 1;
                    self.queued.insert(item.clone(), self.queue_position);
                    journal.push(Before::Queued(item, None));
                }
            }
            Mutation::Dequeue(QueueItem { queue, key, task }) => {
                let item = (key, task, queue);
                let before = self.queued.remove(&item);
                journal.push(Before::Queued(item, before));
            }
            Mutation::SetPermit(Permit { key, task, data }) => {
                journal.push(Before::Permit((key, task), self.permits.insert((key, task), data)));
            }
            Mutation::DropPermit { key, task } => {
                journal.push(Before::Permit((key, task), self.permits.remove(&(key, task))));
            }
            Mutation::DeleteExecution(key) => self.delete(key, journal),
            Mutation::SetTerms { key, field, values } => {
                if self.executions.contains_key(&key) {
                    let place = (key, field);
                    let before = self.terms.insert(place.clone(), values);
                    journal.push(Before::Terms(place, before));
                }
            }
        }
        Ok(())
    }

    fn catalog(
        &mut self,
        kind: CatalogKind,
        key: Arc<str>,
        data: Option<Vec<u8>>,
        expect: Expect,
        journal: &mut Vec<Before>,
    ) -> Result<(), CommitError> {
        let place = (kind, key.clone());
        let current = self.records.get(&place);
        let as_expected = match expect {
            Expect::Anything => true,
            Expect::Absent => current.is_none(),
            Expect::Revision(revision) => current.is_some_and(|record| record.revision == revision),
        };
        if !as_expected {
            return Err(CommitError::Conflict { kind, key, current: current.cloned() });
        }
        let revision = current.map_or(0, |record| record.revision) + 1;
        let before = match data {
            Some(data) => self.records.insert(place.clone(), CatalogRecord { key, data, revision }),
            None => self.records.remove(&place),
        };
        journal.push(Before::Record(place, before));
        Ok(())
    }

    fn create(&mut self, execution: Execution, journal: &mut Vec<Before>) -> Result<(), CommitError> {
        let key = execution.key;
        let name = (execution.machine.clone(), execution.name.clone());
        if let Some(holder) = self.names.get(&name).and_then(|key| self.executions.get(key)) {
            return Err(CommitError::NameTaken(Box::new(holder.clone())));
        }
        if self.executions.contains_key(&key) {
            return Err(CommitError::Invalid(format!("the key of execution {key:?} is in use")));
        }
        self.executions.insert(key, execution);
        journal.push(Before::Execution(key, None));
        self.names.insert(name.clone(), key);
        journal.push(Before::Name(name, None));
        Ok(())
    }

    fn set_status(
        &mut self,
        key: ExecutionKey,
        status: Status,
        stop_ms: Option<i64>,
        tail: Vec<u8>,
        journal: &mut Vec<Before>,
    ) {
        let Some(execution) = self.executions.get_mut(&key) else { return };
        journal.push(Before::Execution(key, Some(execution.clone())));
        execution.status = status;
        execution.stop_ms = stop_ms;
        execution.tail = tail;
    }

    fn delete(&mut self, key: ExecutionKey, journal: &mut Vec<Before>) {
        if let Some(execution) = self.executions.remove(&key) {
            let name = (execution.machine.clone(), execution.name.clone());
            let holder = self.names.remove(&name);
            journal.push(Before::Name(name, holder));
            journal.push(Before::Execution(key, Some(execution)));
        }
        let segments = self.segments.range((key, 0)..=(key, u32::MAX)).map(|(place, _)| *place);
        for place in segments.collect::<Vec<_>>() {
            journal.push(Before::Segment(place, self.segments.remove(&place)));
        }
        let timers = self.timers.range((key, 0, i64::MIN)..=(key, u32::MAX, i64::MAX)).copied();
        for row in timers.collect::<Vec<_>>() {
            journal.push(Before::Timer(row, self.timers.remove(&row)));
        }
        let of_key = Dispatch { key, task: 0 }..=Dispatch { key, task: u32::MAX };
        for dispatch in self.dispatches.range(of_key).copied().collect::<Vec<_>>() {
            journal.push(Before::Dispatch(dispatch, self.dispatches.remove(&dispatch)));
        }
        let items = self.queued.range((key, 0, Arc::from(""))..).map(|(item, _)| item);
        for item in items.take_while(|item| item.0 == key).cloned().collect::<Vec<_>>() {
            let position = self.queued.remove(&item);
            journal.push(Before::Queued(item, position));
        }
        let permits = self.permits.range((key, 0)..=(key, u32::MAX)).map(|(place, _)| *place);
        for place in permits.collect::<Vec<_>>() {
            journal.push(Before::Permit(place, self.permits.remove(&place)));
        }
        let fields = self.terms.range((key, Arc::from(""))..).map(|(place, _)| place);
        for place in fields.take_while(|place| place.0 == key).cloned().collect::<Vec<_>>() {
            let before = self.terms.remove(&place);
            journal.push(Before::Terms(place, before));
        }
        let shard = self.shards.entry(key.shard()).or_default();
        journal.push(Before::Shard(key.shard(), Some(*shard)));
        shard.deleted_sequence = shard.deleted_sequence.max(key.sequence());
    }

    fn restore(&mut self, before: Before) {
        match before {
            Before::Shard(id, shard) => put(&mut self.shards, id, shard),
            Before::Execution(key, execution) => put(&mut self.executions, key, execution),
            Before::Name(name, key) => put(&mut self.names, name, key),
            Before::Segment(place, data) => put(&mut self.segments, place, data),
            Before::Timer(row, was_there) => put_member(&mut self.timers, row, was_there),
            Before::Dispatch(dispatch, was_there) => {
                put_member(&mut self.dispatches, dispatch, was_there);
            }
            Before::Queued(item, position) => put(&mut self.queued, item, position),
            Before::Permit(place, data) => put(&mut self.permits, place, data),
            Before::Record(place, record) => put(&mut self.records, place, record),
            Before::Terms(place, values) => put(&mut self.terms, place, values),
        }
    }
}

/// The keys of a shard.
pub(super) fn keys(shard: ShardId) -> std::ops::RangeInclusive<ExecutionKey> {
    let last = ExecutionKey::SEQUENCE_MAX;
    ExecutionKey::of(shard, 0)..=ExecutionKey::of(shard, last)
}

fn put<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

fn put_member<T: Ord>(set: &mut BTreeSet<T>, member: T, is_there: bool) {
    if is_there {
        set.insert(member);
    } else {
        set.remove(&member);
    }
}
