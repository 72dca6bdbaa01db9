//! The connections that read: a bounded pool. More readers than connections wait for one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::directory::{database, unreadable};
use super::{EmbeddedOptions, OpenError};
use crate::StoreError;
use crate::answer::lock;

/// Only the moment in which the log is recovered after a crash can keep a reader waiting.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// More than the queries there are.
const STATEMENTS_MAX: usize = 32;

pub(super) struct Readers {
    pool: Mutex<Pool>,
    /// Signalled when a connection comes back.
    returned: Condvar,
}

struct Pool {
    free: Vec<Connection>,
    lent: usize,
    /// Signalling costs a system call, so it is done only when somebody listens.
    waiting: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn open(options: &EmbeddedOptions) -> Result<Readers, OpenError> {
        let file = database(&options.directory);
        let connections = (0..options.readers.max(1)).map(|_| connect(options));
        let free = connections.collect::<rusqlite::Result<Vec<_>>>().map_err(unreadable(&file))?;
        Ok(Readers {
            pool: Mutex::new(Pool { free, lent: 0, waiting: 0, closed: false }),
            returned: Condvar::new(),
        })
    }

    /// Runs the query on a free connection, after waiting for one.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let loan = self.borrow()?;
        match &loan.connection {
            Some(connection) => query(connection),
            None => Err(StoreError::Closed),
        }
    }

    /// Closes the connections, after waiting for those in use.
    pub(super) fn close(&self) {
        let mut pool = lock(&self.pool);
        pool.closed = true;
        pool.free.clear();
        self.returned.notify_all();
        while pool.lent > 0 {
            pool = self.wait(pool);
        }
    }

    /// Refuses further reads, without waiting.
    pub(super) fn refuse(&self) {
        lock(&self.pool).closed = true;
        self.returned.notify_all();
    }

    fn borrow(&self) -> Result<Loan<'_>, StoreError> {
        let mut pool = lock(&self.pool);
        loop {
            if pool.closed {
                return Err(StoreError::Closed);
            }
            if let Some(connection) = pool.free.pop() {
                pool.lent += 1;
                return Ok(Loan { readers: self, connection: Some(connection) });
            }
            pool = self.wait(pool);
        }
    }

    fn wait<'p>(&self, mut pool: MutexGuard<'p, Pool>) -> MutexGuard<'p, Pool> {
        pool.waiting += 1;
        let mut pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        pool.waiting -= 1;
        pool
    }
}

/// A connection that goes back to the pool, also from a query that panics.
struct Loan<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut pool = lock(&self.readers.pool);
        let connection = self.connection.take();
        if pool.closed {
            // Before the loan ends, so that `close` returns when no connection is left.
            drop(connection);
        } else {
            pool.free.extend(connection);
        }
        pool.lent -= 1;
        if pool.waiting > 0 {
            // All: the one that closes may be among them.
            self.readers.returned.notify_all();
        }
    }
}

/// Without this, SQLite plans a statement anew whenever a parameter that its plan might depend on gets another value: as
/// dear as the query itself. The plans here do not depend on values.
pub(super) fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// A connection that reads.
pub(super) fn connect(options: &EmbeddedOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database(&options.directory), flags)?;
    super::pages::verify_reads(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    plan_once(&connection)?;
    connection.pragma_update(None, "cache_size", -i64::from(options.reader_cache_kib))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}
