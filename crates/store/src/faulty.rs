//! A store that fails when a test says so, or by the dice of a seed. For the simulator and for tests of recovery.
//!
//! It keeps what is durable in a [`Memory`] store. A unit that is handed in waits until it is flushed with others as one
//! batch; its answer waits until it is released. Either happens at once, or, with [`FaultyOptions::held`], when the
//! test calls [`Faulty::flush`] and [`Faulty::release`]: so a test decides what is durable and who knows of it.
//!
//! At every flush, numbered from 0, a [`Fault`] can strike: by the plan, or by chance. It says how much of the batch is
//! durable nonetheless, and what those who wait are told. Thereupon the store is lost, as the embedded one is after an
//! error of its disk: it answers everything with [`StoreError::Closed`]. A test goes on with
//! [`Faulty::survivors`], as a new process would.
//!
//! Promises:
//! - what was answered with success is among the survivors;
//! - a unit is among the survivors as a whole or not at all, and only with all units of its shard before it;
//! - what was refused is not among them;
//! - reads see what is durable, whether or not its answer has been released, and nothing else;
//! - answers are released in the order of the calls;
//! - the same calls with the same options have the same outcome.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use crate::answer::{Promise, lock, promise, ready};
use crate::memory::{Memory, Tables};
use crate::{
    CatalogKind, CatalogRecord, CommitError, Counts, Dispatch, Epoch, Execution, ExecutionKey,
    ExecutionQuery, Found, Page, Pending, Permit, QueueItem, Search, Segment, ShardId, Store, StoreError,
    Timer, Unit,
};

/// What goes wrong at a flush. Either way the store is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The disk answers with an error: those of the batch are told [`StoreError::Failed`], those behind it
    /// [`StoreError::Closed`], when their answers are released.
    Fail(Durable),
    /// The process ends: whoever has not been answered is told [`StoreError::Closed`], at once, and answers that were not
    /// released never are.
    Crash(Durable),
}

/// How much of a batch is durable although the flush did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durable {
    Nothing,
    /// So many of the first units: the batch was torn.
    First(usize),
    /// All of it: only the answer was lost.
    Everything,
}

/// How a faulty store behaves. By default it does not fail and holds nothing.
#[derive(Clone, Default, Debug)]
pub struct FaultyOptions {
    /// Where the dice start.
    pub seed: u64,
    /// At how many of 1,000 flushes a fault of any kind strikes.
    pub faults_per_mille: u16,
    /// Which fault strikes at which flush.
    pub plan: BTreeMap<u64, Fault>,
    /// Flush and release only when told to.
    pub held: bool,
}

/// What a flush did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flushed {
    /// How many units (and acquisitions) were in the batch.
    pub units: usize,
    pub fault: Option<Fault>,
}

/// A store that fails as it is told.
pub struct Faulty {
    state: Mutex<State>,
    options: FaultyOptions,
}

struct State {
    durable: Arc<Memory>,
    /// Handed in, not flushed.
    waiting: VecDeque<Job>,
    /// Flushed, not released.
    answers: VecDeque<Release>,
    flushes: u64,
    random: u64,
    lost: bool,
}

enum Job {
    Commit(Unit, Promise<(), CommitError>),
    Acquire(ShardId, Promise<(Epoch, u64), StoreError>),
}

enum Release {
    Commit(Promise<(), CommitError>, Result<(), CommitError>),
    Acquire(Promise<(Epoch, u64), StoreError>, Result<(Epoch, u64), StoreError>),
}

impl Faulty {
    /// A new, empty store.
    pub fn new(options: FaultyOptions) -> Arc<Faulty> {
        Faulty::on(&Memory::default(), options)
    }

    /// A store that starts with a copy of what `survivors` holds.
    pub fn on(survivors: &Memory, options: FaultyOptions) -> Arc<Faulty> {
        let state = State {
            durable: Arc::new(survivors.clone()),
            waiting: VecDeque::new(),
            answers: VecDeque::new(),
            flushes: 0,
            random: options.seed,
            lost: false,
        };
        Arc::new(Faulty { state: Mutex::new(state), options })
    }

    /// How many units (and acquisitions) wait to be flushed.
    pub fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    /// How many answers wait to be released.
    pub fn unreleased(&self) -> usize {
        lock(&self.state).answers.len()
    }

