//! The way of a task past the limits: held back when it is scheduled, let go when it is its turn, its place given up when it has
//! ended. An execution takes the same way before its first state.

use std::sync::Arc;

use stepwright_machine::{Effect, Event, EventBody, Execution, Input, Owner, TaskId};
use stepwright_store::{ExecutionKey, Mutation, StoreError};

use super::key::{Subject, names_of_machine, names_of_task};
use super::place::{Lane, Place, WHOLE_EXECUTION};
use super::{Limit, Limits};
use crate::deliver::Drive;
use crate::dispatch::TaskKey;
use crate::engine::Engine;
use crate::error::DeliverError;

/// Somebody who has to wait for its turn: a task, or the execution itself.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    task: u32,
    place: Place,
}

/// What a drive changes at the limits: durable with it, and done after it.
#[derive(Default, Debug)]
pub(crate) struct Held {
    /// Those who come.
    pub waits: Vec<Waiter>,
    /// Those who had their turn and have started.
    started: Vec<u32>,
    /// The tasks whose places end.
    ended: Vec<u32>,
}

impl Held {
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty() && self.started.is_empty() && self.ended.is_empty()
    }

    /// What it changes in the store.
    pub fn mutations(&self, key: ExecutionKey) -> impl Iterator<Item = Mutation> {
        let waits = self.waits.iter().map(move |waiter| waiter.place.set((key, waiter.task)));
        waits.chain(self.ended.iter().map(move |task| Mutation::DropPermit { key, task: *task }))
    }
}

impl Limits {
    /// The lanes that limits have for a task or an execution.
    fn lanes(&self, engine: &Engine, limits: &[Arc<Limit>], subject: &Subject<'_>, now_ms: i64) -> Vec<Lane> {
        let mut random = || engine.entropy.next();
        limits.iter().filter_map(|limit| subject.lane(limit, now_ms, &mut random)).collect()
    }
}

impl Engine {
    /// Takes the calls (and the tasks for workers) that a limit concerns out of what a drive wants done: they have to wait.
    pub(crate) fn hold_back(&self, execution: &Execution, drive: &mut Drive) {
        if !self.limits.is_active() {
            return;
        }
        let limits = self.limits.current();
        let account = &execution.identity().account;
        let Drive { effects, held, .. } = drive;
        effects.retain(|effect| {
            let (task, resource, parameters) = match effect {
                // A job that has been started has its place.
                Effect::Dispatch(call) if call.submitted.is_none() => {
                    (call.task, Some(&*call.resource), &call.parameters)
                }
                Effect::Queue(queued) => (queued.task, None, &queued.input),
                _ => return true,
            };
            let names = match (effect, resource) {
                (_, Some(resource)) => names_of_task(resource, parameters, account),
                (Effect::Queue(queued), _) => {
                    let arn = queued.activity_arn.clone();
                    names_of_task(&stepwright_asl::program::Resource::Activity { arn }, parameters, account)
                }
                _ => return true,
            };
            let subject = Subject { execution, task: Some(task), names };
            match self.waiter(&limits, &subject) {
                None => true,
                Some(waiter) => {
                    // One that was cancelled in the same breath has nothing to wait for.
                    if execution.is_pending(task) {
                        held.waits.push(waiter);
                    }
                    false
                }
            }
        });
    }

    /// How an execution begins (or, redriven, goes on): at once, or when it is its turn.
    pub(crate) fn begin_in_turn(&self, execution: &Execution, input: Input) -> (Input, Held) {
        let in_turn = match input {
            Input::Start if self.limits.is_active() => Input::StartHeld { owner: Owner::Limits },
            Input::Redrive { token_hash } if self.limits.is_active() => {
                Input::RedriveHeld { token_hash, owner: Owner::Limits }
            }
            _ => return (input, Held::default()),
        };
        let subject = Subject { execution, task: None, names: names_of_machine(execution) };
        match self.waiter(&self.limits.current(), &subject) {
            None => (input, Held::default()),
            Some(waiter) => (in_turn, Held { waits: vec![waiter], ..Held::default() }),
        }
    }

