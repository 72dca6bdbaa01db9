//! Finding what is to go: of each machine, from time to time, the executions that ended long enough ago.

use std::sync::Arc;

use stepwright_store::{Execution as Row, ExecutionKey, ExecutionQuery, Listing, Status};

use super::{BATCH, PAUSE_MS};
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};

/// How often all machines are looked at: a part of the shortest time that anything is kept, within these bounds.
const EVERY_MS_MIN: i64 = 1_000;
const EVERY_MS_MAX: i64 = 60 * 60 * 1_000;
const PARTS: i64 = 8;

const ENDED: [Status; 4] = [Status::Succeeded, Status::Failed, Status::TimedOut, Status::Aborted];

impl Engine {
    pub(crate) fn spawn_retention_loop(self: &Arc<Self>) {
        let engine = Arc::downgrade(self);
        let every_ms = self.retention.shortest_ms().map_or(EVERY_MS_MAX, |keep_ms| keep_ms / PARTS);
        let every_ms = every_ms.clamp(EVERY_MS_MIN, EVERY_MS_MAX);
        tokio::spawn(async move {
            loop {
                let Some(engine) = engine.upgrade() else { return };
                if engine.failure_reason().is_some() {
                    return;
                }
                match engine.sweep().await {
                    Ok(0) => {}
                    Ok(forgotten) => tracing::info!(forgotten, "executions have been kept long enough"),
                    Err(error) => {
                        tracing::warn!(%error, "what has been kept long enough could not be forgotten")
                    }
                }
                let (clock, again_ms) = (engine.clock.clone(), engine.clock.now_ms() + every_ms);
                // Not kept alive by this alone.
                drop(engine);
                clock.sleep_until(again_ms).await;
            }
        });
    }

    /// Looks at all machines once. Returns how many executions were forgotten.
    async fn sweep(self: &Arc<Self>) -> Result<u64, DeliverError> {
        let mut forgotten = 0;
        let mut after: Option<Arc<str>> = None;
        loop {
            let machines = self.store.machines("", after.as_deref(), BATCH).await.map_err(LoadError::from)?;
            // Children of map runs go with their parents.
            for machine in machines.iter().filter(|machine| !machine.contains('/')) {
                if let Some(before_ms) = self.kept_until(machine).await? {
                    forgotten += self.forget_ended(machine, before_ms).await?;
                }
            }
            after = machines.last().cloned();
            if machines.len() < BATCH {
                return Ok(forgotten);
            }
        }
    }

    /// The end before which executions of the machine are not kept any more; `None`: all are kept.
    async fn kept_until(&self, machine: &Arc<str>) -> Result<Option<i64>, DeliverError> {
        // Before it is known whether the machine is there: what ends later may be another's that gets the name meanwhile.
        let now_ms = self.clock.now_ms();
        let facts = self.programs.machine(machine).await.map_err(LoadError::from)?;
        let Some(facts) = facts else { return Ok(Some(now_ms)) };
        if facts.is_deleting {
            return Ok(None);
        }
        let kept_ms = self.retention.keep_ms(machine, &facts.tags);
        // What ended before the machine came to be was an earlier one's of this name.
        Ok(Some(kept_ms.map_or(facts.created_ms, |kept_ms| facts.created_ms.max(now_ms - kept_ms))))
    }

    /// Forgets the executions of a machine that ended before a time.
    async fn forget_ended(self: &Arc<Self>, machine: &Arc<str>, before_ms: i64) -> Result<u64, DeliverError> {
        let mut forgotten = 0;
        for status in ENDED {
            let mut after = None;
            loop {
                let of = Listing::Machine(machine.clone());
                let query =
                    ExecutionQuery { of, status: Some(status), oldest_first: true, after, limit: BATCH };
                let page = self.list(query).await.map_err(LoadError::from)?;
                let is_old = |row: &&Row| row.stop_ms.is_some_and(|stop_ms| stop_ms < before_ms);
                let keys: Vec<ExecutionKey> = page.items.iter().filter(is_old).map(|row| row.key).collect();
                if !keys.is_empty() {
                    let gone = self.forget(&keys).await? as u64;
                    metrics::counter!("stepwright_retention_removed_total", "why" => "expired")
                        .increment(gone);
                    forgotten += gone;
                    self.pause().await;
                }
                // An execution ends after its start: those that started later are kept.
                let last = page.items.last().filter(|last| page.more && last.start_ms < before_ms);
                let Some(last) = last else { break };
                after = Some((last.start_ms, last.key));
            }
        }
        Ok(forgotten)
    }

    /// Takes a step on the way to forget all executions of a machine that is being deleted: aborts some that run, and forgets
    /// some that have ended. `true`: there are none any more.
    pub async fn forget_machine(self: &Arc<Self>, machine: &Arc<str>) -> Result<bool, DeliverError> {
        let mut query = ExecutionQuery {
            of: Listing::Machine(machine.clone()),
            status: Some(Status::Running),
            oldest_first: true,
            after: None,
            limit: BATCH,
        };
        for row in self.list(query.clone()).await.map_err(LoadError::from)?.items {
            match self.stop(row.key, None, None).await {
                // One that has just ended by itself is as good.
                Ok(_) | Err(DeliverError::Refused | DeliverError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        query.status = None;
        let page = self.list(query).await.map_err(LoadError::from)?;
        let keys: Vec<ExecutionKey> = page.items.iter().map(|row| row.key).collect();
        let gone = self.forget(&keys).await?;
        metrics::counter!("stepwright_retention_removed_total", "why" => "deleted").increment(gone as u64);
        Ok(gone == keys.len() && !page.more)
    }

    /// Gives others their turn.
    pub async fn pause(&self) {
        self.clock.sleep_until(self.clock.now_ms() + PAUSE_MS).await;
    }
}
