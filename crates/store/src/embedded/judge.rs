//! Whether a unit can be committed, by what is acknowledged and what is in the database.

use std::sync::Arc;

use rusqlite::Connection;

use super::log::Entry;
use super::newest::Newest;
use super::read;
use super::tail::Tail;
use super::view::View;
use crate::{
    CatalogKind, CatalogRecord, CommitError, Epoch, Execution, ExecutionKey, Expect, Mutation, ShardId,
    StoreError, Unit,
};

/// Shards that can be.
pub(super) const SHARDS: usize = 256;

/// Decides about units, one after the other.
pub(super) struct Judge {
    newest: Arc<Newest>,
    /// Reads the database.
    connection: Connection,
    /// The epoch under which each shard is held; 0: not taken yet.
    epochs: Box<[u64; SHARDS]>,
    /// The position of the item that was queued last.
    queue_position: i64,
}

impl Judge {
    pub fn new(newest: Arc<Newest>, connection: Connection) -> rusqlite::Result<Judge> {
        let mut epochs = Box::new([0; SHARDS]);
        for (shard, epoch) in read::epochs(&connection)? {
            if let Some(held) = epochs.get_mut(usize::from(shard.0)) {
                *held = epoch.0;
            }
        }
        let queue_position = read::last_queue_position(&connection)?;
        Ok(Judge { newest, connection, epochs, queue_position })
    }

    /// What the unit changes, on top of what `staged` has; or why it cannot be committed.
    pub fn unit(
        &mut self,
        unit: Unit,
        invalid: Option<CommitError>,
        staged: &Tail,
    ) -> Result<Tail, CommitError> {
        let held = self.epochs.get(usize::from(unit.shard.0)).copied().unwrap_or(0);
        if held == 0 || unit.epoch.0 != held {
            return Err(CommitError::Fenced);
        }
        if let Some(invalid) = invalid {
            return Err(invalid);
        }
        self.changes(unit.mutations, staged)
    }

    /// What an entry of the log changes, which was decided about before the last stop.
    pub fn replay(&mut self, entry: Entry) -> Result<Tail, CommitError> {
        match entry {
            Entry::Unit(mutations) => self.changes(mutations, &Tail::default()),
            Entry::Acquire(shard, epoch) => {
                if let Some(held) = self.epochs.get_mut(usize::from(shard.0)) {
                    *held = epoch.0;
                }
                let mut changes = Tail::default();
                changes.epochs.insert(shard, epoch);
                Ok(changes)
            }
        }
    }

    fn changes(&mut self, mutations: Vec<Mutation>, staged: &Tail) -> Result<Tail, CommitError> {
        let mut changes = Tail::default();
        for mutation in mutations {
            let upper = [&changes, staged];
            match &mutation {
                Mutation::CreateExecution(execution) => self.may_create(execution, &upper)?,
                Mutation::Append { key, segment } => self.may_append(*key, segment.number, &upper)?,
                Mutation::Enqueue(_) => self.queue_position += 1,
                _ => {}
            }
            match mutation {
                Mutation::Catalog { kind, key, data, expect } => {
                    let current = self.view(&upper).record(kind, &key)?;
                    let written = written(kind, current, &key, data, expect)?;
                    changes.put_record(kind, key, written);
                }
                mutation => changes.apply(mutation, self.queue_position),
            }
        }
        Ok(changes)
    }

    /// Takes the shard under the next epoch; everything that was acknowledged has to be in the database. Returns the epoch
    /// and the highest sequence number that was ever in use.
    pub fn acquire(&mut self, shard: ShardId) -> Result<(Epoch, u64), StoreError> {
        let newest = read::highest_sequence(&self.connection, shard)?;
        let Some(held) = self.epochs.get_mut(usize::from(shard.0)) else { return Err(StoreError::Closed) };
        *held += 1;
        Ok((Epoch(*held), newest))
    }

    fn may_create(&self, execution: &Execution, upper: &[&Tail]) -> Result<(), CommitError> {
        let Execution { key, machine, name, .. } = execution;
        let view = self.view(upper);
        if let Some(holder) = view.named(machine, name)? {
            return Err(CommitError::NameTaken(Box::new(holder)));
        }
        if view.exists(*key)? {
            return Err(CommitError::Invalid(format!("the key of execution {key:?} is in use")));
        }
        Ok(())
    }

    fn may_append(&self, key: ExecutionKey, number: u32, upper: &[&Tail]) -> Result<(), CommitError> {
        if self.view(upper).has_segment(key, number)? {
            return Err(CommitError::Invalid(format!("segment {number} of execution {key:?} is there")));
        }
        Ok(())
    }

    fn view<'v>(&'v self, upper: &'v [&'v Tail]) -> View<'v, Connection> {
        View { newest: &self.newest, upper, below: &self.connection }
    }
}

/// What a record becomes, if it is as expected.
fn written(
    kind: CatalogKind,
    current: Option<CatalogRecord>,
    key: &Arc<str>,
    data: Option<Vec<u8>>,
    expect: Expect,
) -> Result<Option<CatalogRecord>, CommitError> {
    let as_expected = match expect {
        Expect::Anything => true,
        Expect::Absent => current.is_none(),
        Expect::Revision(revision) => current.as_ref().is_some_and(|record| record.revision == revision),
    };
    if !as_expected {
        return Err(CommitError::Conflict { kind, key: key.clone(), current });
    }
    let revision = current.map_or(0, |record| record.revision) + 1;
    Ok(data.map(|data| CatalogRecord { key: key.clone(), data, revision }))
}
