//! What is stored of a map run: its limits, how it stands, and, once it has ended, its counts.
//!
//! The record's key begins with that of the execution and goes on with the run's number, so that the runs of an execution are
//! one range of keys in the order of their start. A second record leads from the ARN to the first.

use std::sync::Arc;

use stepwright_machine::{ExecutionKind, Failure, MapRun, exceeds_tolerance};
use stepwright_store::{CatalogKind, ExecutionKey, Expect, Mutation, Status};
use stepwright_types::arn::MapRunArn;

use super::counts::Counts;
use crate::record::{Fields, RecordError, encode};

/// A map run in the store: the execution that has the Map state, and the run's number in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunKey {
    pub parent: ExecutionKey,
    pub run: u32,
}

/// The number of the task under which a run is among an execution's dispatches has this bit; no task's own number has.
const DISPATCH: u32 = 1 << 31;

impl RunKey {
    pub fn dispatch(self) -> stepwright_store::Dispatch {
        stepwright_store::Dispatch { key: self.parent, task: self.run | DISPATCH }
    }

    /// The run that a dispatch stands for; `None` when that is a task's.
    pub fn of_dispatch(dispatch: &stepwright_store::Dispatch) -> Option<RunKey> {
        let run = dispatch.task & !DISPATCH;
        (run != dispatch.task).then_some(RunKey { parent: dispatch.key, run })
    }

    pub fn record_key(self) -> String {
        format!("{}{:08x}", RunKey::prefix(self.parent), self.run)
    }

    /// With what the keys of an execution's runs begin.
    pub fn prefix(parent: ExecutionKey) -> String {
        format!("{:012x}/", parent.bits())
    }

    pub fn of_record_key(key: &str) -> Option<RunKey> {
        let (parent, run) = key.split_once('/')?;
        let parent = ExecutionKey::from_bits(u64::from_str_radix(parent, 16).ok()?)?;
        Some(RunKey { parent, run: u32::from_str_radix(run, 16).ok()? })
    }
}

/// A map run.
#[derive(Clone, PartialEq, Debug)]
pub struct RunRecord {
    pub map_run_arn: Arc<str>,
    /// The execution that has the Map state.
    pub execution_arn: Arc<str>,
    /// Type of the children.
    pub kind: ExecutionKind,
    /// `Running`, `Succeeded`, `Failed` or `Aborted`.
    pub status: Status,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    pub stop_ms: Option<i64>,
    pub limits: RunLimits,
    pub redrive_count: u32,
    pub redrive_ms: Option<i64>,
    /// Why the run will fail once its children have been stopped.
    pub failing: Option<Failure>,
    /// As they were when this was written; exact once the run has ended.
    pub items: Counts,
    pub executions: Counts,
}

/// What `UpdateMapRun` can change.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RunLimits {
    /// Children at a time; 0: no limit but AWS's.
    pub max_concurrency: u32,
    pub tolerated_failure_count: Option<i64>,
    pub tolerated_failure_percentage: Option<f64>,
}

impl RunLimits {
    /// Whether so many failed items of so many are too many.
    pub fn exceeded_by(&self, failed: u64, total: u64) -> bool {
        let (count, percentage) = (self.tolerated_failure_count, self.tolerated_failure_percentage);
        exceeds_tolerance(count, percentage, failed, total)
    }
}

impl RunRecord {
    /// Of a run that starts now.
    pub fn starting(run: &MapRun, now_ms: i64) -> RunRecord {
        let started = &run.started;
        let total = run.len() as u64;
        RunRecord {
            map_run_arn: started.map_run_arn.clone(),
            execution_arn: run.parent().execution_arn.clone(),
            kind: run.kind,
            status: Status::Running,
            start_ms: now_ms,
            stop_ms: None,
            limits: RunLimits {
                max_concurrency: started.max_concurrency,
                tolerated_failure_count: started.tolerated_failure_count,
                tolerated_failure_percentage: started.tolerated_failure_percentage,
            },
            redrive_count: 0,
            redrive_ms: None,
            failing: None,
            items: Counts { total, ..Counts::default() },
            executions: Counts::default(),
        }
    }

