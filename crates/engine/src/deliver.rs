//! The heart of the engine: bring an input to an execution, run it as far as it goes, commit, then act.

use std::sync::Arc;

use stepwright_machine::{
    Budget, Effect, Event, Execution, ExecutionKind, Failure, Hooks, Identity, Input, Nothing, Outcome, Step,
    StepError, TaskId,
};
use stepwright_store::{Dispatch, Execution as Row, ExecutionKey, Mutation, QueueItem, Status, Timer};
use stepwright_types::arn::MapRunArn;
use stepwright_value::Document;

use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};
use crate::express::Running;
use crate::history_log::Logging;
use crate::hot::Keep;
use crate::limits::Held;
use crate::load::Progress;
use crate::map_runs;
use crate::record::{Head, Tail};
use crate::redrive;
use crate::steps::Pace;
use crate::tasks::HandedOver;
use crate::terms;

/// An execution in memory, with what the engine itself must know of it.
pub(crate) struct Loaded {
    pub execution: Execution,
    pub identity: Arc<Identity>,
    /// How long steps of its revision take.
    pub pace: Arc<Pace>,
    /// What its history has come to.
    pub progress: Progress,
    /// How its state machine wants it logged.
    pub logging: Option<Arc<Logging>>,
    /// Of an EXPRESS execution, which is here alone and not in the store.
    pub express: Option<Box<Running>>,
}

impl Loaded {
    /// Whether the execution stays in memory while nothing happens to it.
    pub fn keep(&self) -> Keep {
        match (self.execution.outcome(), &self.express) {
            (Some(_), _) => Keep::No,
            (None, Some(_)) => Keep::Always,
            (None, None) if self.execution.awaits_call() => Keep::IfRoom,
            (None, None) => Keep::WhileNew,
        }
    }
}

/// What one drive has produced: to commit, and then to do.
#[derive(Default)]
pub(crate) struct Drive {
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
    /// Who comes to limits, and who leaves them.
    pub held: Held,
    /// Tasks that never get into a queue, because a worker waits for them.
    pub handed_over: Vec<HandedOver>,
}

impl Drive {
    /// Whether nothing is left to do once it is durable.
    pub fn is_done(&self) -> bool {
        self.effects.is_empty() && self.held.is_empty() && self.handed_over.is_empty()
    }

    fn forget_queued(&mut self) {
        for HandedOver { task, .. } in &self.handed_over {
            self.effects.retain(|effect| !matches!(effect, Effect::Queue(queued) if queued.task == *task));
        }
    }
}

impl Engine {
    /// Brings an input to the execution and returns when everything that follows from it without the outside world is
    /// durable. `input` looks at the execution first and may find that it does not wait for this (any more): `None`
    /// is [`DeliverError::Refused`]. `also` is committed with it. `look` sees the execution after the step, and may want more done.
    pub(crate) async fn deliver<R>(
        self: &Arc<Self>,
        key: ExecutionKey,
        input: impl FnOnce(&Execution) -> Option<Input>,
        also: Vec<Mutation>,
        look: impl FnOnce(&Execution, &mut Drive) -> R,
    ) -> Result<R, DeliverError> {
        let slot = self.hot.slot(key);
        let mut place = slot.lock().await;
        let result = self.deliver_locked(key, &mut place, input, also, look).await;
        self.shed_express(key, &mut place).await;
        drop(place);
        self.hot.release(key, slot);
        result
    }

