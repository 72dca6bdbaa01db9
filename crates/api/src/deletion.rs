//! Deleting a state machine: its executions, its revisions, versions and aliases, and at last the machine itself, in small steps.
//!
//! Until the last step the machine is there, with the status `DELETING`, and its name is taken: what a crash leaves half-way is
//! found again by that. So a machine that gets the name afterwards has nothing of the earlier one.
//!
//! The first steps are taken while `DeleteStateMachine` waits: a small machine is gone when it answers. The others are taken in
//! the background. One process takes them for a machine, one at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use stepwright_store::Expect;

use crate::api::Api;
use crate::backend::{Backend, ExecutionError};
use crate::catalog::{
    Alias, Catalog, CatalogWrite, Machine, MachineEntry, Record, Tags, Version, WriteError,
};
use crate::error::ApiError;

/// Steps that are taken while the caller waits.
const STEPS_AT_ONCE: usize = 8;
/// Catalogue records that a step removes. Revisions may have a megabyte each.
const RECORDS: usize = 32;
/// Machines that are looked at together after a start.
const PAGE: usize = 256;

/// The deletions that are under way in this process.
pub(crate) struct Deletions {
    catalog: Arc<Catalog>,
    backend: Arc<dyn Backend>,
    /// By ARN.
    under_way: Arc<Mutex<HashSet<String>>>,
}

/// The only one who deletes a machine.
struct Turn {
    arn: String,
    under_way: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.arn);
    }
}

impl Deletions {
    pub fn new(catalog: Arc<Catalog>, backend: Arc<dyn Backend>) -> Deletions {
        Deletions { catalog, backend, under_way: Arc::default() }
    }

    /// Goes on with the deletion of a machine whose status is `DELETING`; whether it is gone now. What is left is done in the
    /// background.
    pub async fn go_on(&self, plain: &str) -> Result<bool, ApiError> {
        let Some(turn) = self.turn(plain) else { return Ok(false) };
        let steps = Steps { catalog: self.catalog.clone(), backend: self.backend.clone(), turn };
        for _ in 0..STEPS_AT_ONCE {
            if steps.step().await? {
                return Ok(true);
            }
        }
        tokio::spawn(steps.finish());
        Ok(false)
    }

    /// Goes on with the deletions that an earlier process has left.
    async fn go_on_with_all(&self) -> Result<(), ApiError> {
        let mut after: Option<String> = None;
        loop {
            let entries: Vec<MachineEntry> = self.catalog.list("", after.as_deref(), PAGE).await?;
            for entry in entries.iter().filter(|entry| entry.deleting) {
                self.go_on(&entry.arn).await?;
            }
            after = entries.last().map(Record::key);
            if entries.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn turn(&self, plain: &str) -> Option<Turn> {
        let is_first = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(plain.to_owned());
        is_first.then(|| Turn { arn: plain.to_owned(), under_way: self.under_way.clone() })
    }
}

impl Api {
    /// Goes on, in the background, with the deletions of state machines that an earlier process has left.
    pub fn resume_deletions(self: &Arc<Self>) {
        let api = self.clone();
        tokio::spawn(async move {
            if let Err(error) = api.deletions.go_on_with_all().await {
                tracing::warn!(
                    error = error.message,
                    "deletions of state machines could not be gone on with"
                );
            }
        });
    }
}

struct Steps {
    catalog: Arc<Catalog>,
    backend: Arc<dyn Backend>,
    turn: Turn,
}

impl Steps {
    async fn finish(self) {
        loop {
            self.backend.pause().await;
            match self.step().await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    let (arn, error) = (&self.turn.arn, error.message);
                    tracing::warn!(
                        arn,
                        error,
                        "a state machine could not be deleted; the next request for it tries again"
                    );
                    return;
                }
            }
        }
    }

    /// Takes a step; whether the machine is gone.
    async fn step(&self) -> Result<bool, ApiError> {
        let arn = &self.turn.arn;
        let Some((entry, expect)) = self.catalog.read_for_write::<MachineEntry>(arn).await? else {
            return Ok(true);
        };
        if !entry.deleting {
            return Ok(true);
        }
        let executions = self.backend.forget_executions(arn).await;
        let are_gone = executions.map_err(|error: ExecutionError| ApiError::from_execution(error, arn))?;
        if !are_gone {
            return Ok(false);
        }
        let current = Machine::record_key(arn, &entry.revision);
        let mut writes = self.removals::<Alias>(&format!("{arn}:")).await?;
        writes.extend(self.removals::<Version>(&format!("{arn}:")).await?);
        // The current revision stays with the machine: it is what describes it.
        let revisions = self.removals::<Machine>(&Machine::record_key(arn, "")).await?;
        writes.extend(revisions.into_iter().filter(|write| write.key != current));
        if writes.is_empty() {
            let last = [
                Machine::delete(current, Expect::Anything),
                Tags::delete(arn, Expect::Anything),
                MachineEntry::delete(arn, expect),
            ];
            return match self.catalog.write(last.into()).await {
                Ok(()) => Ok(true),
                Err(WriteError::Conflict) => Ok(false),
                Err(error) => Err(error.into()),
            };
        }
        self.catalog.write(writes).await?;
        Ok(false)
    }

    /// What removes some of the records whose key starts with `prefix`.
    async fn removals<T: Record>(&self, prefix: &str) -> Result<Vec<CatalogWrite>, ApiError> {
        let records: Vec<T> = self.catalog.list(prefix, None, RECORDS).await?;
        Ok(records.iter().map(|record| T::delete(record.key(), Expect::Anything)).collect())
    }
}
