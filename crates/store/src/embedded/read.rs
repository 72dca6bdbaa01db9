//! The queries. Rows become plain types here, and every blob is checked against its checksum.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::seal::unseal;
use crate::{
    CatalogKind, CatalogRecord, Dispatch, Execution, ExecutionKey, ExecutionQuery, Page, QueueItem, Segment,
    ShardId, Status, StoreError, Timer,
};

/// With [`EXECUTION`], an execution by its key.
pub(super) const BY_KEY: &str = "WHERE e.key = ?1";
/// With [`EXECUTION`], an execution by its machine and its name.
pub(super) const BY_NAME: &str = "WHERE e.machine = (SELECT id FROM machine WHERE name = ?1) AND e.name = ?2";

/// The columns that [`RawExecution`] reads.
pub(super) const EXECUTION: &str =
    "SELECT e.key, m.name, e.name, e.status, e.start_ms, e.stop_ms, e.head, e.tail
     FROM execution e JOIN machine m ON m.id = e.machine ";

/// A row as SQLite has it.
pub(super) struct RawExecution {
    key: i64,
    machine: Arc<str>,
    name: Arc<str>,
    status: u8,
    start_ms: i64,
    stop_ms: Option<i64>,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl RawExecution {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<RawExecution> {
        Ok(RawExecution {
            key: row.get(0)?,
            machine: row.get(1)?,
            name: row.get(2)?,
            status: row.get(3)?,
            start_ms: row.get(4)?,
            stop_ms: row.get(5)?,
            head: row.get(6)?,
            tail: row.get(7)?,
        })
    }

    /// The execution, with its blobs checked.
    pub(super) fn decode(self) -> Result<Execution, StoreError> {
        let (place, head, tail) = (self.key, self.head, self.tail);
        Ok(Execution {
            key: key(self.key)?,
            machine: self.machine,
            name: self.name,
            status: status(self.status)?,
            start_ms: self.start_ms,
            stop_ms: self.stop_ms,
            head: unseal(place, "the head of an execution", head)?,
            tail: unseal(tail_place(place), "the tail of an execution", tail)?,
        })
    }
}

/// Where the seal of an execution's tail says that it belongs; different from that of its head.
pub(super) fn tail_place(key: i64) -> i64 {
    !key
}

/// The row id of a segment. Its order within an execution is that of events, also where the sign bit is set.
pub(super) fn segment_id(key: ExecutionKey, number: u32) -> i64 {
    (key.bits() << 16 | u64::from(number.min(Segment::NUMBER_MAX))) as i64
}

/// A key's column. Keys have 48 bits.
pub(super) fn column(key: ExecutionKey) -> i64 {
    key.bits() as i64
}

/// The first and the last key of a shard.
pub(super) fn keys(shard: ShardId) -> (i64, i64) {
    let last = ExecutionKey::of(shard, ExecutionKey::SEQUENCE_MAX);
    (column(ExecutionKey::of(shard, 0)), column(last))
}

fn key(column: i64) -> Result<ExecutionKey, StoreError> {
    let key = u64::try_from(column).ok().and_then(ExecutionKey::from_bits);
    key.ok_or_else(|| StoreError::Corrupt(format!("{column} is not the key of an execution")))
}

fn status(column: u8) -> Result<Status, StoreError> {
    let status = Status::from_number(column);
    status.ok_or_else(|| StoreError::Corrupt(format!("{column} is not the status of an execution")))
}

pub(super) fn execution(connection: &Connection, key: ExecutionKey) -> Result<Option<Execution>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{EXECUTION}{BY_KEY}"))?;
    let raw = statement.query_row([column(key)], RawExecution::read).optional()?;
    raw.map(RawExecution::decode).transpose()
}

pub(super) fn execution_by_name(
    connection: &Connection,
    machine: &str,
    name: &str,
) -> Result<Option<Execution>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{EXECUTION}{BY_NAME}"))?;
    let raw = statement.query_row([machine, name], RawExecution::read).optional()?;
    raw.map(RawExecution::decode).transpose()
}

/// A listing: of each status one range of the index, in order; the ranges merged; then the rows. Its parameters are machine,
/// start and key before which to begin, and how many.
fn listing(status: Option<Status>) -> String {
    let statuses = match status {
        Some(status) => vec![status],
        None => Status::ALL.to_vec(),
    };
    let ranges = statuses.iter().map(|status| {
        format!(
            "SELECT start_ms, key FROM execution WHERE machine = (SELECT id FROM machine WHERE name = ?1)
             AND status = {} AND (start_ms, key) < (?2, ?3)",
            *status as u8
        )
    });
    let ranges = ranges.collect::<Vec<_>>().join(" UNION ALL ");
    format!(
        "SELECT e.key, e.name, e.status, e.start_ms, e.stop_ms
         FROM ({ranges} ORDER BY start_ms DESC, key DESC LIMIT ?4) p CROSS JOIN execution e ON e.key = p.key
         ORDER BY p.start_ms DESC, p.key DESC"
    )
}

