//! What an operator asks of the tables: how much there is, and whether all of it is as it was written.

use rusqlite::{Connection, Row};

use super::read::{EXECUTION, RawExecution, decode_record, raw_record};
use super::seal::unseal;
use crate::{Status, StoreError};

/// How many bytes each table and index takes, the largest first.
pub(super) fn table_sizes(connection: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let sql = "SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY bytes DESC, name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}

pub(super) fn free_pages(connection: &Connection) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

pub(super) fn pages(connection: &Connection) -> rusqlite::Result<u64> {
    connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// How many executions have the status.
pub(super) fn count(connection: &Connection, status: Status) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM execution WHERE status = ?1";
    connection.query_row(sql, [status as u8], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// Reads every page that is in use, compares tables with their indexes, and verifies every row that has a checksum. Adds what is
/// wrong, up to `most` findings, and how many rows were good.
pub(super) fn verify(connection: &Connection, most: usize, findings: &mut Vec<String>, rows: &mut u64) {
    let mut found = Vec::new();
    let checked = connection.prepare(&format!("PRAGMA integrity_check({most})")).and_then(|mut statement| {
        let told = statement.query_map([], |row| row.get::<_, String>(0))?;
        for finding in told {
            found.extend(Some(finding?).filter(|finding| finding != "ok"));
        }
        Ok(())
    });
    found.extend(checked.err().map(|error| StoreError::from(error).to_string()));
    let mut verify_rows = |sql: &str, check: &dyn Fn(&Row<'_>) -> Result<(), StoreError>| {
        let mut each = || -> Result<(), StoreError> {
            let mut statement = connection.prepare(sql)?;
            let mut read = statement.query([])?;
            while let Some(row) = read.next()? {
                match check(row) {
                    Ok(()) => *rows += 1,
                    Err(error) if found.len() < most => found.push(error.to_string()),
                    Err(_) => break,
                }
            }
            Ok(())
        };
        if let Err(error) = each() {
            found.push(error.to_string());
        }
    };
    verify_rows(EXECUTION, &|row| RawExecution::read(row)?.decode().map(|_| ()));
    verify_rows("SELECT id, data FROM segment", &|row| {
        unseal(row.get(0)?, "a segment of history", row.get(1)?).map(|_| ())
    });
    verify_rows("SELECT key, data FROM permit", &|row| {
        unseal(row.get(0)?, "a permit", row.get(1)?).map(|_| ())
    });
    verify_rows("SELECT key, revision, data FROM record", &|row| decode_record(raw_record(row)?).map(|_| ()));
    findings.extend(found);
    findings.truncate(most);
}
