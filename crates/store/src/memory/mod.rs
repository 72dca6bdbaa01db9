//! The store in memory: the semantics of the others, without durability. For tests, `TestState` and `stepwright run`.
//!
//! Deterministic and synchronous: a unit has taken effect when `commit` returns, and every future is ready.

mod read;
mod search;
mod tables;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::answer::{lock, ready};
use crate::{
    CatalogKind, CatalogRecord, CommitError, Counts, Dispatch, Epoch, Execution, ExecutionKey,
    ExecutionQuery, Found, Page, Pending, Permit, QueueItem, Search, Segment, ShardId, Store, StoreError,
    Timer, Unit,
};
pub(crate) use tables::Tables;

/// A store in memory. A clone is an independent copy.
#[derive(Default)]
pub struct Memory {
    tables: Mutex<Tables>,
}

impl Memory {
    pub fn new() -> Arc<Memory> {
        Arc::new(Memory::default())
    }

    /// Commits the unit, at once.
    pub(crate) fn commit_now(&self, unit: &Unit) -> Result<(), CommitError> {
        lock(&self.tables).commit(unit)
    }

    pub(crate) fn read<T>(&self, query: impl FnOnce(&Tables) -> T) -> T {
        query(&lock(&self.tables))
    }

    pub(crate) fn acquire_now(&self, shard: ShardId) -> (Epoch, u64) {
        lock(&self.tables).acquire(shard)
    }
}

impl Clone for Memory {
    fn clone(&self) -> Memory {
        Memory { tables: Mutex::new(lock(&self.tables).clone()) }
    }
}

impl Store for Memory {
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>> {
        ready(Ok(self.acquire_now(shard)))
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        ready(self.commit_now(&unit))
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(Ok(self.read(|tables| tables.execution(key))))
    }

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        ready(Ok(self.read(|tables| tables.execution_by_name(machine, name))))
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>> {
        ready(Ok(self.read(|tables| tables.executions(&query))))
    }

    fn search(&self, search: Search) -> Pending<'_, Result<Found, StoreError>> {
        ready(Ok(self.read(|tables| tables.search(&search))))
    }

    fn counts(&self, machines: Option<BTreeSet<Arc<str>>>) -> Pending<'_, Result<Counts, StoreError>> {
        ready(Ok(self.read(|tables| tables.counts(machines.as_ref()))))
    }

    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>> {
        ready(Ok(self.read(|tables| tables.machines(prefix, after, limit))))
    }

    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(Ok(self.read(|tables| tables.segments(key, from))))
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        ready(Ok(self.read(|tables| tables.some_segments(key, from, newest_first, limit))))
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        ready(Ok(self.read(|tables| tables.timers(shard))))
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        ready(Ok(self.read(|tables| tables.dispatches(shard))))
    }

    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        ready(Ok(self.read(|tables| tables.dispatches_of(keys))))
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        ready(Ok(self.read(|tables| tables.queued(shard))))
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        ready(Ok(self.read(|tables| tables.permits(shard))))
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        ready(Ok(self.read(|tables| tables.record(kind, key))))
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        ready(Ok(self.read(|tables| tables.records(kind, prefix, after, limit))))
    }
}
