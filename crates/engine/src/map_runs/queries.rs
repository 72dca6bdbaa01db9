//! What callers ask of map runs and their children, and what they can change.

use std::sync::Arc;

use stepwright_store::{CatalogKind, CommitError, ExecutionKey, Status, StoreError};
use thiserror::Error;

use super::Counts;
use super::record::{RunKey, RunLimits, RunRecord};
use crate::engine::Engine;
use crate::error::LoadError;
use crate::record::RecordError;

/// Everything that is known of a map run.
#[derive(Clone, Debug)]
pub struct MapRunDescription {
    pub record: RunRecord,
    /// As they are now.
    pub limits: RunLimits,
    pub items: Counts,
    pub executions: Counts,
}

/// What to change; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct MapRunUpdate {
    pub max_concurrency: Option<u32>,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
}

/// Why a run was not changed.
#[derive(Debug, Error)]
pub enum UpdateMapRunError {
    #[error("no such map run")]
    NotFound,
    #[error("the map run has ended")]
    Completed,
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Engine {
    /// The map run with this ARN.
    pub async fn describe_map_run(&self, map_run_arn: &str) -> Result<Option<MapRunDescription>, LoadError> {
        let Some(key) = self.map_run_key(map_run_arn).await? else { return Ok(None) };
        Ok(self.map_run_record(key).await?.map(|record| self.described_run(key, record)))
    }

    /// The map runs of an execution, oldest first, after the one with the number `after`. At most `limit`, and whether more
    /// follow.
    pub async fn map_runs(
        &self,
        parent: ExecutionKey,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(Vec<(RunKey, RunRecord)>, bool), LoadError> {
        let after = after.map(|run| RunKey { parent, run }.record_key());
        let prefix = RunKey::prefix(parent);
        let found = self.store.records(CatalogKind::MapRun, &prefix, after.as_deref(), limit + 1).await?;
        let more = found.len() > limit;
        let mut runs = Vec::new();
        for record in found.into_iter().take(limit) {
            let Some(key) = RunKey::of_record_key(&record.key) else { continue };
            runs.push((key, RunRecord::decode(&record.data)?));
        }
        Ok((runs, more))
    }

    /// Changes the limits of a run that is open; durable when this returns, and in effect at once.
    pub async fn update_map_run(
        self: &Arc<Self>,
        map_run_arn: &str,
        update: MapRunUpdate,
    ) -> Result<(), UpdateMapRunError> {
        let key = self.map_run_key(map_run_arn).await?.ok_or(UpdateMapRunError::NotFound)?;
        let engine = self.clone();
        crate::engine::to_its_end(async move { engine.update_run(key, update).await }).await
    }

    async fn update_run(&self, key: RunKey, update: MapRunUpdate) -> Result<(), UpdateMapRunError> {
        let run = self.map_runs.get(key).ok_or(UpdateMapRunError::Completed)?;
        let mut record = run.record.lock().await;
        if record.status != Status::Running || run.is_cancelled() {
            return Err(UpdateMapRunError::Completed);
        }
        let mut changed = record.clone();
        let limits = &mut changed.limits;
        limits.max_concurrency = update.max_concurrency.unwrap_or(limits.max_concurrency);
        limits.tolerated_failure_count = update.tolerated_failure_count.or(limits.tolerated_failure_count);
        limits.tolerated_failure_percentage =
            update.tolerated_failure_percentage.or(limits.tolerated_failure_percentage);
        self.commit(vec![changed.mutation(key)]).await?;
        run.live().limits = changed.limits;
        *record = changed;
        drop(record);
        run.changed.notify_one();
        Ok(())
    }

    async fn map_run_key(&self, map_run_arn: &str) -> Result<Option<RunKey>, LoadError> {
        let Some(pointer) = self.store.record(CatalogKind::MapRun, map_run_arn).await? else {
            return Ok(None);
        };
        let key = std::str::from_utf8(&pointer.data).ok().and_then(RunKey::of_record_key);
        key.map(Some).ok_or_else(|| RecordError("leads nowhere").into())
    }

    pub(crate) async fn map_run_record(&self, key: RunKey) -> Result<Option<RunRecord>, LoadError> {
        let found = self.store.record(CatalogKind::MapRun, &key.record_key()).await?;
        Ok(found.map(|found| RunRecord::decode(&found.data)).transpose()?)
    }

    fn described_run(&self, key: RunKey, record: RunRecord) -> MapRunDescription {
        let open = self.map_runs.get(key).filter(|_| record.status == Status::Running);
        match open.map(|run| *run.live()) {
            Some(live) => MapRunDescription {
                record,
                limits: live.limits,
                items: live.items,
                executions: live.executions,
            },
            None => MapRunDescription {
                limits: record.limits,
                items: record.items,
                executions: record.executions,
                record,
            },
        }
    }
}

impl From<StoreError> for UpdateMapRunError {
    fn from(error: StoreError) -> UpdateMapRunError {
        LoadError::from(error).into()
    }
}
