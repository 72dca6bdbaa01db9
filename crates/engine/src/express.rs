//! EXPRESS executions: in memory alone, driven by the same code as all others. Nothing of them is stored; they end with the
//! process, and at the latest after five minutes (the interpreter's timer).

use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, Event, Execution, ExecutionKind, Identity, Input, Outcome, codec};
use stepwright_store::ExecutionKey;
use stepwright_types::error_name;
use stepwright_value::Document;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::compute::Moment;
use crate::deliver::{Loaded, locator};
use crate::endings::Listener;
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError, StartError};
use crate::load::Progress;
use crate::programs::Runnable;
use crate::recent::{KeptHistory, RecentExpress};
use crate::start::{Revision, StartExecution};

/// Bytes of memory that all EXPRESS executions which run may take together. One that starts when they are used up is refused; one
/// that grows when they are used up fails.
pub const EXPRESS_BYTES_MAX: usize = 512 << 20;

/// They are given out in parts of so many bytes.
const PART_BYTES: usize = 1 << 10;

/// What an execution takes at least, with all that is kept for it here and there: some 100,000 may run.
const LEAST_BYTES: usize = 5 << 10;

/// An execution is counted anew when its newest events have come to this share of what it was.
const COUNTED_AGAIN_AFTER: usize = 16;

/// The memory for all EXPRESS executions, as parts to be acquired.
pub(crate) fn memory(bytes_max: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(bytes_max / PART_BYTES))
}

fn parts(bytes: usize) -> u32 {
    u32::try_from(bytes.max(LEAST_BYTES).div_ceil(PART_BYTES)).unwrap_or(u32::MAX)
}

/// What the engine holds of an EXPRESS execution while it runs.
pub(crate) struct Running {
    /// Its part of the memory for all.
    memory: OwnedSemaphorePermit,
    /// The bytes that it took when it was last counted.
    counted_bytes: usize,
    /// The bytes of the events since, as they are encoded.
    gathered_bytes: usize,
    /// None of a child of a map run, which leaves a row.
    history: Option<KeptHistory>,
}

impl Running {
    fn new(memory: OwnedSemaphorePermit) -> Box<Running> {
        let history = Some(KeptHistory::default());
        Box::new(Running { memory, counted_bytes: 0, gathered_bytes: 0, history })
    }

    /// Children of a map run as they are after their first steps, once there is room for all. A group that is larger than the memory
    /// takes all of it.
    pub async fn children(
        memory: &Arc<Semaphore>,
        bytes_max: usize,
        executions: impl Iterator<Item = &Execution>,
    ) -> Vec<Box<Running>> {
        let counted: Vec<usize> = executions.map(Execution::memory_bytes).collect();
        let all = counted.iter().fold(0, |sum: u32, bytes| sum.saturating_add(parts(*bytes)));
        let all = all.min(u32::try_from(bytes_max / PART_BYTES).unwrap_or(u32::MAX));
        // It is never closed.
        let Ok(mut group) = memory.clone().acquire_many_owned(all).await else { return Vec::new() };
        let child = |counted_bytes: usize| {
            let own = group.num_permits().min(parts(counted_bytes) as usize);
            let memory = group.split(own)?;
            Some(Box::new(Running { memory, counted_bytes, gathered_bytes: 0, history: None }))
        };
        counted.into_iter().filter_map(child).collect()
    }

    fn note(&mut self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let segment = codec::encode_segment(events);
        self.gathered_bytes += segment.len();
        if let Some(history) = &mut self.history {
            history.push(segment);
        }
    }

    /// Takes as much of the memory as the execution needs now; whether there is enough.
    fn fits(&mut self, memory: &Arc<Semaphore>, execution: &Execution) -> bool {
        if self.gathered_bytes * COUNTED_AGAIN_AFTER >= self.counted_bytes {
            self.counted_bytes = execution.memory_bytes();
            self.gathered_bytes = 0;
        }
        let history_bytes = self.history.as_ref().map_or(0, KeptHistory::bytes);
        let needed = parts(self.counted_bytes + self.gathered_bytes + history_bytes) as usize;
        let own = self.memory.num_permits();
        if own > needed {
            drop(self.memory.split(own - needed));
        } else if own < needed {
            let more = u32::try_from(needed - own).unwrap_or(u32::MAX);
            let Ok(more) = memory.clone().try_acquire_many_owned(more) else { return false };
            self.memory.merge(more);
        }
        true
    }
}

/// An EXPRESS execution that has started.
pub struct ExpressStarted {
    pub execution_arn: Arc<str>,
    pub name: Arc<str>,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    ending: Ending,
}

enum Ending {
    /// It needed nothing from outside.
    Known(Outcome),
    Awaited(Listener),
}

impl ExpressStarted {
    /// How it ended, when it has. `None` when it was lost: the engine has met a defect, which is in the log.
    pub async fn outcome(self) -> Option<Outcome> {
        match self.ending {
            Ending::Known(outcome) => Some(outcome),
            Ending::Awaited(mut listener) => listener.heard().await,
        }
    }
}