    fn waiter(&self, limits: &[Arc<Limit>], subject: &Subject<'_>) -> Option<Waiter> {
        let now_ms = self.clock.now_ms();
        let lanes = self.limits.lanes(self, limits, subject, now_ms);
        if lanes.is_empty() {
            return None;
        }
        let call = subject.task.and_then(|task| subject.execution.call_of(task));
        let place = Place {
            lanes,
            execution_arn: subject.execution.identity().execution_arn.clone(),
            state: match call {
                Some(Effect::Dispatch(call)) => Some(call.state_name),
                Some(Effect::Queue(queued)) => Some(queued.activity_arn),
                _ => None,
            },
            arrival: self.limits.arrive(),
            since_ms: now_ms,
            granted_ms: None,
        };
        Some(Waiter { task: subject.task.map_or(WHOLE_EXECUTION, |task| task.0), place })
    }

    /// Notes who starts with a drive, and which places end with it.
    pub(crate) fn note_ended(&self, key: ExecutionKey, execution: &Execution, drive: &mut Drive) {
        if !self.limits.is_active() {
            return;
        }
        let has_ended = execution.outcome().is_some();
        let limiter = self.limits.lock();
        let started = drive.events.iter().filter_map(|event| match &event.body {
            EventBody::TaskStarted(started) => Some(started.task.0),
            _ => None,
        });
        let begun = (!execution.is_held_by(Owner::Limits)).then_some(WHOLE_EXECUTION);
        drive.held.started = started.chain(begun).filter(|task| limiter.is_due((key, *task))).collect();
        drive.held.ended = match has_ended {
            true => limiter.tasks_of(key),
            false => {
                let ended = drive.events.iter().filter_map(ended_by_event);
                let cancelled = drive.effects.iter().filter_map(|effect| match effect {
                    Effect::CancelTask { task, .. } | Effect::Dequeue { task, .. } => Some(task.0),
                    _ => None,
                });
                let gone = |task: &u32| limiter.is_here((key, *task)) && !execution.is_pending(TaskId(*task));
                ended.chain(cancelled).filter(gone).collect()
            }
        };
    }

    /// Does at the limits what a drive has brought, which is durable now.
    pub(crate) fn settle_places(self: &Arc<Self>, key: ExecutionKey, held: Held) {
        if held.is_empty() {
            return;
        }
        let now_ms = self.clock.now_ms();
        self.limits.change(|limiter| {
            for task in held.started {
                limiter.started((key, task), now_ms);
            }
            for task in held.ended {
                limiter.ended((key, task));
            }
            for Waiter { task, place } in held.waits {
                limiter.enter((key, task), place);
            }
        });
        self.give_turns();
    }

    /// Nobody will hear any more of an execution that is only in memory.
    pub(crate) fn leave_places(self: &Arc<Self>, key: ExecutionKey) {
        if self.limits.is_active() {
            let ended = self.limits.lock().tasks_of(key);
            self.settle_places(key, Held { ended, ..Held::default() });
        }
    }