pub(super) fn executions(
    connection: &Connection,
    query: &ExecutionQuery,
) -> Result<Page<Execution>, StoreError> {
    let (before_ms, before_key) =
        query.after.map_or((i64::MAX, i64::MAX), |(start_ms, key)| (start_ms, column(key)));
    // One more than asked for, to see whether anything follows.
    let limit = i64::try_from(query.limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    let mut statement = connection.prepare_cached(&listing(query.status))?;
    let mut rows = statement.query(params![&*query.machine, before_ms, before_key, limit])?;
    let mut page = Page { items: Vec::new(), more: false };
    while let Some(row) = rows.next()? {
        if page.items.len() == query.limit {
            page.more = true;
            break;
        }
        page.items.push(Execution {
            key: key(row.get(0)?)?,
            machine: query.machine.clone(),
            name: row.get(1)?,
            status: status(row.get(2)?)?,
            start_ms: row.get(3)?,
            stop_ms: row.get(4)?,
            head: Vec::new(),
            tail: Vec::new(),
        });
    }
    Ok(page)
}

pub(super) fn segments(
    connection: &Connection,
    key: ExecutionKey,
    from: u32,
) -> Result<Vec<Segment>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, data FROM segment WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    if from > Segment::NUMBER_MAX {
        return Ok(Vec::new());
    }
    let last = segment_id(key, Segment::NUMBER_MAX);
    let mut rows = statement.query([segment_id(key, from), last])?;
    let mut segments = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let number = (id as u64 & u64::from(Segment::NUMBER_MAX)) as u32;
        segments.push(Segment { number, data: unseal(id, "a segment of history", row.get(1)?)? });
    }
    Ok(segments)
}

pub(super) fn timers(connection: &Connection, shard: ShardId) -> Result<Vec<Timer>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT due_ms, key, timer FROM timer WHERE key BETWEEN ?1 AND ?2")?;
    let mut rows = statement.query(keys(shard))?;
    let mut timers = Vec::new();
    while let Some(row) = rows.next()? {
        timers.push(Timer { due_ms: row.get(0)?, key: key(row.get(1)?)?, timer: row.get(2)? });
    }
    timers.sort_unstable();
    Ok(timers)
}

pub(super) fn dispatches(connection: &Connection, shard: ShardId) -> Result<Vec<Dispatch>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT key, task FROM dispatch WHERE key BETWEEN ?1 AND ?2 ORDER BY key, task")?;
    let mut rows = statement.query(keys(shard))?;
    let mut dispatches = Vec::new();
    while let Some(row) = rows.next()? {
        dispatches.push(Dispatch { key: key(row.get(0)?)?, task: row.get(1)? });
    }
    Ok(dispatches)
}

pub(super) fn queued(connection: &Connection, shard: ShardId) -> Result<Vec<QueueItem>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT queue, key, task FROM queued WHERE key BETWEEN ?1 AND ?2 ORDER BY position",
    )?;
    let mut rows = statement.query(keys(shard))?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(QueueItem { queue: row.get(0)?, key: key(row.get(1)?)?, task: row.get(2)? });
    }
    Ok(items)
}

pub(super) const RECORD: &str = "SELECT key, revision, data FROM record WHERE kind = ?1 AND key = ?2";

/// A catalogue record as SQLite has it: key, revision, data.
pub(super) fn raw_record(row: &Row<'_>) -> rusqlite::Result<(Arc<str>, i64, Vec<u8>)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

pub(super) fn decode_record(
    (key, revision, data): (Arc<str>, i64, Vec<u8>),
) -> Result<CatalogRecord, StoreError> {
    let data = unseal(revision, "a record of the catalogue", data)?;
    Ok(CatalogRecord { key, data, revision: revision.unsigned_abs() })
}

pub(super) fn record(
    connection: &Connection,
    kind: CatalogKind,
    key: &str,
) -> Result<Option<CatalogRecord>, StoreError> {
    let mut statement = connection.prepare_cached(RECORD)?;
    let raw = statement.query_row(params![kind as u8, key], raw_record).optional()?;
    raw.map(decode_record).transpose()
}

pub(super) fn records(
    connection: &Connection,
    kind: CatalogKind,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<CatalogRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, revision, data FROM record WHERE kind = ?1 AND key >= ?2 ORDER BY key",
    )?;
    let lowest = after.map_or(prefix, |after| after.max(prefix));
    let mut rows = statement.query(params![kind as u8, lowest])?;
    let mut records = Vec::new();
    while records.len() < limit
        && let Some(row) = rows.next()?
    {
        let raw = raw_record(row)?;
        if !raw.0.starts_with(prefix) {
            break;
        }
        if after.is_none_or(|after| *raw.0 > *after) {
            records.push(decode_record(raw)?);
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::schema;

    /// The steps of a query's plan.
    fn plan(sql: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        schema::migrate(&connection).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3));
        steps.collect::<rusqlite::Result<Vec<_>>>().unwrap().join("\n")
    }

    #[test]
    fn listings_read_no_more_of_the_index_than_the_page() {
        for status in [None, Some(Status::Failed)] {
            let plan = plan(&listing(status));
            assert!(!plan.contains("SCAN execution"), "{plan}");
            let ranges = plan.matches("execution_by_start (machine=? AND status=? AND start_ms<?)");
            assert_eq!(ranges.count(), if status.is_none() { 6 } else { 1 }, "{plan}");
            // Nothing is sorted: the ranges are merged as they are read.
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    #[test]
    fn lookups_use_an_index() {
        for (sql, index) in [
            (format!("{EXECUTION}{BY_KEY}"), "e USING INTEGER PRIMARY KEY"),
            (format!("{EXECUTION}{BY_NAME}"), "execution_by_name (machine=? AND name=?)"),
            (RECORD.into(), "record_by_key (kind=? AND key=?)"),
        ] {
            let plan = plan(&sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
        }
    }
}
