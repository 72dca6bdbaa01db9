//! Every statement that writes, prepared once for the life of the connection.

use rusqlite::{Connection, Statement};

macro_rules! statements {
    ($($name:ident: $sql:expr;)*) => {
        pub(super) struct Statements<'c> {
            $(pub(super) $name: Statement<'c>,)*
        }

        impl<'c> Statements<'c> {
            pub(super) fn prepare(connection: &'c Connection) -> rusqlite::Result<Statements<'c>> {
                Ok(Statements { $($name: connection.prepare($sql)?,)* })
            }
        }
    };
}

statements! {
    begin: "BEGIN IMMEDIATE";
    commit: "COMMIT";
    rollback: "ROLLBACK";

    folded: "UPDATE log SET folded = ?1";
    opened: "UPDATE log SET opened = ?1, release = ?2";

    shard_epoch: "INSERT INTO shard (shard, epoch) VALUES (?1, ?2)
        ON CONFLICT (shard) DO UPDATE SET epoch = ?2";
    shard_deleted: "UPDATE shard SET sequence = ?2 WHERE shard = ?1 AND sequence < ?2";

    machine_find: "SELECT id FROM machine WHERE name = ?1";
    machine_add: "INSERT INTO machine (name) VALUES (?1)";
    machine_remove: "DELETE FROM machine
        WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM execution WHERE machine = ?1)
            AND NOT EXISTS (SELECT 1 FROM execution WHERE version = ?1)
            AND NOT EXISTS (SELECT 1 FROM execution WHERE alias = ?1)
            AND NOT EXISTS (SELECT 1 FROM execution WHERE map_run = ?1) RETURNING name";

    execution_add: "INSERT INTO execution (key, machine, status, start_ms, stop_ms, name, head, tail,
            version, alias, map_run, item_count, redrives, redriven_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    execution_listed_under: "SELECT machine, version, alias, map_run FROM execution WHERE key = ?1";
    execution_place: "SELECT machine, status, start_ms FROM execution WHERE key = ?1";
    execution_status: "UPDATE execution SET status = ?2, stop_ms = ?3, tail = ?4 WHERE key = ?1";
    execution_redriven: "UPDATE execution SET redrives = redrives + ?2, redriven_ms = ?3 WHERE key = ?1";
    execution_remove: "DELETE FROM execution WHERE key = ?1";

    tally_add: "INSERT INTO tally (machine, status, count) VALUES (?1, ?2, ?3)
        ON CONFLICT (machine, status) DO UPDATE SET count = count + ?3";
    tally_clean: "DELETE FROM tally WHERE machine = ?1 AND status = ?2 AND count = 0";

    term_find: "SELECT id FROM term WHERE field = ?1 AND value = ?2";
    term_add: "INSERT INTO term (field, value) VALUES (?1, ?2)";
    term_remove: "DELETE FROM term WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM termed WHERE term = ?1)";
    termed_add: "INSERT OR IGNORE INTO termed (term, start_ms, key) VALUES (?1, ?2, ?3)";
    termed_remove: "DELETE FROM termed
        WHERE key = ?1 AND (?2 IS NULL OR term IN (SELECT id FROM term WHERE field = ?2)) RETURNING term";

    segment_add: "INSERT INTO segment (id, data) VALUES (?1, ?2)";
    segments_remove: "DELETE FROM segment WHERE id BETWEEN ?1 AND ?2";

    timer_set: "INSERT OR IGNORE INTO timer (key, timer, due_ms) VALUES (?1, ?2, ?3)";
    timer_cancel: "DELETE FROM timer WHERE key = ?1 AND timer = ?2 AND due_ms = ?3";
    timers_remove: "DELETE FROM timer WHERE key = ?1";

    dispatch_add: "INSERT OR IGNORE INTO dispatch (key, task) VALUES (?1, ?2)";
    dispatch_remove: "DELETE FROM dispatch WHERE key = ?1 AND task = ?2";
    dispatches_remove: "DELETE FROM dispatch WHERE key = ?1";

    queued_add: "INSERT OR IGNORE INTO queued (key, task, queue, position) VALUES (?1, ?2, ?3, ?4)";
    queued_remove: "DELETE FROM queued WHERE key = ?1 AND task = ?2 AND queue = ?3";
    queued_remove_all: "DELETE FROM queued WHERE key = ?1";

    permit_set: "INSERT OR REPLACE INTO permit (key, task, data) VALUES (?1, ?2, ?3)";
    permit_drop: "DELETE FROM permit WHERE key = ?1 AND task = ?2";
    permits_remove: "DELETE FROM permit WHERE key = ?1";

    record_put: "INSERT INTO record (kind, key, revision, data) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (kind, key) DO UPDATE SET revision = ?3, data = ?4";
    record_remove: "DELETE FROM record WHERE kind = ?1 AND key = ?2";
}
