//! The thread that folds what is acknowledged into the database, and keeps house there.

mod apply;
mod housekeeping;
mod statements;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::OpenError;
use super::directory::{database, unreadable};
use super::newest::{Newest, Next};
use super::queue::Queue;
use super::{EmbeddedOptions, log};
use crate::StoreError;
use apply::Applier;
use housekeeping::Housekeeping;

/// Starts the thread; returns when it is ready to fold. It ends when [`Newest::close`] has been called and everything is in the
/// database; then the log is deleted.
pub(super) fn start(
    mut connection: Connection,
    newest: Arc<Newest>,
    queue: Arc<Queue>,
    options: &EmbeddedOptions,
) -> Result<JoinHandle<()>, OpenError> {
    let file = database(&options.directory);
    let (directory, checkpoint_pages) = (options.directory.clone(), options.checkpoint_pages);
    let (report, reported) = mpsc::sync_channel(1);
    let fold = move || {
        let end = End(newest);
        let mut housekeeping = Housekeeping::new(checkpoint_pages);
        let watched = housekeeping.watch(&mut connection);
        let mut applier = match watched.and_then(|()| Applier::new(&connection)) {
            Ok(applier) => applier,
            Err(error) => {
                let _ = report.send(Err(error));
                return;
            }
        };
        let _ = report.send(Ok(()));
        let result = run(&connection, &mut applier, &end.0, &queue, &mut housekeeping);
        let is_complete = result.is_ok() && end.0.is_complete();
        let closed = if is_complete { applier.close() } else { Ok(()) };
        drop(applier);
        match result.and(closed.map_err(StoreError::from)) {
            Ok(()) if is_complete => {
                if connection.close().is_ok()
                    && let Err(error) = log::remove(&directory)
                {
                    // The next start finds nothing new in it.
                    metrics::counter!("stepwright_store_failures_total").increment(1);
                    end.0.end(StoreError::Failed(error.to_string()));
                }
            }
            result => {
                // Who waited is told. The files stay as they are: SQLite would flush once more when it closes them, and
                // what a flush says after one has failed means nothing.
                let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
                metrics::counter!("stepwright_store_failures_total").increment(1);
                end.0.end(result.err().unwrap_or(StoreError::Closed));
            }
        }
    };
    let spawned = thread::Builder::new().name("stepwright-fold".into()).spawn(fold);
    let thread = spawned.map_err(|source| OpenError::Io { path: file.clone(), source })?;
    match reported.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(source)) => Err(unreadable(&file)(source)),
        Err(_) => Err(OpenError::Damaged { file, found: "its tables are not as they were written".into() }),
    }
}

/// However the thread ends, also by a panic: nobody waits for it any more.
struct End(Arc<Newest>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(StoreError::Closed);
    }
}

fn run(
    connection: &Connection,
    applier: &mut Applier<'_>,
    newest: &Newest,
    queue: &Queue,
    housekeeping: &mut Housekeeping,
) -> Result<(), StoreError> {
    loop {
        match newest.next(housekeeping.patience()) {
            Next::Fold(tail, position) => {
                let started = Instant::now();
                metrics::histogram!("stepwright_store_fold_executions").record(tail.executions.len() as f64);
                applier.fold(&tail, position, &newest.free_from())?;
                if tail.opened.is_some() {
                    // Also the database file alone is to say that there is a log.
                    housekeeping.fold(connection)?;
                }
                drop(tail);
                newest.has_folded(position);
                metrics::histogram!("stepwright_store_fold_seconds").record(started.elapsed());
                housekeeping.after_fold(connection)?;
            }
            Next::Rest => {
                if housekeeping.rest(connection)? {
                    queue.rest();
                }
            }
            Next::End => return Ok(()),
        }
    }
}
