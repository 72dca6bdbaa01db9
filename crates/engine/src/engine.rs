//! The engine's handle, what it is made of, and how it starts and stops.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use stepwright_machine::Budget;
use stepwright_store::{CommitError, Epoch, ExecutionKey, Mutation, ShardId, Store, StoreError, Unit};
use stepwright_tasks::TaskTarget;
use stepwright_types::arn::Account;
use tokio::sync::{Semaphore, watch};

use crate::activities::Activities;
use crate::clock::Clock;
use crate::compute::Computer;
use crate::dispatch::Dispatches;
use crate::endings::Endings;
use crate::entropy::Entropy;
use crate::error::DeliverError;
use crate::express;
use crate::history_log::HistoryLog;
use crate::hot::Hot;
use crate::limits::{Limit, Limits};
use crate::map_runs::MapRuns;
use crate::observer::Observer;
use crate::programs::{Definitions, Programs};
use crate::recent::Recent;
use crate::recovery::Standby;
use crate::retention::Retention;
use crate::run_queue::RunQueue;
use crate::timers::Timers;

/// What an engine is built from.
pub struct EngineOptions {
    pub store: Arc<dyn Store>,
    /// Where the definitions of state machines are kept.
    pub definitions: Arc<dyn Definitions>,
    pub targets: Arc<dyn TaskTarget>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<Entropy>,
    pub account: Arc<Account>,
    /// Task calls at a time, over all executions; others wait for their turn.
    pub calls_max: usize,
    /// Cores that computations which take long may use at a time. `None`: they are made where they come up, one after another,
    /// as a simulation wants it.
    pub cores: Option<usize>,
    /// Limits over executions, from the configuration file.
    pub limits: Vec<Limit>,
    /// See [`crate::SNAPSHOT_AFTER`], which is what it usually is.
    pub snapshot_after: usize,
    /// See [`crate::EXPRESS_BYTES_MAX`], which is what it usually is.
    pub express_bytes_max: usize,
    /// How long executions are kept after their end.
    pub retention: Retention,
    /// Watches all executions.
    pub observer: Option<Arc<dyn Observer>>,
    /// Takes the histories of those whose state machine has a logging configuration.
    pub history_log: Option<Arc<dyn HistoryLog>>,
}

/// Drives executions. One for a process; shared by all who call it.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) targets: Arc<dyn TaskTarget>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) account: Arc<Account>,
    pub(crate) shard: Shard,
    pub(crate) programs: Programs,
    pub(crate) hot: Hot,
    pub(crate) timers: Timers,
    pub(crate) computer: Arc<Computer>,
    pub(crate) run_queue: Arc<RunQueue>,
    pub(crate) activities: Activities,
    pub(crate) dispatches: Dispatches,
    pub(crate) endings: Arc<Endings>,
    pub(crate) limits: Limits,
    pub(crate) map_runs: MapRuns,
    pub(crate) retention: Retention,
    /// The memory for EXPRESS executions that run.
    pub(crate) express: Arc<Semaphore>,
    pub(crate) express_bytes_max: usize,
    /// Bounds the task calls that are under way.
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) history_log: Option<Arc<dyn HistoryLog>>,
    pub(crate) recent: Recent,
    pub(crate) snapshot_after: usize,
    failure: Failure,
}

/// The shard that this engine drives. One for the embedded store; a cluster's node drives several.
pub(crate) struct Shard {
    pub id: ShardId,
    pub epoch: Epoch,
    /// The sequence number of the newest execution.
    pub newest: AtomicU64,
}

/// Set once, when the store has failed: from then on nothing more can be made durable, and the process must end.
struct Failure {
    sender: watch::Sender<bool>,
    reason: Mutex<Option<String>>,
}

const SHARD: ShardId = ShardId(0);

impl Engine {
    /// Takes over the executions of the store, and goes on with them.
    pub async fn open(options: EngineOptions) -> Result<Arc<Engine>, StoreError> {
        Ok(Engine::stand_by(options).await?.go_on())
    }

    /// Takes over the executions of the store, without running any of them yet. Requests are answered.
    pub async fn stand_by(options: EngineOptions) -> Result<Standby, StoreError> {
        let (epoch, newest) = options.store.acquire(SHARD).await?;
        let engine = Arc::new(Engine {
            shard: Shard { id: SHARD, epoch, newest: AtomicU64::new(newest) },
            store: options.store,
            targets: options.targets,
            entropy: options.entropy,
            account: options.account,
            programs: Programs::new(options.definitions),
            hot: Hot::default(),
            timers: Timers::default(),
            computer: Arc::new(Computer::new(options.clock.clone(), options.cores)),
            run_queue: Arc::default(),
            clock: options.clock,
            activities: Activities::default(),
            dispatches: Dispatches::default(),
            endings: Arc::default(),
            limits: Limits::default(),
            map_runs: MapRuns::default(),
            retention: options.retention,
            express: express::memory(options.express_bytes_max),
            express_bytes_max: options.express_bytes_max,
            calls: Arc::new(Semaphore::new(options.calls_max.max(1))),
            observer: options.observer,
            history_log: options.history_log,
            recent: Recent::default(),
            snapshot_after: options.snapshot_after,
            failure: Failure { sender: watch::Sender::new(false), reason: Mutex::default() },
        });
        engine.load_limits(options.limits).await?;
        engine.recover().await
    }