    pub(crate) async fn deliver_locked<R>(
        self: &Arc<Self>,
        key: ExecutionKey,
        place: &mut Option<Loaded>,
        input: impl FnOnce(&Execution) -> Option<Input>,
        also: Vec<Mutation>,
        look: impl FnOnce(&Execution, &mut Drive) -> R,
    ) -> Result<R, DeliverError> {
        let loaded = self.loaded(key, place).await?;
        let is_express = loaded.express.is_some();
        let input = input(&loaded.execution).ok_or(DeliverError::Refused)?;
        let missing = self.programs.missing_activities(loaded.execution.program()).await;
        let missing = missing.map_err(LoadError::from)?;
        let mut drive = match self.take_step(key, place, input, missing).await {
            Ok(drive) => drive,
            Err(error) => {
                if let DeliverError::Step(_) = &error {
                    if is_express {
                        self.endings.forget(key);
                        self.leave_places(key);
                    }
                    // What is in memory may have gone a part of the way.
                    *place = None;
                }
                return Err(error);
            }
        };
        let Some(loaded) = place else { return Err(DeliverError::NotFound) };
        let seen = look(&loaded.execution, &mut drive);
        let mut mutations = Vec::new();
        if loaded.express.is_none() {
            mutations = also;
            self.append_mutations(key, loaded, &drive, &mut mutations);
        }
        if !mutations.is_empty()
            && let Err(error) = self.commit(mutations).await
        {
            // What is in memory is ahead of what is durable: forget it.
            *place = None;
            return Err(error.into());
        }
        self.observe(&loaded.execution, loaded.logging.as_deref(), &drive.events);
        self.act(key, &mut drive, &loaded.identity);
        if let Some(running) = &mut loaded.express {
            self.note_express(running, &loaded.execution, &drive.events);
        }
        Ok(seen)
    }

