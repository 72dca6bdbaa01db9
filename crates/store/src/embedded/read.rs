//! The queries. Rows become plain types here, and every blob is checked against its checksum.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::judge::SHARDS;
use super::log::{Expected, Opened};
use super::name;
use super::seal::unseal;
use crate::{
    CatalogKind, CatalogRecord, Dispatch, Epoch, Execution, ExecutionKey, ExecutionQuery, Listed, Listing,
    Page, Permit, QueueItem, Segment, ShardId, Status, StoreError, Timer,
};

/// With [`EXECUTION`], an execution by its key.
const BY_KEY: &str = "WHERE e.key = ?1";
/// The key of an execution by its machine and its name.
const KEY_OF_NAME: &str =
    "SELECT key FROM execution WHERE machine = (SELECT id FROM machine WHERE name = ?1) AND name = ?2";

/// With `FROM execution e JOIN machine m`, the columns that [`RawRow`] reads.
macro_rules! row_columns {
    () => {
        "e.key, m.name, e.name, e.status, e.start_ms, e.stop_ms, e.item_count, e.redrives, e.redriven_ms,
         (SELECT name FROM machine WHERE id = e.version), (SELECT name FROM machine WHERE id = e.alias),
         (SELECT name FROM machine WHERE id = e.map_run)"
    };
}

/// The columns that [`RawExecution`] reads.
pub(super) const EXECUTION: &str = concat!(
    "SELECT ",
    row_columns!(),
    ", e.head, e.tail FROM execution e JOIN machine m ON m.id = e.machine "
);

/// With a key, an execution without its blobs.
pub(super) const ROW: &str = concat!(
    "SELECT ",
    row_columns!(),
    " FROM execution e JOIN machine m ON m.id = e.machine WHERE e.key = ?1"
);

/// A row as SQLite has it, without the blobs.
pub(super) struct RawRow {
    key: i64,
    machine: Arc<str>,
    name: Arc<str>,
    status: u8,
    start_ms: i64,
    stop_ms: Option<i64>,
    listed: Listed,
}

/// A row as SQLite has it.
pub(super) struct RawExecution {
    row: RawRow,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl RawRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<RawRow> {
        Ok(RawRow {
            key: row.get(0)?,
            machine: row.get(1)?,
            name: name::name(row.get_ref(2)?)?,
            status: row.get(3)?,
            start_ms: row.get(4)?,
            stop_ms: row.get(5)?,
            listed: Listed {
                item_count: row.get(6)?,
                redrives: row.get(7)?,
                redriven_ms: row.get(8)?,
                version: row.get(9)?,
                alias: row.get(10)?,
                map_run: row.get(11)?,
            },
        })
    }

    /// The execution, with its blobs left empty.
    pub(super) fn decode(self) -> Result<Execution, StoreError> {
        Ok(Execution {
            key: key(self.key)?,
            machine: self.machine,
            name: self.name,
            status: status(self.status)?,
            start_ms: self.start_ms,
            stop_ms: self.stop_ms,
            head: Vec::new(),
            tail: Vec::new(),
            listed: self.listed,
        })
    }
}

impl RawExecution {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<RawExecution> {
        Ok(RawExecution { row: RawRow::read(row)?, head: row.get(12)?, tail: row.get(13)? })
    }