    /// How many flushes there were.
    pub fn flushes(&self) -> u64 {
        lock(&self.state).flushes
    }

    /// Whether the store is lost.
    pub fn is_lost(&self) -> bool {
        lock(&self.state).lost
    }

    /// Makes the first units that wait durable, as one batch of at most `units_max`; or meets a fault. `None`: nothing
    /// waits.
    pub fn flush(&self, units_max: usize) -> Option<Flushed> {
        let mut state = lock(&self.state);
        let units = state.waiting.len().min(units_max);
        if units == 0 {
            return None;
        }
        let number = state.flushes;
        state.flushes += 1;
        let by_chance = state.fault_by_chance(&self.options, units);
        let fault = self.options.plan.get(&number).copied().or(by_chance);
        let batch: Vec<Job> = state.waiting.drain(..units).collect();
        let Some(struck) = fault else {
            for job in batch {
                let answer = state.apply(job);
                state.answers.push_back(answer);
            }
            return Some(Flushed { units, fault });
        };
        let durable = match struck.durable() {
            Durable::Nothing => 0,
            Durable::First(units) => units,
            Durable::Everything => units,
        };
        let failed = StoreError::Failed(format!("flush {number} was made to fail"));
        for (place, job) in batch.into_iter().enumerate() {
            let answer = if place < durable { state.apply(job) } else { job.unapplied() };
            state.answers.push_back(answer.failed(&failed));
        }
        let dropped = match struck {
            Fault::Fail(_) => {
                state.lost = true;
                for job in std::mem::take(&mut state.waiting) {
                    state.answers.push_back(job.unapplied());
                }
                None
            }
            Fault::Crash(_) => Some(state.lose()),
        };
        drop(state);
        // This answers, and wakers run code of others, which may call the store.
        drop(dropped);
        Some(Flushed { units, fault })
    }

    /// Releases the first answers that wait, at most `answers_max`; says how many.
    pub fn release(&self, answers_max: usize) -> usize {
        let mut state = lock(&self.state);
        let count = state.answers.len().min(answers_max);
        let released: Vec<Release> = state.answers.drain(..count).collect();
        drop(state);
        released.into_iter().for_each(Release::release);
        count
    }

    /// The process ends between two flushes, as with [`Fault::Crash`].
    pub fn crash(&self) {
        let dropped = lock(&self.state).lose();
        drop(dropped);
    }

    /// A copy of what is durable.
    pub fn survivors(&self) -> Arc<Memory> {
        Arc::new(lock(&self.state).durable.as_ref().clone())
    }

    fn hand_in(&self, job: Job) {
        let mut state = lock(&self.state);
        if state.lost {
            drop(state);
            // Unanswered, its promise says that the store is closed.
            drop(job);
            return;
        }
        state.waiting.push_back(job);
        drop(state);
        if !self.options.held {
            self.flush(usize::MAX);
            self.release(usize::MAX);
        }
    }

    fn durable(&self) -> Result<Arc<Memory>, StoreError> {
        let state = lock(&self.state);
        if state.lost { Err(StoreError::Closed) } else { Ok(state.durable.clone()) }
    }

    /// What `query` reads from what is durable.
    fn read<'s, T: Send + 's>(
        &'s self,
        query: impl FnOnce(&Tables) -> T,
    ) -> Pending<'s, Result<T, StoreError>> {
        ready(self.durable().map(|durable| durable.read(query)))
    }
}

impl State {
    fn apply(&self, job: Job) -> Release {
        match job {
            Job::Commit(unit, promise) => Release::Commit(promise, self.durable.commit_now(&unit)),
            Job::Acquire(shard, promise) => Release::Acquire(promise, Ok(self.durable.acquire_now(shard))),
        }
    }

    /// Everything that waited; to be dropped where nothing is locked.
    fn lose(&mut self) -> (VecDeque<Job>, VecDeque<Release>) {
        self.lost = true;
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.answers))
    }

    fn fault_by_chance(&mut self, options: &FaultyOptions, units: usize) -> Option<Fault> {
        if options.faults_per_mille == 0 || self.below(1000) >= u64::from(options.faults_per_mille) {
            return None;
        }
        let durable = match self.below(3) {
            0 => Durable::Nothing,
            1 => Durable::First(self.below(units as u64) as usize),
            _ => Durable::Everything,
        };
        Some(if self.below(2) == 0 { Fault::Fail(durable) } else { Fault::Crash(durable) })
    }

    /// A random number below `limit` (SplitMix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

