//! Looking things up: first in the tails, then in the database. Never the other way round: what is folded goes from there to
//! here.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::newest::Newest;
use super::read::{self, column, segment_id};
use super::readers::Readers;
use super::tail::{Known, Layers, Tail};
use crate::{CatalogKind, CatalogRecord, Execution, ExecutionKey, Segment, StoreError};

/// Where the database is read.
pub(super) trait Below {
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError>;
}

impl Below for Readers {
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        Readers::read(self, query)
    }
}

impl Below for Connection {
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        query(self)
    }
}

/// All that can be seen at a moment.
pub(super) struct View<'v, B> {
    pub newest: &'v Newest,
    /// Tails on top of the newest.
    pub upper: &'v [&'v Tail],
    pub below: &'v B,
}

impl<B: Below> View<'_, B> {
    pub fn execution(&self, key: ExecutionKey) -> Result<Option<Execution>, StoreError> {
        match self.newest.read(self.upper, |layers| layers.execution(key)) {
            (Known::Is(execution), _) => Ok(Some(execution)),
            (Known::Gone, _) => Ok(None),
            (Known::Below, changed) => {
                let row = self.below.read(|connection| read::execution(connection, key))?;
                Ok(row.map(|row| changed.into_row(row)))
            }
        }
    }

    /// The execution `name` of `machine`.
    pub fn named(&self, machine: &str, name: &str) -> Result<Option<Execution>, StoreError> {
        if let Some(execution) = self.newest.read(self.upper, |layers| layers.named(machine, name)) {
            return Ok(Some(execution));
        }
        // Only its key: what has changed in the row since must be looked up before the row.
        match self.below.read(|connection| read::key_of_name(connection, machine, name))? {
            Some(key) => {
                let holder = self.execution(key)?;
                Ok(holder.filter(|holder| &*holder.name == name && &*holder.machine == machine))
            }
            None => Ok(None),
        }
    }

    /// Whether the key is in use.
    pub fn exists(&self, key: ExecutionKey) -> Result<bool, StoreError> {
        match self.newest.read(self.upper, |layers| layers.execution(key)).0 {
            Known::Is(_) => Ok(true),
            Known::Gone => Ok(false),
            Known::Below => self.is_below("SELECT 1 FROM execution WHERE key = ?1", key, column(key)),
        }
    }

    pub fn has_segment(&self, key: ExecutionKey, number: u32) -> Result<bool, StoreError> {
        match self.newest.read(self.upper, |layers| layers.has_segment(key, number)) {
            Known::Is(()) => Ok(true),
            Known::Gone => Ok(false),
            Known::Below => {
                self.is_below("SELECT 1 FROM segment WHERE id = ?1", key, segment_id(key, number))
            }
        }
    }

    /// At most `limit` segments: with the number `from` and higher ones in order, or `newest_first` with it and lower ones.
    pub fn segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Result<Vec<Segment>, StoreError> {
        let numbers = if newest_first { 0..=from } else { from..=u32::MAX };
        let recent = |layers: &Layers<'_>| layers.segments(key, numbers, newest_first, limit);
        let (mut segments, is_below) = self.newest.read(self.upper, recent);
        if is_below && !self.newest.is_free(key) {
            let older =
                |connection: &Connection| read::some_segments(connection, key, from, newest_first, limit);
            segments.extend(self.below.read(older)?);
        }
        segments.sort_by_key(|segment| segment.number);
        // One that was folded in between is there twice.
        segments.dedup_by_key(|segment| segment.number);
        if newest_first {
            segments.reverse();
        }
        segments.truncate(limit);
        Ok(segments)
    }

    pub fn record(&self, kind: CatalogKind, key: &Arc<str>) -> Result<Option<CatalogRecord>, StoreError> {
        match self.newest.read(self.upper, |layers| layers.record(kind, key)) {
            Some(record) => Ok(record),
            None => self.below.read(|connection| read::record(connection, kind, key)),
        }
    }

    /// Whether the database has a row of the execution.
    fn is_below(&self, sql: &str, key: ExecutionKey, row: i64) -> Result<bool, StoreError> {
        if self.newest.is_free(key) {
            return Ok(false);
        }
        self.below.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row(params![row], |_| Ok(())).optional()?.is_some())
        })
    }
}
