//! Going on after a start: wake-ups are loaded, calls that were under way are made again. And the loop that fires timers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwright_machine::{Effect, Execution, Input, TimerId};
use stepwright_store::{Dispatch, ExecutionKey, Mutation, StoreError, Timer};
use tokio::sync::Semaphore;

use crate::deliver::{CONTINUE, Loaded};
use crate::engine::Engine;
use crate::error::DeliverError;
use crate::map_runs::Run;

/// Timers, and executions of a recovery, that are worked on at a time.
const SIDE_BY_SIDE: usize = 256;

/// An engine that has taken over the executions of its store and does not yet go on with them: so that a server can listen
/// before it runs what may take long.
pub struct Standby {
    engine: Arc<Engine>,
    /// Tasks that were sent and have not been answered.
    dispatched: BTreeMap<ExecutionKey, Vec<Dispatch>>,
    map_runs: Vec<Arc<Run>>,
}

impl Standby {
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Goes on with what the last holder left, in the background.
    pub fn go_on(self) -> Arc<Engine> {
        let Standby { engine, dispatched, map_runs } = self;
        engine.resume_map_runs(map_runs);
        engine.give_turns();
        engine.send_all_again(dispatched);
        engine.spawn_timer_loop();
        engine.spawn_run_loop();
        engine.spawn_limit_loop();
        engine.spawn_retention_loop();
        engine
    }
}

impl Engine {
    /// Loads what wakes executions, and what was dispatched without an answer.
    pub(crate) async fn recover(self: Arc<Self>) -> Result<Standby, StoreError> {
        // Before anything can happen: who held a place holds it still.
        self.restore_places().await?;
        let (going_on, timers): (Vec<Timer>, Vec<Timer>) =
            self.store.timers(self.shard.id).await?.into_iter().partition(|timer| timer.timer == CONTINUE);
        self.timers.extend(timers);
        going_on.iter().for_each(|timer| self.run_queue.push(timer.key));
        for item in self.store.queued(self.shard.id).await? {
            self.activities.push(&item.queue, (item.key, item.task));
            self.restore_offered((item.key, item.task));
        }
        let mut dispatched: BTreeMap<ExecutionKey, Vec<Dispatch>> = BTreeMap::new();
        let mut all = self.store.dispatches(self.shard.id).await?;
        let map_runs = self.recover_map_runs(&mut all).await?;
        for dispatch in all {
            dispatched.entry(dispatch.key).or_default().push(dispatch);
        }
        Ok(Standby { engine: self, dispatched, map_runs })
    }

    fn send_all_again(self: &Arc<Self>, dispatched: BTreeMap<ExecutionKey, Vec<Dispatch>>) {
        if dispatched.is_empty() {
            return;
        }
        tracing::info!(executions = dispatched.len(), "tasks that were under way are sent again");
        let engine = self.clone();
        tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
            for (key, dispatches) in dispatched {
                // The semaphore is never closed.
                let Ok(place) = places.clone().acquire_owned().await else { return };
                let engine = engine.clone();
                tokio::spawn(async move {
                    if let Err(error) = engine.send_again(key, dispatches).await {
                        tracing::error!(execution = ?key, %error, "its tasks could not be sent again");
                    }
                    drop(place);
                });
            }
        });
    }

    /// Makes the calls again that still are to be answered. Others were overtaken by what ended their task (a callback that was
    /// faster than the answer of its call): they are forgotten, once the job that they may have started has been stopped.
    async fn send_again(
        self: &Arc<Self>,
        key: ExecutionKey,
        dispatches: Vec<Dispatch>,
    ) -> Result<(), DeliverError> {
        let slot = self.hot.slot(key);
        let mut place = slot.lock().await;
        let result = self.send_again_locked(key, &mut place, dispatches).await;
        drop(place);
        self.hot.release(key, slot);
        result
    }

    async fn send_again_locked(
        self: &Arc<Self>,
        key: ExecutionKey,
        place: &mut Option<Loaded>,
        dispatches: Vec<Dispatch>,
    ) -> Result<(), DeliverError> {
        let loaded = self.loaded(key, place).await?;
        let mut calls = loaded.execution.outstanding();
        calls.retain(|effect| matches!(effect, Effect::Dispatch(_)));
        let is_open = |dispatch: &Dispatch| {
            calls
                .iter()
                .any(|effect| matches!(effect, Effect::Dispatch(call) if call.task.0 == dispatch.task))
        };
        let sent: BTreeSet<u32> = dispatches.iter().map(|dispatch| dispatch.task).collect();
        let is_over =
            |dispatch: &Dispatch| !is_open(dispatch) && !self.dispatches.is_under_way((key, dispatch.task));
        let over: Vec<Dispatch> = dispatches.into_iter().filter(is_over).collect();
        let overtaken = self.stop_abandoned(key, loaded, over).await?;
        let overtaken: Vec<Mutation> = overtaken.into_iter().map(Mutation::Answered).collect();
        if !overtaken.is_empty() {
            self.commit(overtaken).await?;
        }
        // Who loaded it before us may have sent one of them already. One that was not sent before waits for its turn.
        calls.retain(|effect| {
            matches!(effect, Effect::Dispatch(call)
                if sent.contains(&call.task.0) && !self.dispatches.is_under_way((key, call.task.0)))
        });
        self.perform(key, calls, &loaded.identity);
        Ok(())
    }

    pub(crate) fn spawn_timer_loop(self: &Arc<Self>) {
        let engine = Arc::downgrade(self);
        let places = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        tokio::spawn(async move {
            loop {
                let Some(engine) = engine.upgrade() else { return };
                if engine.failure_reason().is_some() {
                    return;
                }
                let now_ms = engine.clock.now_ms();
                let due = engine.timers.pop_due(now_ms);
                if !due.is_empty() {
                    let Ok(place) = places.clone().acquire_owned().await else { return };
                    tokio::spawn(async move {
                        for timer in due {
                            engine.fire(timer).await;
                        }
                        drop(place);
                    });
                    continue;
                }
                match engine.timers.next_due_ms() {
                    Some(due_ms) => tokio::select! {
                        biased;
                        () = engine.timers.earlier() => {}
                        () = engine.clock.sleep_until(due_ms) => {}
                    },
                    None => engine.timers.earlier().await,
                }
            }
        });
    }

    pub(crate) async fn fire(self: &Arc<Self>, timer: Timer) {
        let input = match timer.timer {
            CONTINUE => Input::Continue,
            number => Input::TimerFired { timer: TimerId(number) },
        };
        let gone = || vec![Mutation::CancelTimer(timer)];
        let input = |_: &Execution| self.timers.is_current(&timer).then_some(input);
        let delivered = self.deliver(timer.key, input, gone(), |_, _| ()).await;
        self.timers.fired(&timer);
        match delivered {
            // A heartbeat came at the last moment.
            Ok(()) | Err(DeliverError::Refused) => {}
            Err(DeliverError::NotFound) => {
                let _ = self.commit(gone()).await;
            }
            Err(error) => tracing::error!(execution = ?timer.key, %error, "a timer could not be delivered"),
        }
    }
}