    /// The execution, with its blobs checked.
    pub(super) fn decode(self) -> Result<Execution, StoreError> {
        let place = self.row.key;
        Ok(Execution {
            head: unseal(place, "the head of an execution", self.head)?,
            tail: match self.tail {
                none if none.is_empty() => none,
                tail => unseal(tail_place(place), "the tail of an execution", tail)?,
            },
            ..self.row.decode()?
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

pub(super) fn key(column: i64) -> Result<ExecutionKey, StoreError> {
    let key = u64::try_from(column).ok().and_then(ExecutionKey::from_bits);
    key.ok_or_else(|| StoreError::Corrupt(format!("{column} is not the key of an execution")))
}

pub(super) fn status(column: u8) -> Result<Status, StoreError> {
    let status = Status::from_number(column);
    status.ok_or_else(|| StoreError::Corrupt(format!("{column} is not the status of an execution")))
}

pub(super) fn execution(connection: &Connection, key: ExecutionKey) -> Result<Option<Execution>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{EXECUTION}{BY_KEY}"))?;
    let raw = statement.query_row([column(key)], RawExecution::read).optional()?;
    raw.map(RawExecution::decode).transpose()
}

/// The key of the execution `name` of `machine`.
pub(super) fn key_of_name(
    connection: &Connection,
    machine: &str,
    name: &str,
) -> Result<Option<ExecutionKey>, StoreError> {
    let mut statement = connection.prepare_cached(KEY_OF_NAME)?;
    let found = statement.query_row(params![machine, name::column(name)], |row| row.get(0)).optional()?;
    found.map(key).transpose()
}

/// A listing: of each status one range of the index, in order; the ranges merged; then the rows. Its parameters are the name,
/// start and key behind which to begin, and how many.
fn listing(of: &Listing, status: Option<Status>, oldest_first: bool) -> String {
    let (order, behind) = if oldest_first { ("ASC", ">") } else { ("DESC", "<") };
    let statuses = match status {
        Some(status) => vec![status],
        None => Status::ALL.to_vec(),
    };
    let (column, conditions) = match of {
        Listing::Machine(_) => ("machine", vec![""]),
        Listing::Version(_) => ("version", vec![""]),
        Listing::Alias(_) => ("alias", vec![""]),
        Listing::MapRun { redriven, .. } => {
            let conditions = match redriven {
                Some(true) => vec!["AND (redrives > 0) = 1"],
                Some(false) => vec!["AND (redrives > 0) = 0"],
                None => vec!["AND (redrives > 0) = 1", "AND (redrives > 0) = 0"],
            };
            ("map_run", conditions)
        }
    };
    let mut ranges = Vec::new();
    for condition in conditions {
        for status in &statuses {
            ranges.push(format!(
                "SELECT start_ms, key FROM execution WHERE {column} = (SELECT id FROM machine WHERE name = ?1)
                 {condition} AND status = {} AND (start_ms, key) {behind} (?2, ?3)",
                *status as u8
            ));
        }
    }
    let ranges = ranges.join(" UNION ALL ");
    let columns = row_columns!();
    format!(
        "SELECT {columns} FROM ({ranges} ORDER BY start_ms {order}, key {order} LIMIT ?4) p
         CROSS JOIN execution e ON e.key = p.key CROSS JOIN machine m ON m.id = e.machine
         ORDER BY p.start_ms {order}, p.key {order}"
    )
}

pub(super) fn executions(
    connection: &Connection,
    query: &ExecutionQuery,
) -> Result<Page<Execution>, StoreError> {
    let end = if query.oldest_first { i64::MIN } else { i64::MAX };
    let (behind_ms, behind_key) = query.after.map_or((end, end), |(start_ms, key)| (start_ms, column(key)));
    // One more than asked for, to see whether anything follows.
    let limit = i64::try_from(query.limit).map_or(i64::MAX, |limit| limit.saturating_add(1));
    let mut statement = connection.prepare_cached(&listing(&query.of, query.status, query.oldest_first))?;
    let mut rows = statement.query(params![&**query.of.arn(), behind_ms, behind_key, limit])?;
    let mut page = Page { items: Vec::new(), more: false };
    while let Some(row) = rows.next()? {
        if page.items.len() == query.limit {
            page.more = true;
            break;
        }
        page.items.push(RawRow::read(row)?.decode()?);
    }
    Ok(page)
}

/// Machines that have executions, in the order of names.
const MACHINES: &str = "SELECT name FROM machine m WHERE name >= ?1
    AND EXISTS (SELECT 1 FROM execution WHERE machine = m.id) ORDER BY name";

pub(super) fn machines(
    connection: &Connection,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Arc<str>>, StoreError> {
    let mut statement = connection.prepare_cached(MACHINES)?;
    let mut rows = statement.query([after.map_or(prefix, |after| after.max(prefix))])?;
    let mut machines: Vec<Arc<str>> = Vec::new();
    while machines.len() < limit
        && let Some(row) = rows.next()?
    {
        let name: Arc<str> = row.get(0)?;
        if !name.starts_with(prefix) {
            break;
        }
        if after.is_none_or(|after| *name > *after) {
            machines.push(name);
        }
    }
    Ok(machines)
}

pub(super) fn some_segments(
    connection: &Connection,
    key: ExecutionKey,
    from: u32,
    newest_first: bool,
    limit: usize,
) -> Result<Vec<Segment>, StoreError> {
    let (order, first, last) = match newest_first {
        false if from > Segment::NUMBER_MAX => return Ok(Vec::new()),
        false => ("ASC", from, Segment::NUMBER_MAX),
        true => ("DESC", 0, from),
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, data FROM segment WHERE id BETWEEN ?1 AND ?2 ORDER BY id {order} LIMIT ?3"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query([segment_id(key, first), segment_id(key, last), limit])?;
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

pub(super) fn dispatches_of(
    connection: &Connection,
    keys: &[ExecutionKey],
) -> Result<Vec<Dispatch>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT task FROM dispatch WHERE key = ?1 ORDER BY task")?;
    let mut dispatches = Vec::new();
    for key in keys {
        let mut rows = statement.query([column(*key)])?;
        while let Some(row) = rows.next()? {
            dispatches.push(Dispatch { key: *key, task: row.get(0)? });
        }
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

pub(super) fn permits(connection: &Connection, shard: ShardId) -> Result<Vec<Permit>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, task, data FROM permit WHERE key BETWEEN ?1 AND ?2 ORDER BY key, task",
    )?;
    let mut rows = statement.query(keys(shard))?;
    let mut permits = Vec::new();
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let data = unseal(place, "a permit", row.get(2)?)?;
        permits.push(Permit { key: key(place)?, task: row.get(1)?, data });
    }
    Ok(permits)
}

/// Under which epoch each shard was taken last.
pub(super) fn epochs(connection: &Connection) -> rusqlite::Result<Vec<(ShardId, Epoch)>> {
    let mut statement = connection.prepare("SELECT shard, epoch FROM shard")?;
    let rows = statement
        .query_map([], |row| Ok((ShardId(row.get(0)?), Epoch(row.get::<_, i64>(1)?.unsigned_abs()))))?;
    rows.collect()
}

/// The highest sequence number of an execution of the shard that was ever in use.
pub(super) fn highest_sequence(connection: &Connection, shard: ShardId) -> Result<u64, StoreError> {
    let (first, last) = keys(shard);
    let sql = "SELECT max(key) FROM execution WHERE key BETWEEN ?1 AND ?2";
    let highest: Option<i64> = connection.query_row(sql, [first, last], |row| row.get(0))?;
    let sql = "SELECT sequence FROM shard WHERE shard = ?1";
    let deleted: Option<i64> = connection.query_row(sql, [shard.0], |row| row.get(0)).optional()?;
    Ok(highest.map_or(0, |key| key - first).max(deleted.unwrap_or(0)).unsigned_abs())
}

/// By shard: the sequence number from which on no table has anything of an execution.
pub(super) fn free_from(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    // A segment's id may have the sign bit set; the key in it has 48 bits.
    let mut statement = connection.prepare(
        "SELECT max(coalesce((SELECT max(key) FROM execution WHERE key BETWEEN ?1 AND ?2), -1),
                    coalesce((SELECT max(id) >> 16 & 281474976710655 FROM segment WHERE id BETWEEN ?3 AND ?4), -1),
                    coalesce((SELECT max(key) FROM timer WHERE key BETWEEN ?1 AND ?2), -1),
                    coalesce((SELECT max(key) FROM dispatch WHERE key BETWEEN ?1 AND ?2), -1),
                    coalesce((SELECT max(key) FROM queued WHERE key BETWEEN ?1 AND ?2), -1),
                    coalesce((SELECT max(key) FROM permit WHERE key BETWEEN ?1 AND ?2), -1))",
    )?;
    let mut free_from = vec![0; SHARDS];
    for (shard, _) in epochs(connection)? {
        let (first, last) = keys(shard);
        let first_segment = segment_id(ExecutionKey::of(shard, 0), 0);
        let last_segment =
            segment_id(ExecutionKey::of(shard, ExecutionKey::SEQUENCE_MAX), Segment::NUMBER_MAX);
        let highest: i64 =
            statement.query_row([first, last, first_segment, last_segment], |row| row.get(0))?;
        if let Some(free_from) = free_from.get_mut(usize::from(shard.0))
            && highest >= first
        {
            *free_from = (highest - first).unsigned_abs() + 1;
        }
    }
    Ok(free_from)
}

/// The position of the item that was queued last.
pub(super) fn last_queue_position(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(position), 0) FROM queued", [], |row| row.get(0))
}

/// What is to be found in the log.
pub(super) fn log(connection: &Connection) -> rusqlite::Result<Expected> {
    connection.query_row("SELECT folded, opened FROM log", [], |row| {
        let opened = match row.get::<_, Option<i64>>(1)? {
            None => Opened::Unknown,
            Some(0) => Opened::Closed,
            Some(since) => Opened::InUse { since: since.unsigned_abs() },
        };
        Ok(Expected { folded: row.get::<_, i64>(0)?.unsigned_abs(), opened })
    })
}

const RECORD: &str = "SELECT key, revision, data FROM record WHERE kind = ?1 AND key = ?2";

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
        let map_run = |redriven| Listing::MapRun { arn: "a".into(), redriven };
        let of_map_run = "execution_by_map_run (map_run=? AND <expr>=? AND status=? AND start_ms<?)";
        for (listing_of, index, conditions) in [
            (Listing::Machine("a".into()), "execution_by_start (machine=? AND status=? AND start_ms<?)", 1),
            (Listing::Version("a".into()), "execution_by_version (version=? AND status=? AND start_ms<?)", 1),
            (Listing::Alias("a".into()), "execution_by_alias (alias=? AND status=? AND start_ms<?)", 1),
            (map_run(None), of_map_run, 2),
            (map_run(Some(true)), of_map_run, 1),
            (map_run(Some(false)), of_map_run, 1),
        ] {
            for (status, oldest_first) in [(None, false), (None, true), (Some(Status::Failed), false)] {
                let plan = plan(&listing(&listing_of, status, oldest_first));
                let index =
                    if oldest_first { index.replace("start_ms<?", "start_ms>?") } else { index.into() };
                assert!(!plan.contains("SCAN execution"), "{plan}");
                let ranges = conditions * if status.is_none() { Status::ALL.len() } else { 1 };
                assert_eq!(plan.matches(&index).count(), ranges, "{plan}");
                // Nothing is sorted: the ranges are merged as they are read.
                assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
    }

    #[test]
    fn lookups_use_an_index() {
        for (sql, index) in [
            (format!("{EXECUTION}{BY_KEY}"), "e USING INTEGER PRIMARY KEY"),
            (KEY_OF_NAME.into(), "execution_by_name (name=? AND machine=?)"),
            (RECORD.into(), "record_by_key (kind=? AND key=?)"),
            (MACHINES.into(), "execution_by_start (machine=?)"),
        ] {
            let plan = plan(&sql);
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
        }
    }
}
