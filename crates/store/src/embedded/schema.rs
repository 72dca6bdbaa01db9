//! The tables, and how a database file of an earlier version gets them.
//!
//! A file says that it is ours by SQLite's `application_id`, and which migrations it has by `user_version`. A migration,
//! once released, is never changed: the next version adds one.

use rusqlite::Connection;

/// "StW1".
pub(super) const APPLICATION_ID: u32 = 0x5374_5731;

/// Migration number 1 comes first. Each runs in a transaction of its own.
const MIGRATIONS: &[&str] = &[TABLES, LISTINGS, PERMITS, LOG, OPENED, SEARCH];

pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// - `segment.id` is the execution's key and the segment's number in one, so that history is
///   written at the right edge of one tree and read as one range. An ordinary table: in one WITHOUT ROWID, blobs beyond
///   a quarter of a page spill.
/// - `execution.machine` is a number for the same reason that its indexes are few: they are most of a commit's cost.
/// - `timer`, `dispatch` and `queued` are keyed by execution, not by time or queue: they are written and removed with
///   the execution, and read once, when a shard is taken. Their order is made then.
/// - `shard.sequence` is the highest sequence number of an execution that was deleted.
const TABLES: &str = "
    CREATE TABLE shard (
        shard INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE machine (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE execution (
        key INTEGER PRIMARY KEY,
        machine INTEGER NOT NULL,
        status INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        stop_ms INTEGER,
        name TEXT NOT NULL,
        head BLOB NOT NULL,
        tail BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX execution_by_name ON execution (machine, name);
    CREATE INDEX execution_by_start ON execution (machine, status, start_ms, key);
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY,
        data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE timer (
        key INTEGER NOT NULL,
        timer INTEGER NOT NULL,
        due_ms INTEGER NOT NULL,
        PRIMARY KEY (key, timer, due_ms)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dispatch (
        key INTEGER NOT NULL,
        task INTEGER NOT NULL,
        PRIMARY KEY (key, task)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE queued (
        key INTEGER NOT NULL,
        task INTEGER NOT NULL,
        queue TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (key, task, queue)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE record (
        id INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX record_by_key ON record (kind, key);
";

/// What some executions are listed under besides their machine, and what listings show of some. The indexes hold only
/// those: the others pay for a few empty columns. The names of versions, aliases and map runs are kept in `machine`.
const LISTINGS: &str = "
    ALTER TABLE execution ADD COLUMN version INTEGER;
    ALTER TABLE execution ADD COLUMN alias INTEGER;
    ALTER TABLE execution ADD COLUMN map_run INTEGER;
    ALTER TABLE execution ADD COLUMN item_count INTEGER;
    ALTER TABLE execution ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE execution ADD COLUMN redriven_ms INTEGER;
    CREATE INDEX execution_by_version ON execution (version, status, start_ms, key) WHERE version IS NOT NULL;
    CREATE INDEX execution_by_alias ON execution (alias, status, start_ms, key) WHERE alias IS NOT NULL;
    CREATE INDEX execution_by_map_run ON execution (map_run, redrives > 0, status, start_ms, key)
        WHERE map_run IS NOT NULL;
";

/// Keyed as `timer`, `dispatch` and `queued` are, for the same reason.
const PERMITS: &str = "
    CREATE TABLE permit (
        key INTEGER NOT NULL,
        task INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (key, task)
    ) STRICT, WITHOUT ROWID;
";

/// The position in the log up to which everything is in the tables.
const LOG: &str = "
    CREATE TABLE log (
        id INTEGER PRIMARY KEY CHECK (id = 0),
        folded INTEGER NOT NULL
    ) STRICT;
    INSERT INTO log (id, folded) VALUES (0, 0);
";

/// The position under which the log was opened; 0: it is closed. NULL: by a version that did not note it. And the release that
/// opened or closed it last.
const OPENED: &str = "
    ALTER TABLE log ADD COLUMN opened INTEGER;
    ALTER TABLE log ADD COLUMN release TEXT;
";

/// Executions anew, so that a row takes less: a name that is a UUID, as most are, has its 16 bytes (see `name`); an index ends with the
/// key without being told. And what they are searched by:
///
/// - `execution_by_name` begins with the name, so that it serves prefixes over all machines as well.
/// - `term` gives a number to a field and one of its values, `termed` has the executions that have it, in the order in which
///   they are shown. Only executions with terms pay for it.
/// - `tally` counts, so that nobody has to.
const SEARCH: &str = "
    CREATE TABLE execution_new (
        key INTEGER PRIMARY KEY,
        machine INTEGER NOT NULL,
        status INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        stop_ms INTEGER,
        name ANY NOT NULL,
        head BLOB NOT NULL,
        tail BLOB NOT NULL,
        version INTEGER,
        alias INTEGER,
        map_run INTEGER,
        item_count INTEGER,
        redrives INTEGER NOT NULL DEFAULT 0,
        redriven_ms INTEGER
    ) STRICT;
    INSERT INTO execution_new SELECT key, machine, status, start_ms, stop_ms,
            iif(length(name) = 36 AND unhex(replace(name, '-', '')) IS NOT NULL AND lower(name) = name
                AND name LIKE '________-____-____-____-____________' AND length(replace(name, '-', '')) = 32,
                unhex(replace(name, '-', '')), name),
            head, tail, version, alias, map_run, item_count, redrives, redriven_ms
        FROM execution ORDER BY key;
    DROP TABLE execution;
    ALTER TABLE execution_new RENAME TO execution;
    CREATE UNIQUE INDEX execution_by_name ON execution (name, machine);
    CREATE INDEX execution_by_start ON execution (machine, status, start_ms);
    CREATE INDEX execution_by_status ON execution (status, start_ms);
    CREATE INDEX execution_by_version ON execution (version, status, start_ms) WHERE version IS NOT NULL;
    CREATE INDEX execution_by_alias ON execution (alias, status, start_ms) WHERE alias IS NOT NULL;
    CREATE INDEX execution_by_map_run ON execution (map_run, redrives > 0, status, start_ms)
        WHERE map_run IS NOT NULL;
    CREATE TABLE term (
        id INTEGER PRIMARY KEY,
        field TEXT NOT NULL,
        value TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX term_by_value ON term (field, value);
    CREATE TABLE termed (
        term INTEGER NOT NULL,
        start_ms INTEGER NOT NULL,
        key INTEGER NOT NULL,
        PRIMARY KEY (term, start_ms, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX termed_by_key ON termed (key);
    CREATE TABLE tally (
        machine INTEGER NOT NULL,
        status INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (machine, status)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO tally SELECT machine, status, count(*) FROM execution GROUP BY machine, status;
";

/// The version of an open file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Runs the migrations that the file does not have yet.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let has = version(connection)?;
    for (number, sql) in (1..).zip(MIGRATIONS).filter(|(number, _)| *number > has) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {sql}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT"
        ))?;
    }
    Ok(())
}
