//! How a batch becomes rows: one transaction for all its jobs, in their order.
//!
//! A refused unit leaves nothing behind. Units are written so that what can be refused comes first; then there is nothing
//! to take back. So a batch is tried without savepoints, and only when a unit was refused after it had changed
//! something is the transaction rolled back and the batch applied again, with a savepoint around every unit.

mod statements;
mod unit;

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::Connection;

use super::queue::Job;
use super::read;
use crate::{CommitError, Epoch, ShardId, StoreError};
use statements::Statements;

/// The most machines whose number is remembered.
const MACHINES_MAX: usize = 4096;

/// Shards that can be.
const SHARDS: usize = 256;

/// Applies batches on the connection that writes.
pub(super) struct Applier<'c> {
    connection: &'c Connection,
    sql: Statements<'c>,
    /// The epoch under which each shard is held; 0: not taken yet.
    epochs: Box<[u64; SHARDS]>,
    /// The numbers of machines; emptied whenever something was rolled back.
    machines: HashMap<Arc<str>, i64>,
    /// The position of the item that was queued last.
    queue_position: i64,
    /// Where blobs get their checksum.
    sealed: Vec<u8>,
}

/// What became of a job, to be told once it is durable.
pub(super) enum Outcome {
    Committed,
    Refused(CommitError),
    Acquired(Epoch, u64),
}

/// Why a mutation was not applied.
enum Obstacle {
    /// The unit is refused; the store is well.
    Refusal(CommitError),
    /// The store failed.
    Failure(rusqlite::Error),
}

impl From<rusqlite::Error> for Obstacle {
    fn from(error: rusqlite::Error) -> Obstacle {
        Obstacle::Failure(error)
    }
}

impl From<CommitError> for Obstacle {
    fn from(refusal: CommitError) -> Obstacle {
        Obstacle::Refusal(refusal)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Savepoints {
    Never,
    EveryUnit,
}

impl<'c> Applier<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Applier<'c>> {
        let mut epochs = Box::new([0; SHARDS]);
        let mut rows = connection.prepare("SELECT shard, epoch FROM shard")?;
        let rows = rows.query_map([], |row| Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (shard, epoch) = row?;
            epochs[usize::from(shard)] = epoch.unsigned_abs();
        }
        let queue_position =
            connection.query_row("SELECT coalesce(max(position), 0) FROM queued", [], |row| row.get(0))?;
        let sql = Statements::prepare(connection)?;
        let machines = HashMap::new();
        Ok(Applier { connection, sql, epochs, machines, queue_position, sealed: Vec::new() })
    }

    /// Applies the jobs and makes them durable. After an error nothing more may be asked of the store.
    pub(super) fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Outcome>, StoreError> {
        let outcomes = self.transact(jobs);
        if outcomes.is_err() {
            // The connection is given up; what can be taken back is taken back when it is closed.
            let _ = self.sql.rollback.execute([]);
        }
        Ok(outcomes?)
    }

    fn transact(&mut self, jobs: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        self.sql.begin.execute([])?;
        let epochs = self.epochs.clone();
        let outcomes = match self.attempt(jobs, Savepoints::Never)? {
            Some(outcomes) => outcomes,
            None => {
                self.sql.rollback.execute([])?;
                self.machines.clear();
                self.epochs = epochs;
                self.sql.begin.execute([])?;
                // With savepoints there is always an outcome.
                self.attempt(jobs, Savepoints::EveryUnit)?.unwrap_or_default()
            }
        };
        self.sql.commit.execute([])?;
        Ok(outcomes)
    }

    /// `None`: a unit was refused halfway, and without a savepoint it cannot be taken back alone.
    fn attempt(&mut self, jobs: &[Job], savepoints: Savepoints) -> rusqlite::Result<Option<Vec<Outcome>>> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let outcome = match job {
                Job::Acquire { shard, .. } => self.acquire(*shard)?,
                Job::Commit { unit, invalid, .. } => {
                    if savepoints == Savepoints::EveryUnit {
                        self.sql.savepoint.execute([])?;
                    }
                    let changes = self.connection.total_changes();
                    let refused = match self.unit(unit, invalid.as_ref()) {
                        Ok(()) => None,
                        Err(Obstacle::Refusal(refusal)) => Some(refusal),
                        Err(Obstacle::Failure(error)) => return Err(error),
                    };
                    if refused.is_some() && self.connection.total_changes() != changes {
                        if savepoints == Savepoints::Never {
                            return Ok(None);
                        }
                        self.sql.rollback_to.execute([])?;
                        self.machines.clear();
                    }
                    if savepoints == Savepoints::EveryUnit {
                        self.sql.release.execute([])?;
                    }
                    refused.map_or(Outcome::Committed, Outcome::Refused)
                }
            };
            outcomes.push(outcome);
        }
        Ok(Some(outcomes))
    }

    fn acquire(&mut self, shard: ShardId) -> rusqlite::Result<Outcome> {
        self.sql.shard_acquire.execute([shard.0])?;
        let (first, last) = read::keys(shard);
        let (epoch, deleted, highest): (i64, i64, Option<i64>) =
            self.sql.shard_find.query_row([i64::from(shard.0), first, last], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let epoch = epoch.unsigned_abs();
        if let Some(held) = self.epochs.get_mut(usize::from(shard.0)) {
            *held = epoch;
        }
        let in_use = highest.map_or(0, |key| key - first);
        Ok(Outcome::Acquired(Epoch(epoch), in_use.max(deleted).unsigned_abs()))
    }
}