    pub fn parts(&self) -> Option<MapRunArn<'_>> {
        MapRunArn::parse(&self.map_run_arn)
    }

    /// Writes the record.
    pub fn mutation(&self, key: RunKey) -> Mutation {
        record(key.record_key().into(), self.encode())
    }

    /// Leads from the ARN to the record.
    pub fn pointer(&self, key: RunKey) -> Mutation {
        record(self.map_run_arn.clone(), key.record_key().into_bytes())
    }

    /// Removes the record, and what leads to it.
    pub fn removal(&self, key: RunKey) -> [Mutation; 2] {
        [key.record_key().into(), self.map_run_arn.clone()].map(|key| Mutation::Catalog {
            kind: CatalogKind::MapRun,
            key,
            data: None,
            expect: Expect::Anything,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let text = |number: i64| Arc::<str>::from(number.to_string());
        let (start, status) = (text(self.start_ms), text(self.status as i64));
        let kind: Arc<str> = if self.kind == ExecutionKind::Express { "E" } else { "S" }.into();
        let (concurrency, redrives) =
            (text(self.limits.max_concurrency.into()), text(self.redrive_count.into()));
        let percentage = self.limits.tolerated_failure_percentage.map(|it| Arc::<str>::from(it.to_string()));
        let failing = self.failing.as_ref();
        let (is_failing, error, cause) = (
            failing.map(|_| Arc::<str>::from("")),
            failing.and_then(|failure| failure.error.clone()),
            failing.and_then(|failure| failure.cause.clone()),
        );
        encode(&[
            Some(&self.map_run_arn),
            Some(&self.execution_arn),
            Some(&kind),
            Some(&status),
            Some(&start),
            self.stop_ms.map(text).as_ref(),
            Some(&concurrency),
            self.limits.tolerated_failure_count.map(text).as_ref(),
            percentage.as_ref(),
            Some(&redrives),
            self.redrive_ms.map(text).as_ref(),
            is_failing.as_ref(),
            error.as_ref(),
            cause.as_ref(),
            Some(&self.items.write().into()),
            Some(&self.executions.write().into()),
        ])
    }

    pub fn decode(bytes: &[u8]) -> Result<RunRecord, RecordError> {
        let mut fields = Fields::new(bytes)?;
        let map_run_arn = fields.needed("no ARN")?;
        let execution_arn = fields.needed("no execution")?;
        let kind = match &*fields.needed("no type")? {
            "E" => ExecutionKind::Express,
            _ => ExecutionKind::Standard,
        };
        let status: u8 = fields.number()?.ok_or(RecordError("no status"))?;
        let start_ms = fields.number()?.ok_or(RecordError("no start"))?;
        let stop_ms = fields.number()?;
        let limits = RunLimits {
            max_concurrency: fields.number()?.unwrap_or(0),
            tolerated_failure_count: fields.number()?,
            tolerated_failure_percentage: fields.number()?,
        };
        let (redrive_count, redrive_ms) = (fields.number()?.unwrap_or(0), fields.number()?);
        let is_failing = fields.next()?.is_some();
        let failure = Failure { error: fields.next()?, cause: fields.next()? };
        let mut counts = || -> Result<Counts, RecordError> {
            Counts::read(&fields.needed("no counts")?).ok_or(RecordError("no counts"))
        };
        Ok(RunRecord {
            map_run_arn,
            execution_arn,
            kind,
            status: Status::from_number(status).ok_or(RecordError("no such status"))?,
            start_ms,
            stop_ms,
            limits,
            redrive_count,
            redrive_ms,
            failing: is_failing.then_some(failure),
            items: counts()?,
            executions: counts()?,
        })
    }
}

fn record(key: Arc<str>, data: Vec<u8>) -> Mutation {
    Mutation::Catalog { kind: CatalogKind::MapRun, key, data: Some(data), expect: Expect::Anything }
}

#[cfg(test)]
mod tests {
    use stepwright_store::ShardId;

    use super::*;

    #[test]
    fn both_ways_and_damaged() {
        let record = RunRecord {
            map_run_arn: "arn:aws:states:r:1:mapRun:m/l:u".into(),
            execution_arn: "arn:aws:states:r:1:execution:m:e".into(),
            kind: ExecutionKind::Express,
            status: Status::Failed,
            start_ms: 5,
            stop_ms: Some(9),
            limits: RunLimits {
                max_concurrency: 3,
                tolerated_failure_count: Some(-1),
                tolerated_failure_percentage: Some(12.5),
            },
            redrive_count: 1,
            redrive_ms: Some(7),
            failing: Some(Failure { error: Some("E".into()), cause: None }),
            items: Counts { total: 10, failed: 2, ..Counts::default() },
            executions: Counts { total: 5, ..Counts::default() },
        };
        let bytes = record.encode();
        assert_eq!(RunRecord::decode(&bytes), Ok(record));
        for cut in 0..bytes.len() {
            assert!(RunRecord::decode(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn keys() {
        let parent = ExecutionKey::new(ShardId(3), 77).expect("a key");
        let key = RunKey { parent, run: 5 };
        assert_eq!(RunKey::of_record_key(&key.record_key()), Some(key));
        assert_eq!(RunKey::of_dispatch(&key.dispatch()), Some(key));
        let task = stepwright_store::Dispatch { key: parent, task: 5 };
        assert_eq!(RunKey::of_dispatch(&task), None);
    }

    #[test]
    fn tolerances() {
        let limits = |count, percentage| RunLimits {
            tolerated_failure_count: count,
            tolerated_failure_percentage: percentage,
            ..RunLimits::default()
        };
        let cases = [
            (limits(None, None), 0, false),
            (limits(None, None), 1, true),
            (limits(Some(2), None), 2, false),
            (limits(Some(2), None), 3, true),
            (limits(None, Some(20.0)), 2, false),
            (limits(None, Some(20.0)), 3, true),
            (limits(Some(5), Some(20.0)), 3, true),
            (limits(Some(0), None), 1, true),
            (limits(None, Some(0.0)), 1, true),
            // One of 0 beside the other does not count.
            (limits(Some(0), Some(50.0)), 5, false),
            (limits(Some(0), Some(50.0)), 6, true),
            (limits(Some(2), Some(0.0)), 2, false),
            (limits(Some(2), Some(0.0)), 3, true),
            (limits(Some(0), Some(0.0)), 1, true),
        ];
        for (limits, failed, expected) in cases {
            assert_eq!(limits.exceeded_by(failed, 10), expected, "{limits:?} {failed}");
        }
    }
}