    /// The execution in its place, brought there if necessary.
    pub(crate) async fn loaded<'p>(
        &self,
        key: ExecutionKey,
        place: &'p mut Option<Loaded>,
    ) -> Result<&'p mut Loaded, DeliverError> {
        let loaded = match place.take() {
            Some(loaded) => loaded,
            None => {
                let row = self.store.execution(key).await.map_err(LoadError::from)?;
                self.load(row.ok_or(DeliverError::NotFound)?).await?
            }
        };
        Ok(place.insert(loaded))
    }

    /// Steps the execution until it waits for the outside world, or has used what `budget` allows. See
    /// [`Hooks::missing_activities`].
    pub(crate) fn drive(
        &self,
        key: ExecutionKey,
        execution: &mut Execution,
        input: Input,
        missing_activities: &[Arc<str>],
        budget: &dyn Budget,
    ) -> Result<Drive, StepError> {
        let now_ms = self.clock.now_ms();
        let mut entropy = || self.entropy.next();
        let (input, held) = self.begin_in_turn(execution, input);
        let hooks = Hooks { budget, missing_activities, ..Hooks::default() };
        let Step { events, effects } = execution.step_with(input, now_ms, &mut entropy, hooks)?;
        let mut drive = Drive { events, effects, held, handed_over: Vec::new() };
        self.hold_back(execution, &mut drive);
        let mut from = 0;
        // A task that is dispatched, or that a worker waits for, is on its way the moment the commit is done: its start belongs
        // to the same segment.
        while let Some(effect) = drive.effects.get(from) {
            let started = match effect {
                Effect::Dispatch(call) => Some(Input::TaskStarted { task: call.task }),
                Effect::Queue(queued) => self.hand_over(key, execution, queued, &mut drive.handed_over),
                _ => None,
            };
            from += 1;
            let Some(started) = started else { continue };
            let step = execution.step_within(started, now_ms, &mut entropy, &Nothing)?;
            drive.events.extend(step.events);
            // Whether it goes on by itself is known already.
            drive.effects.extend(step.effects.into_iter().filter(|effect| *effect != Effect::Continue));
        }
        drive.forget_queued();
        self.timers.settle(key, &mut drive.effects);
        self.note_ended(key, execution, &mut drive);
        Ok(drive)
    }

    /// What a drive changes in the store, apart from the creation of the execution.
    pub(crate) fn append_mutations(
        &self,
        key: ExecutionKey,
        loaded: &mut Loaded,
        drive: &Drive,
        mutations: &mut Vec<Mutation>,
    ) {
        if !drive.events.is_empty() {
            let Loaded { progress, execution, .. } = &mut *loaded;
            let segment = progress.next_segment(&drive.events, execution, self.snapshot_after);
            mutations.push(Mutation::Append { key, segment });
        }
        let stop_ms = drive.events.last().map_or_else(|| self.clock.now_ms(), |event| event.timestamp_ms);
        mutations.extend(redrive::reopening(key, &drive.events));
        mutations.extend(terms::of_drive(key, &drive.events, loaded.execution.outcome()));
        let of = |effect| mutation(key, effect, stop_ms, &loaded.execution);
        mutations.extend(drive.effects.iter().filter_map(of));
        mutations.extend(drive.held.mutations(key));
        for effect in &drive.effects {
            if let Effect::StartMapRun(run) = effect {
                mutations.extend(map_runs::start_mutations(key, run, stop_ms));
            }
        }
    }

    /// Shows what is durable to whoever watches, and to the log.
    pub(crate) fn observe(&self, execution: &Execution, logging: Option<&Logging>, events: &[Event]) {
        if let (Some(logging), Some(log)) = (logging, &self.history_log)
            && !events.is_empty()
        {
            log.committed(logging, execution, events);
        }
        let Some(observer) = &self.observer else { return };
        if !events.is_empty() {
            observer.committed(execution.identity(), events);
        }
        observer.stepped(execution);
    }

    /// Does what a drive wants done, which is durable now.
    pub(crate) fn act(self: &Arc<Self>, key: ExecutionKey, drive: &mut Drive, identity: &Arc<Identity>) {
        self.perform(key, std::mem::take(&mut drive.effects), identity);
        self.settle_places(key, std::mem::take(&mut drive.held));
        for HandedOver { activity_arn, worker, given, .. } in drive.handed_over.drain(..) {
            self.activities.give(&activity_arn, worker, given);
        }
    }

    /// Acts on effects whose cause is durable.
    pub(crate) fn perform(
        self: &Arc<Self>,
        key: ExecutionKey,
        effects: Vec<Effect>,
        identity: &Arc<Identity>,
    ) {
        for effect in effects {
            match effect {
                Effect::Dispatch(call) => self.dispatch(key, *call, identity.clone()),
                Effect::CancelTask { task, .. } => self.dispatches.cancel((key, task.0)),
                Effect::Queue(queued) => {
                    self.activities.push(&queued.activity_arn, (key, queued.task.0));
                }
                Effect::Dequeue { task, activity_arn } => {
                    self.activities.remove(&activity_arn, (key, task.0));
                }
                Effect::SetTimer { timer, due_ms } => {
                    self.timers.insert(Timer { due_ms, key, timer: timer.0 });
                }
                Effect::CancelTimer { timer, due_ms } => {
                    self.timers.remove(&Timer { due_ms, key, timer: timer.0 });
                }
                Effect::Continue => self.run_queue.push(key),
                Effect::Finished(outcome) => self.endings.tell(key, &outcome),
                Effect::StartMapRun(run) => self.start_map_run(key, run),
                Effect::CancelMapRun { run } => self.cancel_map_run(key, run),
            }
        }
    }

    /// The state machine whose definition the execution of a row runs.
    pub(crate) fn machine_of(&self, row: &Row) -> Arc<str> {
        match row.listed.map_run.as_deref().and_then(MapRunArn::parse) {
            Some(map_run) => self.account_of(&row.machine).state_machine(map_run.machine).into(),
            None => row.machine.clone(),
        }
    }

    /// Who the execution of a row is.
    pub(crate) fn identity(&self, row: &Row, head: &Head) -> Identity {
        let input = Document::from_stored_text(&*head.input);
        if let Some(map_run_arn) = &row.listed.map_run {
            let (name, role_arn) = (row.name.clone(), head.role_arn.clone());
            let kind = head.processor.map_or(ExecutionKind::Standard, |processor| processor.kind);
            return self.child_identity(map_run_arn, kind, name, role_arn, row.start_ms, input, row.key);
        }
        let machine_name = row.machine.rsplit(':').next().unwrap_or_default();
        let account = self.account_of(&row.machine);
        Identity {
            execution_arn: account.execution(machine_name, &row.name).into(),
            execution_name: row.name.clone(),
            machine_arn: row.machine.clone(),
            machine_name: machine_name.into(),
            role_arn: head.role_arn.clone(),
            start_ms: row.start_ms,
            input,
            kind: ExecutionKind::Standard,
            account,
            locator: locator(row.key),
        }
    }
}

