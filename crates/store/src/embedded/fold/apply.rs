//! How a tail becomes rows: one transaction, in which the database also learns up to where it has the log.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::statements::Statements;
use crate::embedded::name;
use crate::embedded::newest::is_free;
use crate::embedded::read::{column, segment_id, tail_place};
use crate::embedded::seal::seal;
use crate::embedded::tail::{Changed, Ended, Queued, Recent, Tail};
use crate::{Execution, ExecutionKey, Listed, Segment};

/// The most machines whose number is remembered.
const MACHINES_MAX: usize = 4096;

/// Writes tails on the connection that writes.
pub(super) struct Applier<'c> {
    sql: Statements<'c>,
    /// The numbers of machines.
    machines: HashMap<Arc<str>, i64>,
    /// Where blobs get their checksum.
    sealed: Vec<u8>,
    /// By how many the counts of a machine's executions change, by status.
    tally: HashMap<(i64, u8), i64>,
}

impl<'c> Applier<'c> {
    pub fn new(connection: &'c Connection) -> rusqlite::Result<Applier<'c>> {
        let sql = Statements::prepare(connection)?;
        Ok(Applier { sql, machines: HashMap::new(), sealed: Vec::new(), tally: HashMap::new() })
    }

    /// Puts everything into the database that the tail, which ends at `position`, has; durable when it returns. `free_from`
    /// says where the database has nothing yet. After an error nothing more may be asked.
    pub fn fold(&mut self, tail: &Tail, position: u64, free_from: &[u64]) -> rusqlite::Result<()> {
        self.sql.begin.execute([])?;
        let result =
            self.write(tail, position, free_from).and_then(|()| self.sql.commit.execute([]).map(|_| ()));
        if result.is_err() {
            // The connection is given up; what can be taken back is taken back when it is closed.
            let _ = self.sql.rollback.execute([]);
        }
        result
    }

    /// Notes that the log was closed: everything is in the database.
    pub fn close(&mut self) -> rusqlite::Result<()> {
        self.sql.opened.execute(params![0, env!("CARGO_PKG_VERSION")]).map(|_| ())
    }

    fn write(&mut self, tail: &Tail, position: u64, free_from: &[u64]) -> rusqlite::Result<()> {
        self.sql.folded.execute([position as i64])?;
        if let Some(opened) = tail.opened {
            self.sql.opened.execute(params![opened as i64, env!("CARGO_PKG_VERSION")])?;
        }
        for (shard, epoch) in &tail.epochs {
            self.sql.shard_epoch.execute(params![shard.0, epoch.0 as i64])?;
        }
        // First, so that names are free again.
        for (key, _) in tail.executions.iter().filter(|(_, recent)| recent.deleted) {
            self.delete(*key)?;
        }
        for (key, recent) in &tail.executions {
            self.execution(*key, recent, is_free(free_from, *key))?;
        }
        for ((kind, key), record) in &tail.records {
            let number = *kind as u8;
            match record {
                Some(record) => {
                    let revision = record.revision as i64;
                    let sealed = seal(revision, &record.data, &mut self.sealed);
                    self.sql.record_put.execute(params![number, &**key, revision, sealed])?;
                }
                None => {
                    self.sql.record_remove.execute(params![number, &**key])?;
                }
            }
        }
        self.count()
    }

    /// Writes down how the counts have changed.
    fn count(&mut self) -> rusqlite::Result<()> {
        for ((machine, status), change) in self.tally.drain() {
            if change != 0 {
                self.sql.tally_add.execute([machine, i64::from(status), change])?;
                self.sql.tally_clean.execute([machine, i64::from(status)])?;
            }
        }
        Ok(())
    }

    /// `is_new`: the database had nothing of it, so that nothing needs to be removed.
    fn execution(&mut self, key: ExecutionKey, recent: &Recent, is_new: bool) -> rusqlite::Result<()> {
        if let Some(execution) = &recent.created {
            self.create(execution)?;
        }
        self.change(key, &recent.changed)?;
        self.find_by(key, &recent.terms, is_new || recent.created.is_some())?;
        for segment in &recent.segments {
            self.append(key, segment)?;
        }
        let (key, sql) = (column(key), &mut self.sql);
        for (&(timer, due_ms), is_set) in &recent.timers {
            if *is_set {
                sql.timer_set.execute(params![key, timer, due_ms])?;
            } else if !is_new {
                sql.timer_cancel.execute(params![key, timer, due_ms])?;
            }
        }
        for (task, is_dispatched) in &recent.dispatches {
            if *is_dispatched {
                sql.dispatch_add.execute(params![key, task])?;
            } else if !is_new {
                sql.dispatch_remove.execute(params![key, task])?;
            }
        }
        for ((task, queue), Queued { removed, position }) in &recent.queued {
            if *removed && !is_new {
                sql.queued_remove.execute(params![key, task, &**queue])?;
            }
            if let Some(position) = position {
                sql.queued_add.execute(params![key, task, &**queue, position])?;
            }
        }
        for (task, permit) in &recent.permits {
            if let Some(data) = permit {
                sql.permit_set.execute(params![key, task, seal(key, data, &mut self.sealed)])?;
            } else if !is_new {
                sql.permit_drop.execute(params![key, task])?;
            }
        }
        Ok(())
    }

    fn create(&mut self, execution: &Execution) -> rusqlite::Result<()> {
        let machine = self.machine(&execution.machine)?;
        let Listed { version, alias, map_run, item_count, redrives, redriven_ms } = &execution.listed;
        let mut number_of =
            |name: &Option<Arc<str>>| name.as_ref().map(|name| self.machine(name)).transpose();
        let (version, alias, map_run) = (number_of(version)?, number_of(alias)?, number_of(map_run)?);
        let key = column(execution.key);
        let mut sealed_tail = Vec::new();
        self.sql.execution_add.execute(params![
            key,
            machine,
            execution.status as u8,
            execution.start_ms,
            execution.stop_ms,
            name::column(&execution.name),
            seal(key, &execution.head, &mut self.sealed),
            seal_tail(key, &execution.tail, &mut sealed_tail),
            version,
            alias,
            map_run,
            item_count,
            redrives,
            redriven_ms,
        ])?;
        *self.tally.entry((machine, execution.status as u8)).or_default() += 1;
        Ok(())
    }

    fn change(&mut self, key: ExecutionKey, changed: &Changed) -> rusqlite::Result<()> {
        let key = column(key);
        if let Some(Ended { status, stop_ms, tail }) = &changed.ended
            && let Some((machine, before, _)) = place(&mut self.sql, key)?
        {
            *self.tally.entry((machine, before)).or_default() -= 1;
            *self.tally.entry((machine, *status as u8)).or_default() += 1;
            let tail = seal_tail(key, tail, &mut self.sealed);
            self.sql.execution_status.execute(params![key, *status as u8, stop_ms, tail])?;
        }
        if changed.redrives > 0 {
            self.sql.execution_redriven.execute(params![key, changed.redrives, changed.redriven_ms])?;
        }
        Ok(())
    }

    /// By which terms the execution is found from now on. `is_new`: it had none.
    fn find_by(
        &mut self,
        key: ExecutionKey,
        terms: &BTreeMap<Arc<str>, Vec<Arc<str>>>,
        is_new: bool,
    ) -> rusqlite::Result<()> {
        if terms.is_empty() {
            return Ok(());
        }
        let key = column(key);
        let Some((_, _, start_ms)) = place(&mut self.sql, key)? else { return Ok(()) };
        for (field, values) in terms {
            if !is_new {
                self.forget_terms(key, Some(field))?;
            }
            for value in values {
                let found = self.sql.term_find.query_row([field, value], |row| row.get(0)).optional()?;
                let term: i64 = match found {
                    Some(term) => term,
                    None => self.sql.term_add.insert([field, value])?,
                };
                self.sql.termed_add.execute([term, start_ms, key])?;
            }
        }
        Ok(())
    }

    /// Forgets the terms of a field, or all, of an execution.
    fn forget_terms(&mut self, key: i64, field: Option<&str>) -> rusqlite::Result<()> {
        let gone = self.sql.termed_remove.query_map(params![key, field], |row| row.get::<_, i64>(0))?;
        for term in gone.collect::<rusqlite::Result<Vec<_>>>()? {
            self.sql.term_remove.execute([term])?;
        }
        Ok(())
    }

    fn append(&mut self, key: ExecutionKey, segment: &Segment) -> rusqlite::Result<()> {
        let id = segment_id(key, segment.number);
        let sealed = seal(id, &segment.data, &mut self.sealed);
        self.sql.segment_add.execute(params![id, sealed])?;
        Ok(())
    }

    fn delete(&mut self, key: ExecutionKey) -> rusqlite::Result<()> {
        let row = [column(key)];
        let listed_under = self
            .sql
            .execution_listed_under
            .query_row(row, |row| Ok([row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
        let listed_under = listed_under.optional()?.unwrap_or_default();
        if let Some((machine, status, _)) = place(&mut self.sql, column(key))? {
            *self.tally.entry((machine, status)).or_default() -= 1;
            self.forget_terms(column(key), None)?;
        }
        self.sql.execution_remove.execute(row)?;
        let segments = [segment_id(key, 0), segment_id(key, Segment::NUMBER_MAX)];
        self.sql.segments_remove.execute(segments)?;
        self.sql.timers_remove.execute(row)?;
        self.sql.dispatches_remove.execute(row)?;
        self.sql.queued_remove_all.execute(row)?;
        self.sql.permits_remove.execute(row)?;
        self.sql.shard_deleted.execute(params![key.shard().0, key.sequence() as i64])?;
        for name in listed_under.into_iter().flatten() {
            // Versions and map runs come and go.
            let gone = self.sql.machine_remove.query_row([name], |row| row.get::<_, Arc<str>>(0));
            if let Some(name) = gone.optional()? {
                self.machines.remove(&name);
            }
        }
        Ok(())
    }

    /// The number of the machine, which it gets when it is first seen.
    fn machine(&mut self, name: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(id) = self.machines.get(name) {
            return Ok(*id);
        }
        let found = self.sql.machine_find.query_row([&**name], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => self.sql.machine_add.insert([&**name])?,
        };
        if self.machines.len() >= MACHINES_MAX {
            self.machines.clear();
        }
        self.machines.insert(name.clone(), id);
        Ok(id)
    }
}

/// Machine, status and start of an execution that is in the database.
fn place(sql: &mut Statements<'_>, key: i64) -> rusqlite::Result<Option<(i64, u8, i64)>> {
    let found = sql.execution_place.query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    found.optional()
}

/// The tail of an execution with its checksum; one that runs has none, and needs none.
fn seal_tail<'b>(key: i64, tail: &[u8], sealed: &'b mut Vec<u8>) -> &'b [u8] {
    if tail.is_empty() { &[] } else { seal(tail_place(key), tail, sealed) }
}
