//! What the folding thread does besides: SQLite's own log is folded into the database file when it is long, and pages that are
//! not needed any more go back to the file system; in steps that are small, lest somebody waits for a fold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::StoreError;

/// Pages that are given back in one step.
const STEP_PAGES: u32 = 256;
/// Free pages that are kept: what is written next needs some.
const FREE_PAGES_KEPT: u32 = 1_024;
/// SQLite's log is cut off when nobody has written for a while and it has more pages than this.
const LOG_PAGES_KEPT: u32 = 256;
const QUIET: Duration = Duration::from_secs(1);
/// The log of what was acknowledged is cut back later: to let it grow again costs those who write.
const IDLE: Duration = Duration::from_secs(5);

pub(super) struct Housekeeping {
    /// How many pages SQLite's log has, by the last commit.
    pages: Arc<AtomicU32>,
    /// How many there were when they were folded. The log starts anew with the next commit, unless somebody reads it.
    folded_at: u32,
    checkpoint_pages: u32,
    /// How many pages its file has room for: what was written over stays until it is cut off.
    file_pages: u32,
    /// There are pages to give back.
    has_free: bool,
    /// Something was folded, so that the log may have grown.
    has_folded: bool,
}

/// How many free pages there are beyond those that are kept.
fn spare_pages(connection: &Connection) -> rusqlite::Result<u32> {
    let free: u32 = connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(free.saturating_sub(FREE_PAGES_KEPT))
}

impl Housekeeping {
    pub fn new(checkpoint_pages: u32) -> Housekeeping {
        // What an earlier process has left is looked at first.
        Housekeeping {
            pages: Arc::default(),
            folded_at: 0,
            checkpoint_pages,
            file_pages: 0,
            has_free: true,
            has_folded: false,
        }
    }

    /// SQLite would fold its log at the end of a commit, while others wait for it.
    pub fn watch(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        let pages = self.pages.clone();
        connection.wal_hook(Some(move |_: &mut _, now: std::ffi::c_int| {
            pages.store(now.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// How long nothing has to happen before there is something to do here; `None`: there is nothing.
    pub fn patience(&self) -> Option<Duration> {
        match (self.has_free, self.file_pages > LOG_PAGES_KEPT) {
            (true, _) => Some(Duration::ZERO),
            (false, true) => Some(QUIET),
            (false, false) => self.has_folded.then_some(IDLE),
        }
    }

    pub fn after_fold(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.has_folded = true;
        self.give_back(connection)?;
        self.fold_if_long(connection)
    }

    /// Nobody has written for as long as [`Housekeeping::patience`] said. `true`: nothing is left to do here, and the log may be
    /// cut back.
    pub fn rest(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        if self.has_free {
            self.give_back(connection)?;
            self.fold_if_long(connection)?;
            return Ok(false);
        }
        if self.file_pages <= LOG_PAGES_KEPT {
            return Ok(std::mem::take(&mut self.has_folded));
        }
        // Not at the cost of one who reads: another time will do.
        connection.busy_timeout(Duration::ZERO)?;
        let cut = connection
            .prepare_cached("PRAGMA wal_checkpoint(TRUNCATE)")?
            .query_row([], |row| row.get::<_, bool>(0));
        connection.busy_timeout(super::super::directory::BUSY_TIMEOUT)?;
        let is_busy = cut?;
        if !is_busy {
            self.pages.store(0, Ordering::Relaxed);
            (self.folded_at, self.file_pages) = (0, 0);
        }
        Ok(false)
    }

    /// Gives some free pages back, if there are many. The file becomes shorter when SQLite's log is folded into it.
    fn give_back(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let spare = spare_pages(connection)?;
        self.has_free = false;
        if spare > 0 {
            let sql = format!("PRAGMA incremental_vacuum({})", spare.min(STEP_PAGES));
            let mut statement = connection.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            let left = spare_pages(connection)?;
            self.has_free = 0 < left && left < spare;
        }
        Ok(())
    }

    fn fold_if_long(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let pages = self.pages.load(Ordering::Relaxed);
        self.file_pages = self.file_pages.max(pages);
        if pages < self.folded_at {
            self.folded_at = 0;
        }
        if pages - self.folded_at < self.checkpoint_pages {
            return Ok(());
        }
        self.folded_at = pages;
        self.fold(connection)
    }

    /// Folds SQLite's log into the database file.
    pub fn fold(&self, connection: &Connection) -> Result<(), StoreError> {
        let started = Instant::now();
        connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?;
        metrics::histogram!("stepwright_store_checkpoint_seconds").record(started.elapsed());
        Ok(())
    }
}
