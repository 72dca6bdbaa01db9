//! One open run: begins children as far as the window has room, counts how they end, and brings the run to its end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use stepwright_machine::{ExecutionKind, Failure, Identity, MapRun, Outcome, child_result};
use stepwright_store::{ExecutionKey, Status};
use stepwright_tasks::{ItemResult, ResultSink};
use stepwright_types::arn::Arn;
use stepwright_types::{error_name, limit};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::children::{Beginning, Ending, Family, News};
use super::items::CollectedResults;
use super::marks::Marks;
use super::naming::Span;
use super::planner::{Plan, Planner};
use super::{Live, Run};
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};
use crate::observer::MapRunProgress;
use crate::record::Head;

/// Children of one group, which is one unit of the store.
const GROUP_MAX: usize = 256;
/// Groups on their way at a time: while one is written, the next is driven.
const GROUPS_MAX: usize = 4;
/// News that are taken in at a time.
const NEWS_MAX: usize = 1_024;

/// A child that has been begun and whose end is not yet counted.
pub(super) struct Child {
    pub span: Span,
    pub keeping: Keeping,
    /// Its beginning is durable.
    pub is_begun: bool,
    pub is_stopping: bool,
}

/// Who makes the end of a child durable.
pub(super) enum Keeping {
    /// A STANDARD child does that itself: when its end is told it is durable.
    Own,
    /// An EXPRESS child leaves a row, made from this; it may be there from before a redrive.
    Row { identity: Arc<Identity>, is_again: bool },
    /// That of an EXPRESS child which has ended is on its way.
    UnderWay,
}

pub(super) struct Driver {
    pub engine: Arc<Engine>,
    pub run: Arc<Run>,
    /// In the order in which they were begun.
    pub children: BTreeMap<ExecutionKey, Child>,
    /// Children that did not succeed before the redrive, and run again now.
    pub again: VecDeque<(ExecutionKey, Span)>,
    /// Ends of EXPRESS children that are still to be made durable.
    ended: Vec<(ExecutionKey, Arc<Identity>, bool, Option<Outcome>)>,
    groups: usize,
    pub sink: Option<Box<dyn ResultSink>>,
    pub news: mpsc::UnboundedSender<News>,
    inbox: mpsc::UnboundedReceiver<News>,
    pub failing: Option<Failure>,
}

/// What is done while a run is waited for.
pub(super) struct Work {
    pub planner: Option<Planner>,
    pub family: Arc<Family>,
}

impl Driver {
    pub fn new(engine: Arc<Engine>, run: Arc<Run>) -> Driver {
        let (news, inbox) = mpsc::unbounded_channel();
        Driver {
            engine,
            run,
            children: BTreeMap::new(),
            again: VecDeque::new(),
            ended: Vec::new(),
            groups: 0,
            sink: None,
            news,
            inbox,
            failing: None,
        }
    }

    /// A run that was started, or redriven, a moment ago.
    pub async fn start(self, work: Option<Box<MapRun>>) {
        self.lives(work).await;
    }

    /// A run that was open when the process ended.
    pub async fn resume(self) {
        self.lives(None).await;
    }

    /// From its start to its end, and again when it is redriven meanwhile.
    async fn lives(self, work: Option<Box<MapRun>>) {
        let (engine, run) = (self.engine.clone(), self.run.clone());
        let (mut driver, mut work) = (self, work);
        loop {
            if let Err(error) = driver.live(work.take()).await {
                // What is durable stays: the next start goes on with it.
                if engine.failure_reason().is_none() {
                    tracing::error!(run = ?run.key, %error, "a map run cannot go on");
                }
                return;
            }
            let mut open = engine.map_runs.lock();
            let Some(next) = run.take_again() else {
                open.remove(&run.key);
                return;
            };
            drop(open);
            work = Some(next);
            driver = Driver::new(engine.clone(), run.clone());
        }
    }

    async fn live(&mut self, work: Option<Box<MapRun>>) -> Result<(), DeliverError> {
        let is_new = work.as_ref().is_some_and(|work| work.redrive_count == 0);
        let work = match work {
            Some(work) => Some(work),
            None => self.engine.work_of(self.run.key).await?,
        };
        let Some(work) = work else {
            // The execution gave it up, and the process ended before that was done.
            self.adopt(&mut Marks::default(), None).await?;
            return self.abort().await;
        };
        let _place = self.turn().await;
        let mut work = self.prepare(Arc::new(*work), is_new).await?;
        self.work_off(&mut work).await
    }