impl Engine {
    /// Starts an EXPRESS execution. When this returns it has run as far as it goes without the outside world; it goes on
    /// whether or not anybody waits for its end. Names need not be unique.
    pub async fn start_express(
        self: &Arc<Self>,
        request: StartExecution,
    ) -> Result<ExpressStarted, StartError> {
        let memory = self.express.clone().try_acquire_many_owned(parts(0));
        let mut running = Running::new(memory.map_err(|_| StartError::TooMany)?);
        let Revision { machine_arn, revision_id, role_arn, definition } = request.revision;
        let revision = self.programs.get(&machine_arn, &revision_id, definition.as_deref()).await;
        let Runnable { program, logging, pace } = revision.map_err(DeliverError::from)?;
        let key = self.next_key().map_err(|error| DeliverError::from(LoadError::from(error)))?;
        let name = request.name.unwrap_or_else(|| self.entropy.uuid().into());
        let start_ms = self.clock.now_ms();
        let identity = Arc::new(self.express_identity(
            machine_arn,
            role_arn,
            name,
            request.input,
            start_ms,
            locator(key),
        ));
        let mut execution = Execution::new(program, identity.clone(), BehaviourFlags::CURRENT);
        let moment = Moment::new(&*self.clock);
        // EXPRESS has no activities.
        let first = self.first_step(key, &mut execution, &pace, &[], &moment);
        let mut drive = first.map_err(DeliverError::from)?;
        running.note(&drive.events);
        if execution.outcome().is_none() && !running.fits(&self.express, &execution) {
            // It has done nothing yet that anybody saw.
            return Err(StartError::TooMany);
        }
        self.observe(&execution, logging.as_deref(), &drive.events);
        let started = |ending| ExpressStarted {
            execution_arn: identity.execution_arn.clone(),
            name: identity.execution_name.clone(),
            start_ms,
            ending,
        };
        if let Some(outcome) = execution.outcome() {
            self.keep_recent(&mut running, &execution, &drive.events);
            return Ok(started(Ending::Known(outcome.clone())));
        }
        let listener = self.endings.listen(key);
        let slot = self.hot.slot(key);
        // The slot is taken first, so that nothing can reach the execution before it is there.
        let mut home = slot.lock().await;
        self.act(key, &mut drive, &identity);
        *home = Some(Loaded {
            execution,
            identity: identity.clone(),
            pace,
            progress: Progress::default(),
            logging,
            express: Some(running),
        });
        drop(home);
        self.hot.release(key, slot);
        Ok(started(Ending::Awaited(listener)))
    }

    /// An EXPRESS execution that runs has taken a step.
    pub(crate) fn note_express(&self, running: &mut Running, execution: &Execution, events: &[Event]) {
        running.note(events);
        self.keep_recent(running, execution, events);
    }

    /// Ends an EXPRESS execution for which there is no memory left.
    pub(crate) async fn shed_express(self: &Arc<Self>, key: ExecutionKey, place: &mut Option<Loaded>) {
        let Some(Loaded { execution, express: Some(running), .. }) = place else { return };
        if execution.outcome().is_some() || running.fits(&self.express, execution) {
            return;
        }
        let fail = |_: &Execution| {
            let cause =
                "The memory for EXPRESS executions is used up: too many of them run, or they hold too much.";
            Some(Input::Fail { error: error_name::RUNTIME.into(), cause: Some(cause.into()) })
        };
        if let Err(error) = self.deliver_locked(key, place, fail, Vec::new(), |_, _| ()).await {
            tracing::error!(execution = ?key, %error, "an execution that holds too much could not be ended");
        }
    }

    /// Keeps an EXPRESS execution that has ended, for whoever wants to look into it later.
    fn keep_recent(&self, running: &mut Running, execution: &Execution, events: &[Event]) {
        let stop_ms = events.last().map(|event| event.timestamp_ms);
        let Some(history) = &mut running.history else { return };
        let Some(outcome) = execution.outcome() else { return };
        let (identity, history) = (execution.identity(), std::mem::take(history));
        self.recent.push(RecentExpress {
            execution_arn: identity.execution_arn.clone(),
            machine_arn: identity.machine_arn.clone(),
            status: outcome.status(),
            start_ms: identity.start_ms,
            stop_ms: stop_ms.unwrap_or_else(|| self.clock.now_ms()),
            outcome: history.is_truncated().then(|| outcome.clone()),
            history,
        });
    }

    fn express_identity(
        &self,
        machine_arn: Arc<str>,
        role_arn: Arc<str>,
        name: Arc<str>,
        input: Document,
        start_ms: i64,
        locator: Arc<str>,
    ) -> Identity {
        let machine_name: Arc<str> = machine_arn.rsplit(':').next().unwrap_or_default().into();
        let run = self.entropy.uuid();
        let account = self.account_of(&machine_arn);
        Identity {
            execution_arn: account.express_execution(&machine_name, &name, &run).into(),
            execution_name: name,
            machine_arn,
            machine_name,
            role_arn,
            start_ms,
            input,
            kind: ExecutionKind::Express,
            account,
            locator,
        }
    }
}
