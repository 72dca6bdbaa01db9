//! A store whose disk takes its time.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use stepwright_store::faulty::{Fault, Faulty};
use stepwright_store::{
    CatalogKind, CatalogRecord, CommitError, Counts, Dispatch, Epoch, Execution, ExecutionKey,
    ExecutionQuery, Found, Page, Pending, Permit, QueueItem, Search, Segment, ShardId, Store, StoreError,
    Timer, Unit,
};
use tokio::sync::Notify;

use crate::dice::Dice;

/// The value of a future that does not have to wait: a read of a store in memory.
pub fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// A [`Faulty`] store that is held ([`stepwright_store::faulty::FaultyOptions::held`]): [`Disk::run`] flushes and releases, in
/// batches and after delays as the dice fall. Reads take a while, too.
pub struct Disk {
    store: Arc<Faulty>,
    handed_in: Notify,
    pace: Mutex<Pace>,
}

struct Pace {
    dice: Dice,
    /// In how many of a hundred cases a flush takes milliseconds; else it is done as soon as all others wait.
    slow_percent: u64,
    one_at_a_time: bool,
}

impl Disk {
    pub fn new(store: Arc<Faulty>, mut dice: Dice) -> Arc<Disk> {
        let slow_percent = [0, 30, 100][dice.below(3) as usize];
        let pace = Pace { dice, slow_percent, one_at_a_time: false };
        Arc::new(Disk { store, handed_in: Notify::new(), pace: Mutex::new(pace) })
    }

    /// A disk that takes no time, and makes each unit durable by itself.
    pub fn one_at_a_time(store: Arc<Faulty>) -> Arc<Disk> {
        let pace = Pace { dice: Dice::new(0), slow_percent: 0, one_at_a_time: true };
        Arc::new(Disk { store, handed_in: Notify::new(), pace: Mutex::new(pace) })
    }

    /// The store behind it, without delays.
    pub fn store(&self) -> &Arc<Faulty> {
        &self.store
    }

    /// Works until a fault strikes; says which.
    pub async fn run(&self) -> Fault {
        loop {
            if self.store.waiting() == 0 && self.store.unreleased() == 0 {
                self.handed_in.notified().await;
            }
            self.seek().await;
            let (units_max, answers_max) = self.batch();
            if let Some(fault) = self.store.flush(units_max).and_then(|flushed| flushed.fault) {
                if let Fault::Fail(_) = fault {
                    self.store.release(usize::MAX);
                }
                return fault;
            }
            self.seek().await;
            self.store.release(answers_max);
        }
    }

    fn batch(&self) -> (usize, usize) {
        let mut pace = self.pace();
        if pace.one_at_a_time {
            return (1, usize::MAX);
        }
        let mut size = || if pace.dice.percent(70) { usize::MAX } else { pace.dice.below(3) as usize };
        // Nothing of either would be a turn without work, and the loop without end.
        (size().max(1), size())
    }

    async fn seek(&self) {
        let delay_ms = {
            let mut pace = self.pace();
            let slow_percent = pace.slow_percent;
            if pace.dice.percent(slow_percent) { pace.dice.between(1, 20) } else { 0 }
        };
        match delay_ms {
            0 => tokio::task::yield_now().await,
            ms => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A read that takes a while, before or after it has looked.
    fn slowly<'s, T: Send + 's>(&'s self, read: Pending<'s, T>) -> Pending<'s, T> {
        Box::pin(async move {
            if self.pace().dice.percent(50) {
                self.seek().await;
            }
            let value = read.await;
            if self.pace().dice.percent(20) {
                self.seek().await;
            }
            value
        })
    }
}

impl Store for Disk {
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>> {
        let answer = self.store.acquire(shard);
        self.handed_in.notify_one();
        answer
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        let answer = self.store.commit(unit);
        self.handed_in.notify_one();
        answer
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        self.slowly(Box::pin(async move { self.store.execution(key).await }))
    }

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        let (machine, name) = (machine.to_owned(), name.to_owned());
        self.slowly(Box::pin(async move { self.store.execution_by_name(&machine, &name).await }))
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>> {
        self.slowly(Box::pin(async move { self.store.executions(query).await }))
    }

    fn search(&self, search: Search) -> Pending<'_, Result<Found, StoreError>> {
        self.slowly(Box::pin(async move { self.store.search(search).await }))
    }

    fn counts(
        &self,
        machines: Option<std::collections::BTreeSet<Arc<str>>>,
    ) -> Pending<'_, Result<Counts, StoreError>> {
        self.store.counts(machines)
    }

    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>> {
        self.store.machines(prefix, after, limit)
    }

    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        self.slowly(Box::pin(async move { self.store.segments(key, from).await }))
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        self.slowly(Box::pin(async move { self.store.some_segments(key, from, newest_first, limit).await }))
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        self.store.timers(shard)
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.store.dispatches(shard)
    }

    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.store.dispatches_of(keys)
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        self.store.queued(shard)
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        self.store.permits(shard)
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        self.store.record(kind, key)
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        self.store.records(kind, prefix, after, limit)
    }
}
