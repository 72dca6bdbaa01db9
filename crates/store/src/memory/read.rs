//! What is read from the tables of the store in memory.

use std::cmp::Reverse;
use std::sync::Arc;

use super::tables::{Tables, keys};
use crate::{
    CatalogKind, CatalogRecord, Dispatch, Execution, ExecutionKey, ExecutionQuery, Listing, Page, Permit,
    QueueItem, Segment, ShardId, Timer,
};

/// Whether the execution belongs to the listing.
fn is_listed(execution: &Execution, listing: &Listing) -> bool {
    let listed = &execution.listed;
    match listing {
        Listing::Machine(arn) => execution.machine == *arn,
        Listing::Version(arn) => listed.version.as_ref() == Some(arn),
        Listing::Alias(arn) => listed.alias.as_ref() == Some(arn),
        Listing::MapRun { arn, redriven } => {
            listed.map_run.as_ref() == Some(arn)
                && redriven.is_none_or(|redriven| redriven == (listed.redrives > 0))
        }
    }
}

impl Tables {
    pub(crate) fn execution(&self, key: ExecutionKey) -> Option<Execution> {
        self.executions.get(&key).cloned()
    }

    pub(crate) fn execution_by_name(&self, machine: &str, name: &str) -> Option<Execution> {
        let key = self.names.get(&(Arc::from(machine), Arc::from(name)))?;
        self.execution(*key)
    }

    pub(crate) fn executions(&self, query: &ExecutionQuery) -> Page<Execution> {
        let mut found: Vec<&Execution> = self
            .executions
            .values()
            .filter(|execution| is_listed(execution, &query.of))
            .filter(|execution| query.status.is_none_or(|status| execution.status == status))
            .collect();
        let place = |execution: &Execution| (execution.start_ms, execution.key);
        if query.oldest_first {
            found.retain(|execution| query.after.is_none_or(|after| place(execution) > after));
            found.sort_unstable_by_key(|execution| place(execution));
        } else {
            found.retain(|execution| query.after.is_none_or(|after| place(execution) < after));
            found.sort_unstable_by_key(|execution| Reverse(place(execution)));
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        let without_blobs =
            |execution: &Execution| Execution { head: vec![], tail: vec![], ..execution.clone() };
        Page { items: found.into_iter().map(without_blobs).collect(), more }
    }

    pub(crate) fn machines(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<Arc<str>> {
        let lowest = after.map_or(prefix, |after| after.max(prefix));
        let names = self.names.range((Arc::from(lowest), Arc::from(""))..).map(|((machine, _), _)| machine);
        let mut machines: Vec<Arc<str>> = Vec::new();
        for machine in names.take_while(|machine| machine.starts_with(prefix)) {
            if machines.last() != Some(machine) && after.is_none_or(|after| **machine > *after) {
                if machines.len() == limit {
                    break;
                }
                machines.push(machine.clone());
            }
        }
        machines
    }

    pub(crate) fn segments(&self, key: ExecutionKey, from: u32) -> Vec<Segment> {
        self.segments
            .range((key, from)..=(key, u32::MAX))
            .map(|((_, number), data)| Segment { number: *number, data: data.clone() })
            .collect()
    }

    pub(crate) fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Vec<Segment> {
        let segment =
            |((_, number), data): (&(_, u32), &Vec<u8>)| Segment { number: *number, data: data.clone() };
        if newest_first {
            self.segments.range((key, 0)..=(key, from)).rev().take(limit).map(segment).collect()
        } else {
            self.segments.range((key, from)..=(key, u32::MAX)).take(limit).map(segment).collect()
        }
    }

    pub(crate) fn timers(&self, shard: ShardId) -> Vec<Timer> {
        let keys = keys(shard);
        let rows = (*keys.start(), 0, i64::MIN)..=(*keys.end(), u32::MAX, i64::MAX);
        let timer = |&(key, timer, due_ms): &(ExecutionKey, u32, i64)| Timer { due_ms, key, timer };
        let mut timers: Vec<Timer> = self.timers.range(rows).map(timer).collect();
        timers.sort_unstable();
        timers
    }

    pub(crate) fn dispatches(&self, shard: ShardId) -> Vec<Dispatch> {
        let keys = keys(shard);
        let first = Dispatch { key: *keys.start(), task: 0 };
        let last = Dispatch { key: *keys.end(), task: u32::MAX };
        self.dispatches.range(first..=last).copied().collect()
    }

    pub(crate) fn dispatches_of(&self, keys: &[ExecutionKey]) -> Vec<Dispatch> {
        let tasks = |key| Dispatch { key, task: 0 }..=Dispatch { key, task: u32::MAX };
        keys.iter().flat_map(|key| self.dispatches.range(tasks(*key))).copied().collect()
    }

    pub(crate) fn queued(&self, shard: ShardId) -> Vec<QueueItem> {
        let mut items: Vec<_> = self.queued.iter().filter(|((key, ..), _)| key.shard() == shard).collect();
        items.sort_unstable_by_key(|(_, position)| **position);
        items
            .into_iter()
            .map(|((key, task, queue), _)| QueueItem { queue: queue.clone(), key: *key, task: *task })
            .collect()
    }

    pub(crate) fn permits(&self, shard: ShardId) -> Vec<Permit> {
        let keys = keys(shard);
        let permits = self.permits.range((*keys.start(), 0)..=(*keys.end(), u32::MAX));
        permits.map(|((key, task), data)| Permit { key: *key, task: *task, data: data.clone() }).collect()
    }

    pub(crate) fn record(&self, kind: CatalogKind, key: &str) -> Option<CatalogRecord> {
        self.records.get(&(kind, Arc::from(key))).cloned()
    }

    pub(crate) fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<CatalogRecord> {
        let lowest = after.map_or(prefix, |after| after.max(prefix));
        self.records
            .range((kind, Arc::from(lowest))..)
            .take_while(|((of_kind, key), _)| *of_kind == kind && key.starts_with(prefix))
            .filter(|((_, key), _)| after.is_none_or(|after| **key > *after))
            .take(limit)
            .map(|(_, record)| record.clone())
            .collect()
    }
}