    /// Resolves when the store has failed, with the reason. The process must end then; a restart goes on from what is
    /// durable.
    pub async fn failed(&self) -> String {
        let mut receiver = self.failure.sender.subscribe();
        // The sender lives as long as the engine.
        let _ = receiver.wait_for(|failed| *failed).await;
        self.failure_reason().unwrap_or_default()
    }

    /// Why the engine has stopped, if it has.
    pub fn failure_reason(&self) -> Option<String> {
        self.failure.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends what is being computed, and computes nothing more but what takes a moment: what is left goes on after the next
    /// start. To be called before requests that are in flight are waited for.
    pub fn stop_computing(&self) {
        self.computer.close();
    }

    /// Computes what a caller wants to know, without keeping others waiting. It is interrupted when the caller goes away, and
    /// at `until_ms`.
    pub async fn compute<T: Send + 'static>(
        &self,
        until_ms: i64,
        work: impl FnOnce(&dyn Budget) -> T + Send + 'static,
    ) -> Result<T, DeliverError> {
        self.computer.ask(Some(until_ms), |slice| work(slice)).await.ok_or(DeliverError::Ending)
    }

    /// Cancels the calls that are under way, and makes no more. Their executions are on disk and go on after the next start.
    pub fn shut_down(&self) {
        self.computer.close();
        self.dispatches.close();
    }

    /// The account and region of what no ARN belongs to.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Whose an ARN is: everything that an execution makes is of the account and region of its state machine.
    pub fn account_of(&self, arn: &str) -> Arc<Account> {
        if self.account.owns(arn) {
            return self.account.clone();
        }
        Account::of(arn).map_or_else(|| self.account.clone(), Arc::new)
    }

    /// The store, for the catalogue.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The source of random numbers.
    pub fn entropy(&self) -> &Arc<Entropy> {
        &self.entropy
    }

    /// Commits changes in the name of this engine's shard; for the catalogue.
    pub async fn commit(&self, mutations: Vec<Mutation>) -> Result<(), CommitError> {
        let unit = Unit { shard: self.shard.id, epoch: self.shard.epoch, mutations };
        let result = self.store.commit(unit).await;
        match &result {
            Err(CommitError::Fenced) => self.fail("the shard is held by another node".to_owned()),
            Err(CommitError::Store(error)) => self.fail(error.to_string()),
            Err(CommitError::Invalid(reason)) => {
                tracing::error!(reason, "a defect: the engine made a unit that the store refuses");
            }
            Ok(()) | Err(CommitError::NameTaken(_) | CommitError::Conflict { .. }) => {}
        }
        result
    }

    /// A key for a new execution.
    pub(crate) fn next_key(&self) -> Result<ExecutionKey, StoreError> {
        let sequence = self.shard.newest.fetch_add(1, Ordering::Relaxed) + 1;
        ExecutionKey::new(self.shard.id, sequence)
            .ok_or_else(|| StoreError::Failed("the shard has no more execution numbers".to_owned()))
    }

    /// How many executions, timers, calls and open map runs are in memory, for metrics.
    pub fn gauges(&self) -> [(&'static str, usize); 5] {
        [
            ("stepwright_executions_in_memory", self.hot.len()),
            ("stepwright_timers", self.timers.len()),
            ("stepwright_task_calls", self.dispatches.len()),
            ("stepwright_map_runs", self.map_runs.len()),
            ("stepwright_executions_waiting_to_compute", self.run_queue.len()),
        ]
    }

    fn fail(&self, reason: String) {
        let mut current = self.failure.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if current.is_none() {
            tracing::error!(reason, "nothing more can be made durable: the engine stops");
            *current = Some(reason);
            self.failure.sender.send_replace(true);
        }
    }
}

/// Does `work` to its end even if the caller goes away once it has begun: what is committed must also be acted upon, whether
/// or not somebody still waits for the answer.
pub(crate) fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> ToItsEnd<T> {
    ToItsEnd { work: Some(Box::pin(work)), has_begun: false }
}

/// See [`to_its_end`]. Runs where it is awaited; only what is left when the caller goes away becomes a task of its own.
pub(crate) struct ToItsEnd<T: Send + 'static> {
    /// `None` at its end.
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    has_begun: bool,
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.has_begun = true;
        // Nobody asks again after the end.
        let Some(work) = &mut self.work else { return Poll::Pending };
        let value = std::task::ready!(work.as_mut().poll(context));
        self.work = None;
        Poll::Ready(value)
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        // A panic has left it half-way; and without a runtime the process ends, and the next start goes on.
        if let Some(work) = self.work.take()
            && self.has_begun
            && !std::thread::panicking()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}