impl Fault {
    fn durable(self) -> Durable {
        match self {
            Fault::Fail(durable) | Fault::Crash(durable) => durable,
        }
    }
}

impl Job {
    fn unapplied(self) -> Release {
        match self {
            Job::Commit(_, promise) => Release::Commit(promise, Err(StoreError::Closed.into())),
            Job::Acquire(_, promise) => Release::Acquire(promise, Err(StoreError::Closed)),
        }
    }
}

impl Release {
    fn release(self) {
        match self {
            Release::Commit(promise, result) => promise.answer(result),
            Release::Acquire(promise, result) => promise.answer(result),
        }
    }

    /// The same, but with an error whatever the result was: also a refusal tells of what may not be durable.
    fn failed(self, error: &StoreError) -> Release {
        match self {
            Release::Commit(promise, _) => Release::Commit(promise, Err(error.clone().into())),
            Release::Acquire(promise, _) => Release::Acquire(promise, Err(error.clone())),
        }
    }
}

impl Store for Faulty {
    fn acquire(&self, shard: ShardId) -> Pending<'_, Result<(Epoch, u64), StoreError>> {
        let (promise, answer) = promise();
        self.hand_in(Job::Acquire(shard, promise));
        Box::pin(answer)
    }

    fn commit(&self, unit: Unit) -> Pending<'static, Result<(), CommitError>> {
        let (promise, answer) = promise();
        self.hand_in(Job::Commit(unit, promise));
        Box::pin(answer)
    }

    fn execution(&self, key: ExecutionKey) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        self.read(|tables| tables.execution(key))
    }

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Pending<'_, Result<Option<Execution>, StoreError>> {
        self.read(|tables| tables.execution_by_name(machine, name))
    }

    fn executions(&self, query: ExecutionQuery) -> Pending<'_, Result<Page<Execution>, StoreError>> {
        self.read(|tables| tables.executions(&query))
    }

    fn search(&self, search: Search) -> Pending<'_, Result<Found, StoreError>> {
        self.read(move |tables| tables.search(&search))
    }

    fn counts(&self, machines: Option<BTreeSet<Arc<str>>>) -> Pending<'_, Result<Counts, StoreError>> {
        self.read(move |tables| tables.counts(machines.as_ref()))
    }

    fn machines(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Arc<str>>, StoreError>> {
        self.read(|tables| tables.machines(prefix, after, limit))
    }

    fn segments(&self, key: ExecutionKey, from: u32) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        self.read(|tables| tables.segments(key, from))
    }

    fn some_segments(
        &self,
        key: ExecutionKey,
        from: u32,
        newest_first: bool,
        limit: usize,
    ) -> Pending<'_, Result<Vec<Segment>, StoreError>> {
        self.read(|tables| tables.some_segments(key, from, newest_first, limit))
    }

    fn timers(&self, shard: ShardId) -> Pending<'_, Result<Vec<Timer>, StoreError>> {
        self.read(|tables| tables.timers(shard))
    }

    fn dispatches(&self, shard: ShardId) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.read(|tables| tables.dispatches(shard))
    }

    fn dispatches_of(&self, keys: &[ExecutionKey]) -> Pending<'_, Result<Vec<Dispatch>, StoreError>> {
        self.read(|tables| tables.dispatches_of(keys))
    }

    fn queued(&self, shard: ShardId) -> Pending<'_, Result<Vec<QueueItem>, StoreError>> {
        self.read(|tables| tables.queued(shard))
    }

    fn permits(&self, shard: ShardId) -> Pending<'_, Result<Vec<Permit>, StoreError>> {
        self.read(|tables| tables.permits(shard))
    }

    fn record(&self, kind: CatalogKind, key: &str) -> Pending<'_, Result<Option<CatalogRecord>, StoreError>> {
        self.read(|tables| tables.record(kind, key))
    }

    fn records(
        &self,
        kind: CatalogKind,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Pending<'_, Result<Vec<CatalogRecord>, StoreError>> {
        self.read(|tables| tables.records(kind, prefix, after, limit))
    }
}
