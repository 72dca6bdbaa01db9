//! How a unit becomes rows, mutation by mutation.

use std::sync::Arc;

use rusqlite::{ErrorCode, OptionalExtension, params};

use super::{Applier, MACHINES_MAX, Obstacle};
use crate::embedded::read::{RawExecution, column, decode_record, raw_record, segment_id, tail_place};
use crate::embedded::seal::seal;
use crate::{
    CatalogKind, CommitError, Execution, ExecutionKey, Expect, Listed, Mutation, Segment, Status, Unit,
};

impl Applier<'_> {
    /// Applies the unit, or as much of it as comes before what is refused.
    pub(super) fn unit(&mut self, unit: &Unit, invalid: Option<&CommitError>) -> Result<(), Obstacle> {
        let held = self.epochs.get(usize::from(unit.shard.0)).copied().unwrap_or(0);
        if held == 0 || unit.epoch.0 != held {
            return Err(CommitError::Fenced.into());
        }
        if let Some(invalid) = invalid {
            return Err(invalid.clone().into());
        }
        let mut endings = Endings::of(unit);
        for (index, mutation) in unit.mutations.iter().enumerate() {
            match mutation {
                Mutation::CreateExecution(execution) => {
                    let ending = endings.fold(index, execution.key, unit);
                    self.create(execution, ending)?;
                }
                Mutation::SetStatus { key, status, stop_ms, tail } => {
                    if !endings.is_folded(*key, index) {
                        self.set_status(*key, *status, *stop_ms, tail)?;
                    }
                }
                other => self.mutation(other)?,
            }
        }
        Ok(())
    }

    /// A mutation that stands alone.
    fn mutation(&mut self, mutation: &Mutation) -> Result<(), Obstacle> {
        let sql = &mut self.sql;
        match mutation {
            Mutation::Catalog { kind, key, data, expect } => {
                return self.catalog(*kind, key, data.as_deref(), *expect);
            }
            Mutation::Append { key, segment } => return self.append(*key, segment),
            Mutation::DeleteExecution(key) => return self.delete(*key),
            Mutation::CountRedrive { key, at_ms } => {
                sql.execution_redriven.execute(params![column(*key), at_ms])?
            }
            Mutation::SetTimer(timer) => {
                sql.timer_set.execute(params![column(timer.key), timer.timer, timer.due_ms])?
            }
            Mutation::CancelTimer(timer) => {
                sql.timer_cancel.execute(params![column(timer.key), timer.timer, timer.due_ms])?
            }
            Mutation::Dispatched(dispatch) => {
                sql.dispatch_add.execute(params![column(dispatch.key), dispatch.task])?
            }
            Mutation::Answered(dispatch) => {
                sql.dispatch_remove.execute(params![column(dispatch.key), dispatch.task])?
            }
            Mutation::Enqueue(item) => {
                self.queue_position += 1;
                let position = self.queue_position;
                sql.queued_add.execute(params![column(item.key), item.task, &*item.queue, position])?
            }
            Mutation::Dequeue(item) => {
                sql.queued_remove.execute(params![column(item.key), item.task, &*item.queue])?
            }
            Mutation::SetPermit(permit) => {
                let place = column(permit.key);
                let sealed = seal(place, &permit.data, &mut self.sealed);
                sql.permit_set.execute(params![place, permit.task, sealed])?
            }
            Mutation::DropPermit { key, task } => sql.permit_drop.execute(params![column(*key), task])?,
            // These look at their neighbours: see `unit`.
            Mutation::CreateExecution(_) | Mutation::SetStatus { .. } => 0,
        };
        Ok(())
    }

    fn catalog(
        &mut self,
        kind: CatalogKind,
        key: &Arc<str>,
        data: Option<&[u8]>,
        expect: Expect,
    ) -> Result<(), Obstacle> {
        let number = kind as u8;
        let row = params![number, &**key];
        let current: Option<i64> = self.sql.record_revision.query_row(row, |row| row.get(0)).optional()?;
        let as_expected = match expect {
            Expect::Anything => true,
            Expect::Absent => current.is_none(),
            Expect::Revision(revision) => current.is_some_and(|current| current.unsigned_abs() == revision),
        };
        if !as_expected {
            let current = self.sql.record_find.query_row(row, raw_record).optional()?;
            let current = current.map(decode_record).transpose().map_err(CommitError::from)?;
            return Err(CommitError::Conflict { kind, key: key.clone(), current }.into());
        }
        match data {
            Some(data) => {
                let revision = current.unwrap_or(0) + 1;
                let sealed = seal(revision, data, &mut self.sealed);
                self.sql.record_put.execute(params![number, &**key, revision, sealed])?;
            }
            None => {
                self.sql.record_remove.execute(row)?;
            }
        }
        Ok(())
    }

    fn create(&mut self, execution: &Execution, ending: Ending<'_>) -> Result<(), Obstacle> {
        let machine = self.machine(&execution.machine)?;
        let Listed { version, alias, map_run, item_count, redrives, redriven_ms } = &execution.listed;
        let mut number_of =
            |name: &Option<Arc<str>>| name.as_ref().map(|name| self.machine(name)).transpose();
        let (version, alias, map_run) = (number_of(version)?, number_of(alias)?, number_of(map_run)?);
        let key = column(execution.key);
        let (status, stop_ms, tail) =
            ending.unwrap_or((execution.status, execution.stop_ms, &execution.tail));
        let mut sealed_tail = Vec::new();
        let added = self.sql.execution_add.execute(params![
            key,
            machine,
            status as u8,
            execution.start_ms,
            stop_ms,
            &*execution.name,
            seal(key, &execution.head, &mut self.sealed),
            seal(tail_place(key), tail, &mut sealed_tail),
            version,
            alias,
            map_run,
            item_count,
            redrives,
            redriven_ms,
        ]);
        match added {
            Ok(_) => Ok(()),
            Err(error) if is_in_use(&error) => Err(self.why_not_created(execution)),
            Err(error) => Err(error.into()),
        }
    }

    fn why_not_created(&mut self, execution: &Execution) -> Obstacle {
        let name = [&*execution.machine, &*execution.name];
        match self.sql.execution_named.query_row(name, RawExecution::read).optional() {
            Ok(Some(holder)) => match holder.decode() {
                Ok(holder) => CommitError::NameTaken(Box::new(holder)).into(),
                Err(corrupt) => CommitError::from(corrupt).into(),
            },
            Ok(None) => {
                CommitError::Invalid(format!("the key of execution {:?} is in use", execution.key)).into()
            }
            Err(error) => error.into(),
        }
    }

    fn set_status(
        &mut self,
        key: ExecutionKey,
        status: Status,
        stop_ms: Option<i64>,
        tail: &[u8],
    ) -> Result<(), Obstacle> {
        let key = column(key);
        let tail = seal(tail_place(key), tail, &mut self.sealed);
        self.sql.execution_status.execute(params![key, status as u8, stop_ms, tail])?;
        Ok(())
    }

    fn append(&mut self, key: ExecutionKey, segment: &Segment) -> Result<(), Obstacle> {
        let id = segment_id(key, segment.number);
        let sealed = seal(id, &segment.data, &mut self.sealed);
        match self.sql.segment_add.execute(params![id, sealed]) {
            Ok(_) => Ok(()),
            Err(error) if is_in_use(&error) => {
                let number = segment.number;
                Err(CommitError::Invalid(format!("segment {number} of execution {key:?} is there")).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn delete(&mut self, key: ExecutionKey) -> Result<(), Obstacle> {
        let row = [column(key)];
        let listed_under = self
            .sql
            .execution_listed_under
            .query_row(row, |row| Ok([row.get::<_, Option<i64>>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
        let listed_under = listed_under.optional()?.unwrap_or_default();
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
    fn machine(&mut self, name: &Arc<str>) -> Result<i64, Obstacle> {
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

fn is_in_use(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// The last status of an execution that is created and ended in one unit.
type Ending<'u> = Option<(Status, Option<i64>, &'u Vec<u8>)>;

/// The status changes of a unit, so that an execution that ends in the unit in which it was created is written once.
struct Endings {
    /// Execution, index of the mutation, whether its creation has taken it over; sorted.
    changes: Vec<(ExecutionKey, usize, bool)>,
}

impl Endings {
    fn of(unit: &Unit) -> Endings {
        let mut changes = Vec::new();
        for (index, mutation) in unit.mutations.iter().enumerate() {
            if let Mutation::SetStatus { key, .. } = mutation {
                changes.push((*key, index, false));
            }
        }
        changes.sort_unstable();
        Endings { changes }
    }

    /// Takes over all that come after the creation at `created`; the last one counts.
    fn fold<'u>(&mut self, created: usize, key: ExecutionKey, unit: &'u Unit) -> Ending<'u> {
        let from = self.changes.partition_point(|(of, index, _)| (*of, *index) < (key, created));
        let mut last = None;
        for (_, index, folded) in self.changes.iter_mut().skip(from).take_while(|(of, ..)| *of == key) {
            *folded = true;
            last = Some(*index);
        }
        match unit.mutations.get(last?) {
            Some(Mutation::SetStatus { status, stop_ms, tail, .. }) => Some((*status, *stop_ms, tail)),
            _ => None,
        }
    }

    fn is_folded(&self, key: ExecutionKey, at: usize) -> bool {
        let found = self.changes.binary_search_by(|(of, index, _)| (*of, *index).cmp(&(key, at)));
        found.ok().and_then(|place| self.changes.get(place)).is_some_and(|(.., folded)| *folded)
    }
}
