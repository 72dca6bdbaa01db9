//! Which limits apply: those of the configuration file, and in front of them those that were set at run time. The latter are
//! records of the catalogue, so that they outlast the process.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_formats::catalog as format;
use stepwright_store::{CatalogKind, CommitError, Expect, Mutation, StoreError};
use thiserror::Error;

use super::{Limit, LimitDefinition, LimitError};
use crate::engine::Engine;

/// Limits that can be set at run time.
const SET_MAX: usize = 1_000;

#[derive(Default)]
pub(super) struct Settings {
    /// From the configuration file, in its order.
    pub file: Vec<Arc<Limit>>,
    /// Set at run time, by name.
    pub set: BTreeMap<String, Arc<Limit>>,
}

impl Settings {
    fn effective(&self) -> Vec<Arc<Limit>> {
        let in_file = |name: &str| self.file.iter().any(|limit| &*limit.name == name);
        let first = self.file.iter().map(|limit| self.set.get(&*limit.name).unwrap_or(limit));
        let others = self.set.iter().filter(|(name, _)| !in_file(name)).map(|(_, limit)| limit);
        first.chain(others).cloned().collect()
    }
}

/// Why a limit was not set or removed.
#[derive(Debug, Error)]
pub enum SetLimitError {
    #[error(transparent)]
    Definition(#[from] LimitError),
    #[error("{SET_MAX} limits have been set at run time, and no more are possible; remove some")]
    TooMany,
    #[error("there is no limit {0:?}")]
    NotFound(String),
    /// Only what was set at run time can be removed at run time.
    #[error(
        "the limit {0:?} is in the configuration file: remove it there, or set another of this name in front of it"
    )]
    InFile(String),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl Engine {
    /// Reads what was set at run time before, and puts it in front of what the configuration file has.
    pub(crate) async fn load_limits(&self, file: Vec<Limit>) -> Result<(), StoreError> {
        let mut settings = self.limits.settings.lock().await;
        settings.file = file.into_iter().map(Arc::new).collect();
        for record in self.store.records(CatalogKind::Limit, "", None, SET_MAX).await? {
            let stored = format::read::<format::Limit>(&record.data).map_err(|error| error.to_string());
            match stored.and_then(|stored| Limit::compile(stored.into()).map_err(|error| error.to_string())) {
                Ok(limit) => drop(settings.set.insert(record.key.to_string(), Arc::new(limit))),
                Err(reason) => {
                    return Err(StoreError::Corrupt(format!("the limit {}: {reason}", record.key)));
                }
            }
        }
        let limits = settings.effective();
        // In a store in which nothing has ever run, nothing can have started.
        if self.shard.newest.load(std::sync::atomic::Ordering::Relaxed) > 0 {
            let now_ms = self.clock.now_ms();
            self.limits.change(|limiter| limiter.filled(&limits, now_ms));
        }
        self.apply(&limits);
        Ok(())
    }

    fn apply(&self, limits: &[Arc<Limit>]) {
        *self.limits.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = limits.into();
        self.limits.change(|limiter| limiter.set_limits(limits));
    }

    /// Sets a limit, in front of one of the same name. Returns when that is durable; from then on it applies, also to those
    /// who wait.
    pub async fn set_limit(self: &Arc<Self>, definition: LimitDefinition) -> Result<(), SetLimitError> {
        let limit = Arc::new(Limit::compile(definition)?);
        let name = limit.definition.name.clone();
        let mut settings = self.limits.settings.lock().await;
        if settings.set.len() >= SET_MAX && !settings.set.contains_key(&name) {
            return Err(SetLimitError::TooMany);
        }
        let stored = format::Limit::from(limit.definition.clone());
        self.write(&name, Some(format::write(&stored))).await?;
        tracing::info!(limit = &*name, definition = ?limit.definition, "a limit was set");
        settings.set.insert(name, limit);
        self.apply(&settings.effective());
        self.give_turns();
        Ok(())
    }

    /// Removes a limit that was set at run time. One of the same name in the configuration file applies again.
    pub async fn remove_limit(self: &Arc<Self>, name: &str) -> Result<(), SetLimitError> {
        let mut settings = self.limits.settings.lock().await;
        if !settings.set.contains_key(name) {
            let in_file = settings.file.iter().any(|limit| &*limit.name == name);
            let name = name.to_owned();
            return Err(if in_file { SetLimitError::InFile(name) } else { SetLimitError::NotFound(name) });
        }
        self.write(name, None).await?;
        settings.set.remove(name);
        tracing::info!(limit = name, "a limit was removed");
        self.apply(&settings.effective());
        self.give_turns();
        Ok(())
    }

    async fn write(&self, name: &str, data: Option<Vec<u8>>) -> Result<(), CommitError> {
        let kind = CatalogKind::Limit;
        let mutation = Mutation::Catalog { kind, key: name.into(), data, expect: Expect::Anything };
        self.commit(vec![mutation]).await
    }
}
