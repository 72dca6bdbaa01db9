//! Map runs: the items of distributed Maps as executions of their own.
//!
//! A run is started by an effect of the execution that has the Map state; its record is durable with the event that tells it.
//! One [`driver`](self::driver) per run keeps a bounded window of children busy. What is durable of a run is its record
//! and the rows of its children: a STANDARD child is an ordinary stored execution, an EXPRESS child runs in memory and
//! leaves a row when it has ended. After a crash the driver is rebuilt from these: children that have rows are not started again.
//! The end of a run is one unit: its record, and what the Map state makes of it.
//!
//! While a run is open, a dispatch of its execution stands for it: that is how a start finds the runs to go on with.

mod children;
mod counts;
mod driver;
mod ending;
mod items;
mod marks;
mod naming;
mod planner;
mod queries;
mod record;
mod resume;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::{Execution, Input, MapRun, RunId};
use stepwright_store::{CatalogKind, Dispatch, ExecutionKey, Mutation, StoreError};
use tokio::sync::{Notify, Semaphore};

pub(crate) use children::News;
pub use counts::Counts;
pub use naming::{Span, span_of};
pub use queries::{MapRunDescription, MapRunUpdate, UpdateMapRunError};
pub use record::{RunKey, RunLimits, RunRecord};

use crate::engine::Engine;
use driver::Driver;

/// Runs that are worked on at a time; others wait. AWS's quota. Runs inside the children of others do not wait: what an outer
/// run waits for must be able to begin.
const OPEN_RUNS_MAX: usize = 1_000;

/// The runs that are open.
pub(crate) struct MapRuns {
    open: Mutex<HashMap<RunKey, Arc<Run>>>,
    places: Arc<Semaphore>,
}

impl Default for MapRuns {
    fn default() -> MapRuns {
        MapRuns { open: Mutex::default(), places: Arc::new(Semaphore::new(OPEN_RUNS_MAX)) }
    }
}

/// An open run, as all see it: its driver, `UpdateMapRun`, the execution that waits for it.
pub(crate) struct Run {
    pub key: RunKey,
    /// As it is in the store. Held while it is written, so that writers follow one another.
    pub record: tokio::sync::Mutex<RunRecord>,
    live: Mutex<Live>,
    /// RunLimits, cancellation or redrive: the driver looks again.
    pub changed: Notify,
    cancelled: AtomicBool,
    /// The execution was redriven while the run was still being ended.
    again: Mutex<Option<Box<MapRun>>>,
}

/// What changes from moment to moment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Live {
    pub limits: RunLimits,
    pub items: Counts,
    pub executions: Counts,
}

impl Run {
    fn new(key: RunKey, record: RunRecord) -> Arc<Run> {
        let live = Live { limits: record.limits, items: record.items, executions: record.executions };
        Arc::new(Run {
            key,
            record: tokio::sync::Mutex::new(record),
            live: Mutex::new(live),
            changed: Notify::new(),
            cancelled: AtomicBool::new(false),
            again: Mutex::default(),
        })
    }

    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    fn start_again(&self, work: Box<MapRun>) {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
        self.changed.notify_one();
    }

    fn has_again(&self) -> bool {
        self.again.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The redrive that came while the run was being ended.
    fn take_again(&self) -> Option<Box<MapRun>> {
        let work = self.again.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        self.cancelled.store(false, Ordering::Release);
        Some(work)
    }
}

impl MapRuns {
    pub fn get(&self, key: RunKey) -> Option<Arc<Run>> {
        self.lock().get(&key).cloned()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunKey, Arc<Run>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a run that starts changes in the store.
pub(crate) fn start_mutations(parent: ExecutionKey, work: &MapRun, now_ms: i64) -> Vec<Mutation> {
    let key = RunKey { parent, run: work.run.0 };
    let dispatched = Mutation::Dispatched(key.dispatch());
    if work.redrive_count > 0 {
        // The record is there; the driver brings it up to date.
        return vec![dispatched];
    }
    let record = RunRecord::starting(work, now_ms);
    vec![record.mutation(key), record.pointer(key), dispatched]
}

impl Engine {
    /// A run whose start is durable begins.
    pub(crate) fn start_map_run(self: &Arc<Self>, parent: ExecutionKey, work: Box<MapRun>) {
        let key = RunKey { parent, run: work.run.0 };
        let mut open = self.map_runs.lock();
        if let Some(run) = open.get(&key) {
            run.start_again(work);
            return;
        }
        let run = Run::new(key, RunRecord::starting(&work, self.clock.now_ms()));
        open.insert(key, run.clone());
        drop(open);
        let engine = self.clone();
        tokio::spawn(async move { Driver::new(engine, run).start(Some(work)).await });
    }

    /// Nobody waits for the run any more.
    pub(crate) fn cancel_map_run(&self, parent: ExecutionKey, run: RunId) {
        if let Some(run) = self.map_runs.get(RunKey { parent, run: run.0 }) {
            run.cancel();
        }
    }

    /// The runs that were open. Takes their dispatches out of `dispatches`.
    pub(crate) async fn recover_map_runs(
        &self,
        dispatches: &mut Vec<Dispatch>,
    ) -> Result<Vec<Arc<Run>>, StoreError> {
        let mut runs = Vec::new();
        let keys: Vec<RunKey> = dispatches.iter().filter_map(RunKey::of_dispatch).collect();
        dispatches.retain(|dispatch| RunKey::of_dispatch(dispatch).is_none());
        for key in keys {
            let found = self.store.record(CatalogKind::MapRun, &key.record_key()).await?;
            let record = found.and_then(|found| RunRecord::decode(&found.data).ok());
            let record = record.ok_or_else(|| StoreError::Corrupt(format!("map run {key:?}")))?;
            let run = Run::new(key, record);
            self.map_runs.lock().insert(key, run.clone());
            runs.push(run);
        }
        Ok(runs)
    }

    /// Goes on with runs that were open.
    pub(crate) fn resume_map_runs(self: &Arc<Self>, runs: Vec<Arc<Run>>) {
        for run in runs {
            let engine = self.clone();
            tokio::spawn(async move { Driver::new(engine, run).resume().await });
        }
    }

    /// The run as its execution sees it; `None` when that does not wait for it (any more).
    async fn work_of(self: &Arc<Self>, key: RunKey) -> Result<Option<Box<MapRun>>, crate::DeliverError> {
        let look = |execution: &Execution, _: &mut crate::deliver::Drive| execution.map_run(RunId(key.run));
        let delivered = self.deliver(key.parent, |_| Some(Input::Continue), Vec::new(), look).await;
        match delivered {
            Ok(work) => Ok(work.map(Box::new)),
            Err(crate::DeliverError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
