//! Letting executions go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwright_store::{CatalogKind, ExecutionKey, ExecutionQuery, Listing, Mutation, Pending, Status};
use tokio::sync::OwnedMutexGuard;

use super::BATCH;
use crate::deliver::Loaded;
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};
use crate::hot::Slot;
use crate::map_runs::{RunKey, RunRecord};

/// An execution that nothing can happen to meanwhile.
struct Held {
    key: ExecutionKey,
    slot: Slot,
    place: OwnedMutexGuard<Option<Loaded>>,
}

impl Engine {
    /// Forgets those of the executions that have ended and of which nothing is under way any more, with their map runs and the
    /// children of these. Returns how many of `keys` are gone; the others are left as they are, for another time.
    pub(crate) fn forget<'a>(
        self: &'a Arc<Self>,
        keys: &'a [ExecutionKey],
    ) -> Pending<'a, Result<usize, DeliverError>> {
        Box::pin(async move {
            let mut held: Vec<Held> = keys.iter().filter_map(|key| self.hold(*key)).collect();
            let result = self.forget_held(&mut held).await;
            for Held { key, slot, place } in held {
                drop(place);
                self.hot.release(key, slot);
            }
            result
        })
    }

    /// `None`: something happens to it at this moment.
    fn hold(&self, key: ExecutionKey) -> Option<Held> {
        let slot = self.hot.slot(key);
        match slot.clone().try_lock_owned() {
            Ok(place) => Some(Held { key, slot, place }),
            Err(_) => {
                self.hot.release(key, slot);
                None
            }
        }
    }

    async fn forget_held(self: &Arc<Self>, held: &mut [Held]) -> Result<usize, DeliverError> {
        let mut ended = BTreeSet::new();
        for Held { key, .. } in held.iter() {
            let row = self.store.execution(*key).await.map_err(LoadError::from)?;
            if row.is_some_and(|row| !matches!(row.status, Status::Running)) {
                ended.insert(*key);
            }
        }
        // A call that is still to be answered, a job still to be stopped, a map run still to be ended.
        let keys: Vec<ExecutionKey> = ended.iter().copied().collect();
        for dispatch in self.store.dispatches_of(&keys).await.map_err(LoadError::from)? {
            ended.remove(&dispatch.key);
        }
        for (run, record) in self.runs_of(&ended).await? {
            if !self.forget_children(&record).await? {
                ended.remove(&run.parent);
                continue;
            }
            self.commit(record.removal(run).into()).await?;
        }
        if ended.is_empty() {
            return Ok(0);
        }
        self.commit(ended.iter().copied().map(Mutation::DeleteExecution).collect()).await?;
        for gone in held.iter_mut().filter(|held| ended.contains(&held.key)) {
            *gone.place = None;
        }
        Ok(ended.len())
    }

    /// The map runs of the executions.
    async fn runs_of(
        &self,
        parents: &BTreeSet<ExecutionKey>,
    ) -> Result<BTreeMap<RunKey, RunRecord>, DeliverError> {
        let (Some(first), Some(last)) = (parents.first(), parents.last()) else { return Ok(BTreeMap::new()) };
        let mut runs = BTreeMap::new();
        let mut after = RunKey::prefix(*first);
        loop {
            let found = self.store.records(CatalogKind::MapRun, "", Some(&after), BATCH).await;
            let found = found.map_err(LoadError::from)?;
            let is_all = found.len() < BATCH;
            for record in found {
                after = record.key.to_string();
                // A record that leads from an ARN to another one.
                let Some(run) = RunKey::of_record_key(&record.key) else { continue };
                if run.parent > *last {
                    return Ok(runs);
                }
                if parents.contains(&run.parent) {
                    runs.insert(run, RunRecord::decode(&record.data).map_err(LoadError::from)?);
                }
            }
            if is_all {
                return Ok(runs);
            }
        }
    }

    /// Forgets all children of a run; whether that was possible.
    async fn forget_children(self: &Arc<Self>, run: &RunRecord) -> Result<bool, DeliverError> {
        loop {
            let query = ExecutionQuery {
                of: Listing::MapRun { arn: run.map_run_arn.clone(), redriven: None },
                status: None,
                oldest_first: true,
                after: None,
                limit: BATCH,
            };
            let children = self.list(query).await.map_err(LoadError::from)?.items;
            if children.is_empty() {
                return Ok(true);
            }
            let keys: Vec<ExecutionKey> = children.iter().map(|child| child.key).collect();
            if self.forget(&keys).await? == 0 {
                return Ok(false);
            }
            self.pause().await;
        }
    }
}
