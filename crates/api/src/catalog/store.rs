//! Where catalogue records are kept.

use std::sync::Arc;

use stepwright_store::{
    CatalogKind, CatalogRecord, CommitError, Epoch, Expect, Mutation, Pending, ShardId, Store, StoreError,
    Unit,
};
use thiserror::Error;

/// Keeps catalogue records. All writes of one call take effect together.
pub trait CatalogStore: Send + Sync + 'static {
    /// A record.
    fn get(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>>;

    /// Records in key order, after `after` (exclusive), whose key starts with `prefix`.
    fn list(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>>;

    /// Writes; resolves when durable.
    fn write(&self, writes: Vec<CatalogWrite>) -> Pending<'static, Result<(), WriteError>>;
}

/// One write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogWrite {
    pub kind: CatalogKind,
    pub key: String,
    /// `None` deletes the record.
    pub data: Option<Vec<u8>>,
    pub expect: Expect,
}

/// Why nothing was written.
#[derive(Debug, Clone, Error)]
pub enum WriteError {
    /// A record is not as expected.
    #[error("the record has changed")]
    Conflict,
    #[error("{0}")]
    Failed(String),
}

/// The catalogue in a [`Store`], written under the lease of one shard.
pub struct StoredCatalog {
    store: Arc<dyn Store>,
    shard: ShardId,
    epoch: Epoch,
}

impl StoredCatalog {
    /// `epoch` is that of the lease under which the caller holds `shard`.
    pub fn new(store: Arc<dyn Store>, shard: ShardId, epoch: Epoch) -> StoredCatalog {
        StoredCatalog { store, shard, epoch }
    }
}

impl CatalogStore for StoredCatalog {
    fn get(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        self.store.record(kind, key)
    }

    fn list(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        self.store.records(kind, prefix, after, limit)
    }

    fn write(&self, writes: Vec<CatalogWrite>) -> Pending<'static, Result<(), WriteError>> {
        let mutations = writes.into_iter().map(Mutation::from).collect();
        let committed = self.store.commit(Unit { shard: self.shard, epoch: self.epoch, mutations });
        Box::pin(async move { committed.await.map_err(WriteError::from) })
    }
}

impl From<CatalogWrite> for Mutation {
    fn from(write: CatalogWrite) -> Mutation {
        let CatalogWrite { kind, key, data, expect } = write;
        Mutation::Catalog { kind, key: key.into(), data, expect }
    }
}

impl From<CommitError> for WriteError {
    fn from(error: CommitError) -> WriteError {
        match error {
            CommitError::Conflict { .. } => WriteError::Conflict,
            other => WriteError::Failed(other.to_string()),
        }
    }
}
