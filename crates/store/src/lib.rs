//! Durable storage, as the engine sees it: a batch-oriented trait in plain types, and its adapters.
//!
//! A store keeps four things: execution rows (what listings and `DescribeExecution` need), history segments (opaque
//! bytes, one per commit that adds events), wake-ups (timers, dispatched tasks, queued activity tasks, permits) and catalogue
//! records (state machines, activities, tags; opaque bytes). Everything changes through [`Store::commit`]: one
//! [`Unit`] is atomic by itself, and an adapter commits many units with one flush (group commit).
//!
//! Units name a shard and carry the epoch of the lease under which their author holds it (the fence): a node that has
//! lost the shard cannot write to it any more. Nothing here assumes that one process is the only one.
//!
//! Invariant: this crate knows nothing of the Amazon States Language or of HTTP.

mod answer;
mod check;
pub mod embedded;
pub mod faulty;
pub mod memory;
mod search;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use search::{Found, Search};
pub use types::{
    CatalogKind, CatalogRecord, CommitError, Dispatch, Epoch, Execution, ExecutionKey, ExecutionQuery,
    Expect, Listed, Listing, Mutation, Page, Pending, Permit, QueueItem, Segment, ShardId, Status,
    StoreError, Timer, Unit,
};

/// How many executions have a status; none: absent.
pub type Counts = BTreeMap<Status, u64>;

/// A store of executions. Adapters: embedded (a log and SQLite), in memory, and the faulty one for tests.
///
/// Every method may be called from any thread at any time. Futures complete without a particular runtime.
pub trait Store: Send + Sync + 'static {
    /// Takes the shard: raises its epoch, so that units with an older one are refused from now on, and returns the new
    /// epoch (from 1) with the highest execution sequence number that was ever in use (0: none).
    ///
    /// Ordered like a unit of the shard.
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>>;

    /// Commits the unit. Resolves when the unit is durable, or when it was refused; then nothing of it is there.
    /// Units of one shard take effect in the order in which `commit` was called, whether or not the futures are polled
    /// or kept.
    ///
    /// When the storage below fails, the unit and all that follow it resolve to [`CommitError::Store`], and the
    /// store takes no further work; see there what is known of the unit.
    ///
    /// Blocks the caller while more waits to be committed than the adapter allows.
    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>>;

    /// The execution's row.
    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>>;

    /// The row of the execution called `name` of `machine`.
    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>>;

    /// Execution rows of a state machine, version, alias or map run, newest start first, the higher key first among
    /// equal starts; or the other way round. `head` and `tail` are left empty.
    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>>;

    /// Executions over all machines, by what is known of them.
    fn search(&self, search: Search) -> Pending<'_, Result<Found, StoreError>>;

    /// How many executions there are, by status: of these machines, or of all.
    fn counts(&self, machines: Option<BTreeSet<Arc<str>>>) -> Pending<'_, Result<Counts, StoreError>>;

    /// What executions have as [`Execution::machine`], in order, after `after` (exclusive), where it starts with `prefix`.
    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>>;

    /// The execution's segments with the number `from` and higher ones, in order.
    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>>;

    /// At most `limit` of the execution's segments: with the number `from` and higher ones in order, or, `newest_first`,
    /// with the number `from` and lower ones, the highest first.
    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>>;

    /// All timers of the shard, earliest first.
    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>>;

    /// All tasks of the shard that were dispatched and have not been answered, by key and task.
    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>>;

    /// The tasks of these executions that were dispatched and have not been answered.
    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>>;

    /// All queued items of the shard, oldest first.
    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>>;

    /// All permits of the shard, by key and task.
    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>>;

    /// A catalogue record.
    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>>;

    /// Catalogue records of a kind in key order, after `after` (exclusive), whose key starts with `prefix`.
    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>>;
}