    /// Waits until the run may begin, or is cancelled.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let is_inside = {
            let record = self.run.record.lock().await;
            Arn::parse(&record.execution_arn).is_some_and(|arn| arn.resource.contains('/'))
        };
        if is_inside {
            return None;
        }
        let mut place = Box::pin(self.engine.map_runs.places.clone().acquire_owned());
        loop {
            if self.run.is_cancelled() {
                return None;
            }
            tokio::select! {
                // The semaphore is never closed.
                place = &mut place => return place.ok(),
                () = self.run.changed.notified() => {}
            }
        }
    }

    async fn prepare(&mut self, work: Arc<MapRun>, is_new: bool) -> Result<Work, DeliverError> {
        let parent = self.engine.store.execution(self.run.key.parent).await.map_err(LoadError::from)?;
        let parent = parent.ok_or(DeliverError::NotFound)?;
        let head = Head::decode(&parent.head).map_err(LoadError::from)?;
        let machine_arn = self.engine.machine_of(&parent);
        let revision = self.engine.programs.get(&machine_arn, &head.revision_id, None).await?;
        let (revision_id, logging, pace) = (head.revision_id, revision.logging, revision.pace);
        let family = Family { work: work.clone(), revision_id, logging, pace, news: self.news.clone() };
        self.sink = Some(Box::new(CollectedResults::new(work.state_name())));
        let redrive_ms = self.bring_up_to_date(work.redrive_count).await?;
        let mut marks = Marks::default();
        if !is_new {
            self.adopt(&mut marks, redrive_ms).await?;
        }
        let planner = match Planner::open(work, marks) {
            Ok(planner) => Some(planner),
            Err(failure) => {
                self.failing = Some(failure);
                None
            }
        };
        Ok(Work { planner, family: Arc::new(family) })
    }

    async fn work_off(&mut self, work: &mut Work) -> Result<(), DeliverError> {
        loop {
            self.keep(&work.family);
            self.report();
            if self.run.is_cancelled() {
                self.stop_children(Some(&work.family)).await?;
                return self.abort().await;
            }
            if let Some(failure) = self.verdict() {
                return self.fail(failure, work).await;
            }
            if self.begin_more(work).await? {
                continue;
            }
            if self.is_done(work) {
                return self.succeed().await;
            }
            self.hear().await?;
        }
    }

    /// Why the run fails, when it does.
    fn verdict(&self) -> Option<Failure> {
        if let Some(failure) = &self.failing {
            return Some(failure.clone());
        }
        let live = *self.run.live();
        let exceeded = live.limits.exceeded_by(live.items.unsuccessful(), live.items.total);
        exceeded.then(|| {
            Failure::new(
                error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
                "The specified tolerated failure threshold was exceeded",
            )
        })
    }

    fn is_done(&self, work: &Work) -> bool {
        let is_planned = work.planner.as_ref().is_none_or(Planner::is_exhausted);
        is_planned && self.again.is_empty() && self.is_idle()
    }

    pub fn is_idle(&self) -> bool {
        self.children.is_empty() && self.ended.is_empty() && self.groups == 0
    }

    /// Begins a group if there is room and something to begin.
    async fn begin_more(&mut self, work: &mut Work) -> Result<bool, DeliverError> {
        let wished = self.run.live().limits.max_concurrency;
        let at_most = limit::DISTRIBUTED_MAP_CONCURRENCY_MAX;
        let window = if wished == 0 { at_most } else { wished.min(at_most) } as usize;
        let room = window.saturating_sub(self.children.len()).min(GROUP_MAX);
        if room == 0 || self.groups >= GROUPS_MAX {
            return Ok(false);
        }
        if !self.again.is_empty() {
            return self.begin_again(room, &work.family).await;
        }
        let Some(planner) = &mut work.planner else { return Ok(false) };
        let Some(plans) = self.plan(planner, room).await else { return Ok(true) };
        let plans = match plans {
            Ok(plans) => plans,
            Err(failure) => {
                self.failing = Some(failure);
                return Ok(true);
            }
        };
        let now_ms = self.engine.clock.now_ms();
        self.run.live().items.total = planner.total();
        let mut group = Vec::with_capacity(plans.len());
        for plan in plans {
            let key = self.engine.next_key().map_err(LoadError::from)?;
            let identity = work.family.identity(&self.engine, key, plan.span, plan.input, now_ms);
            self.add(key, plan.span, &identity, false);
            let mut live = self.run.live();
            live.executions.total += 1;
            live.begins(plan.span);
            group.push(Beginning { key, identity, is_again: false });
        }
        Ok(self.begin(group, &work.family))
    }

    /// What is to begin next; `None` when the run is cancelled meanwhile.
    async fn plan(&self, planner: &mut Planner, room: usize) -> Option<Result<Vec<Plan>, Failure>> {
        let mut planned = std::pin::pin!(planner.next(room, &self.engine));
        loop {
            tokio::select! {
                biased;
                plans = &mut planned => return Some(plans),
                () = self.run.changed.notified() => if self.run.is_cancelled() {
                    return None;
                },
            }
        }
    }

    pub fn add(&mut self, key: ExecutionKey, span: Span, identity: &Arc<Identity>, is_again: bool) {
        let keeping = match identity.kind {
            ExecutionKind::Standard => Keeping::Own,
            ExecutionKind::Express => Keeping::Row { identity: identity.clone(), is_again },
        };
        self.children.insert(key, Child { span, keeping, is_begun: false, is_stopping: false });
    }

    pub fn begin(&mut self, group: Vec<Beginning>, family: &Arc<Family>) -> bool {
        if group.is_empty() {
            return false;
        }
        self.groups += 1;
        tokio::spawn(self.engine.clone().begin_group(family.clone(), group));
        true
    }

    /// Makes the ends of EXPRESS children durable, all that have come together.
    pub fn keep(&mut self, family: &Arc<Family>) {
        if self.ended.is_empty() || self.groups >= GROUPS_MAX {
            return;
        }
        self.groups += 1;
        let rest = self.ended.split_off(self.ended.len().min(GROUP_MAX));
        let group = std::mem::replace(&mut self.ended, rest);
        tokio::spawn(self.engine.clone().keep_group(family.clone(), group));
    }

    /// Waits until something has happened, and takes it in.
    pub async fn hear(&mut self) -> Result<(), DeliverError> {
        let mut news = Vec::new();
        tokio::select! {
            biased;
            _ = self.inbox.recv_many(&mut news, NEWS_MAX) => {}
            () = self.run.changed.notified() => {}
        }
        for news in news {
            match news {
                News::Begun(begun) => {
                    self.groups -= 1;
                    for (key, ending) in begun {
                        match ending {
                            Some(ending) => self.ended(key, ending).await,
                            None => _ = self.children.get_mut(&key).map(|child| child.is_begun = true),
                        }
                    }
                }
                News::Ended(key, outcome) => self.heard_of(key, outcome).await,
                News::Kept(kept) => {
                    self.groups -= 1;
                    for (key, ending) in kept {
                        self.ended(key, ending).await;
                    }
                }
                News::Broken(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A child has ended by itself. That of an EXPRESS one is still to be made durable.
    async fn heard_of(&mut self, key: ExecutionKey, outcome: Option<Outcome>) {
        let Some(child) = self.children.get_mut(&key) else { return };
        if matches!(child.keeping, Keeping::Own) {
            let ending = outcome.as_ref().map_or_else(Ending::lost, Ending::of);
            return self.ended(key, ending).await;
        }
        let keeping = std::mem::replace(&mut child.keeping, Keeping::UnderWay);
        if let Keeping::Row { identity, is_again } = keeping {
            self.ended.push((key, identity, is_again, outcome));
        }
    }

    /// The end of a child is durable, and counts.
    pub async fn ended(&mut self, key: ExecutionKey, ending: Ending) {
        let Some(child) = self.children.remove(&key) else { return };
        self.run.live().ends(child.span, ending.status);
        let output = child_result(&ending.into_outcome());
        let result = ItemResult { index: child.span.first, output: Some(output) };
        self.put(result).await;
    }

    pub async fn put(&mut self, result: ItemResult) {
        let Some(sink) = &mut self.sink else { return };
        if let Err(failure) = sink.put(result).await {
            self.failing = Some(failed(failure));
        }
    }

    /// Shows how far the run is.
    pub fn report(&self) {
        let Some(observer) = &self.engine.observer else { return };
        let Ok(record) = self.run.record.try_lock() else { return };
        let live = *self.run.live();
        observer.map_run(&MapRunProgress {
            map_run_arn: &record.map_run_arn,
            execution_arn: &record.execution_arn,
            items: live.items,
        });
    }
}

impl Live {
    fn begins(&mut self, span: Span) {
        self.items.add(Status::Running, u64::from(span.count));
        self.executions.add(Status::Running, 1);
    }

    /// One of those that wait for the redrive begins.
    pub fn begins_again(&mut self, span: Span) {
        self.items.remove(Status::PendingRedrive, u64::from(span.count));
        self.executions.remove(Status::PendingRedrive, 1);
        self.begins(span);
    }

    fn ends(&mut self, span: Span, status: Status) {
        self.items.remove(Status::Running, u64::from(span.count));
        self.executions.remove(Status::Running, 1);
        self.is(span, status);
    }

    /// A child is there, and stands so.
    pub fn is(&mut self, span: Span, status: Status) {
        self.items.add(status, u64::from(span.count));
        self.executions.add(status, 1);
    }
}

/// What a source or a sink says, as the run's failure.
pub(super) fn failed(failure: stepwright_tasks::Failure) -> Failure {
    Failure { error: Some(failure.error.into()), cause: failure.cause.map(Into::into) }
}