    /// Lets those go whose turn it is.
    pub(crate) fn give_turns(self: &Arc<Self>) {
        let now_ms = self.clock.now_ms();
        let (turns, wakes) = self.limits.change(|limiter| (limiter.turns(now_ms), limiter.wakes_ms()));
        if wakes.is_some() {
            self.limits.nudge.notify_one();
        }
        // While a runtime ends there may be none: what is not let go now is let go after the next start.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for (task, place) in turns {
            runtime.spawn(self.clone().let_go(task, place));
        }
    }

    /// Marks the place and starts what has waited, in one commit.
    async fn let_go(self: Arc<Self>, task: TaskKey, place: Place) {
        let (key, number) = task;
        let marked = vec![place.set(task)];
        let input = |execution: &Execution| match number {
            WHOLE_EXECUTION => execution
                .is_held_by(Owner::Limits)
                .then_some(Input::Release { owner: Owner::Limits, line: None }),
            _ if !execution.is_scheduled(TaskId(number)) => None,
            _ => Some(match execution.call_of(TaskId(number))? {
                Effect::Queue(_) => Input::Continue,
                _ => Input::TaskStarted { task: TaskId(number) },
            }),
        };
        let start = |execution: &Execution, drive: &mut Drive| {
            if number != WHOLE_EXECUTION {
                drive.effects.extend(execution.call_of(TaskId(number)));
            }
        };
        let result = self.deliver(key, input, marked, start).await;
        self.limits.change(super::limiter::Limiter::granted);
        match result {
            Ok(()) => {
                let waited_s =
                    place.granted_ms.unwrap_or_default().saturating_sub(place.since_ms) as f64 / 1_000.0;
                for lane in &place.lanes {
                    let limit = lane.limit.to_string();
                    metrics::histogram!("stepwright_limit_waited_seconds", "limit" => limit).record(waited_s);
                }
            }
            // It has ended meanwhile, and its place with it.
            Err(DeliverError::Refused | DeliverError::NotFound) => {
                self.limits.change(|limiter| limiter.ended(task))
            }
            // The process ends: the next one goes on from what is durable.
            Err(DeliverError::Commit(_)) => return,
            Err(error) => {
                tracing::error!(execution = &*place.execution_arn, %error, "a task whose turn it was could not be started");
                self.limits.change(|limiter| limiter.ended(task));
            }
        }
        self.give_turns();
    }

    /// Everybody who was there when the last process ended.
    pub(crate) async fn restore_places(&self) -> Result<(), StoreError> {
        let permits = self.store.permits(self.shard.id).await?;
        let mut places = Vec::with_capacity(permits.len());
        for permit in &permits {
            places.push(((permit.key, permit.task), Place::read(permit)?));
        }
        places.sort_by_key(|(_, place)| place.arrival);
        if let Some((_, last)) = places.last() {
            self.limits.arrived(last.arrival);
        }
        self.limits
            .change(|limiter| places.into_iter().for_each(|(task, place)| limiter.restore(task, place)));
        Ok(())
    }

    /// A task that was offered to workers, and that none had taken when the last process ended.
    pub(crate) fn restore_offered(&self, task: TaskKey) {
        self.limits.change(|limiter| limiter.restore_offered(task));
    }

    /// Looks again at windows when they have passed.
    pub(crate) fn spawn_limit_loop(self: &Arc<Self>) {
        let engine = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let Some(engine) = engine.upgrade() else { return };
                let wakes_ms = self::wakes_ms(&engine);
                match wakes_ms {
                    Some(due_ms) if due_ms <= engine.clock.now_ms() => {
                        engine.give_turns();
                        // Those who could not go are looked at again when something changes.
                        if self::wakes_ms(&engine) == wakes_ms {
                            engine.limits.nudge.notified().await;
                        }
                    }
                    Some(due_ms) => tokio::select! {
                        biased;
                        () = engine.limits.nudge.notified() => {}
                        () = engine.clock.sleep_until(due_ms) => {}
                    },
                    None => engine.limits.nudge.notified().await,
                }
            }
        });
    }
}

fn wakes_ms(engine: &Engine) -> Option<i64> {
    engine.limits.lock().wakes_ms()
}

fn ended_by_event(event: &Event) -> Option<u32> {
    match &event.body {
        EventBody::TaskSucceeded(ended) => Some(ended.task.0),
        EventBody::TaskFailed(ended) => Some(ended.task.0),
        EventBody::TaskTimedOut(ended) => Some(ended.task.0),
        _ => None,
    }
}

/// A call of a task that holds a place, while it is under way.
pub(crate) struct CallUnderWay {
    engine: Arc<Engine>,
    task: TaskKey,
}

impl CallUnderWay {
    /// A call begins; `None` when its task has no place at a limit.
    pub fn begin(engine: &Arc<Engine>, task: TaskKey) -> Option<CallUnderWay> {
        let is_limited =
            engine.limits.is_active() && engine.limits.lock().call_began(task, engine.clock.now_ms());
        is_limited.then(|| CallUnderWay { engine: engine.clone(), task })
    }
}

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.engine.limits.change(|limiter| limiter.call_ended(self.task));
        self.engine.give_turns();
    }
}