/// The text that routes a task token to its execution.
pub(crate) fn locator(key: ExecutionKey) -> Arc<str> {
    format!("{:x}", key.bits()).into()
}

/// The execution that a token's locator names.
pub(crate) fn key_of_locator(locator: &str) -> Option<ExecutionKey> {
    u64::from_str_radix(locator, 16).ok().and_then(ExecutionKey::from_bits)
}

/// What an effect changes in the store.
fn mutation(key: ExecutionKey, effect: &Effect, stop_ms: i64, execution: &Execution) -> Option<Mutation> {
    let item = |task: &TaskId, queue: &Arc<str>| QueueItem { queue: queue.clone(), key, task: task.0 };
    Some(match effect {
        Effect::Dispatch(call) => Mutation::Dispatched(Dispatch { key, task: call.task.0 }),
        // What has been sent stays known until its job has been stopped: see `jobs`.
        Effect::CancelTask { runs_job: true, .. } => return None,
        Effect::CancelTask { task, .. } => Mutation::Answered(Dispatch { key, task: task.0 }),
        Effect::Queue(queued) => Mutation::Enqueue(item(&queued.task, &queued.activity_arn)),
        Effect::Dequeue { task, activity_arn } => Mutation::Dequeue(item(task, activity_arn)),
        Effect::SetTimer { timer, due_ms } => {
            Mutation::SetTimer(Timer { due_ms: *due_ms, key, timer: timer.0 })
        }
        Effect::CancelTimer { timer, due_ms } => {
            Mutation::CancelTimer(Timer { due_ms: *due_ms, key, timer: timer.0 })
        }
        Effect::Continue => Mutation::SetTimer(continue_timer(key)),
        Effect::Finished(ended) => {
            let (status, tail) = outcome(ended, execution.history_len());
            Mutation::SetStatus { key, status, stop_ms: Some(stop_ms), tail: tail.encode() }
        }
        // Several, which come first: `start_mutations`.
        Effect::StartMapRun(_) => return None,
        // The run's driver writes it once its children have been stopped.
        Effect::CancelMapRun { .. } => return None,
    })
}

/// The timer that continues an execution whose step was cut short; due at once, and in the store so that a crash in between
/// loses nothing.
pub(crate) fn continue_timer(key: ExecutionKey) -> Timer {
    Timer { due_ms: 0, key, timer: CONTINUE }
}

/// No execution has that many timers of its own; and it is no heartbeat's.
pub(crate) const CONTINUE: u32 = u32::MAX >> 1;

/// An outcome as the store and the execution's row have it.
pub(crate) fn outcome(outcome: &Outcome, history_len: u32) -> (Status, Tail) {
    let ended = Tail { history_len, ..Tail::default() };
    let failed = |status, failure: &Failure| {
        (status, Tail { error: failure.error.clone(), cause: failure.cause.clone(), ..ended.clone() })
    };
    match outcome {
        Outcome::Succeeded { output } => {
            (Status::Succeeded, Tail { output: Some(output.text().into()), ..ended })
        }
        Outcome::Failed(failure) => failed(Status::Failed, failure),
        Outcome::TimedOut(failure) => failed(Status::TimedOut, failure),
        Outcome::Aborted(failure) => failed(Status::Aborted, failure),
    }
}
