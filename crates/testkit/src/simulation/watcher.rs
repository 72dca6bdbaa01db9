//! Watches the engine from inside: what it shows is durable, and what it holds in memory is what replay gives.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use stepwright_engine::{Clock, Observer};
use stepwright_machine::{Event, Execution, ExecutionKind, Identity, codec};
use stepwright_store::Store;

use crate::clock::SimulatedClock;
use crate::disk::{Disk, now};
use crate::simulation::shared::Holders;
use crate::simulation::target::key_of;
use crate::simulation::world::World;

pub struct Watcher {
    world: Arc<World>,
    disk: Arc<Disk>,
    clock: Arc<SimulatedClock>,
    /// Executions as replay gives them, with the number of their last segment. By locator.
    replayed: Mutex<HashMap<Arc<str>, (Execution, u32)>>,
    holders: Mutex<Holders>,
}

impl Watcher {
    pub fn new(world: Arc<World>, disk: Arc<Disk>, clock: Arc<SimulatedClock>) -> Watcher {
        Watcher { world, disk, clock, replayed: Mutex::default(), holders: Mutex::default() }
    }
}

impl Observer for Watcher {
    fn committed(&self, execution: &Identity, events: &[Event]) {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).committed(execution, events);
        let now_ms = self.clock.now_ms();
        if self.world.is_verbose() {
            for event in events {
                let (name, at, id, body) =
                    (&execution.execution_name, event.sequence, event.id, format!("{:?}", event.body));
                self.world.note(now_ms, format_args!("{name} {at} ({id}) {body:.180}"));
            }
        } else {
            let what = format_args!("{} {:?}", execution.execution_arn, codec::encode_segment(events));
            self.world.note(now_ms, what);
        }
    }

    fn stepped(&self, execution: &Execution) {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.stepped(execution);
        let allowed = self.world.lock().allowed.clone();
        if let Some(what) = holders.violated(&self.world.shared, &allowed) {
            self.world.violated(what);
        }
        drop(holders);
        let arn = &execution.identity().execution_arn;
        match self.replay(execution) {
            Ok(true) => {}
            Ok(false) => self.world.violated(format!("{arn}: memory is not what replay gives")),
            Err(reason) => self.world.violated(format!("{arn}: {reason}")),
        }
    }
}

impl Watcher {
    /// Whether the execution is equal to the one that its stored events give.
    fn replay(&self, live: &Execution) -> Result<bool, String> {
        let key = key_of(&live.identity().locator).ok_or("a locator that is none")?;
        if live.identity().kind == ExecutionKind::Express {
            // Nothing of it is stored.
            return Ok(true);
        }
        let mut replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        let place = replayed.entry(live.identity().locator.clone());
        let (execution, segments) = place.or_insert_with(|| (live.unstarted(), 0));
        // A store that is lost answers nothing: then it was crashed at this very moment.
        let Some(Ok(found)) = now(self.disk.store().segments(key, *segments + 1)) else { return Ok(true) };
        for segment in found {
            if segment.number <= *segments {
                continue;
            }
            *segments = segment.number;
            for event in codec::decode_segment(&segment.data).map_err(|error| error.to_string())? {
                execution.evolve(&event).map_err(|error| error.to_string())?;
            }
        }
        let equal = execution == live;
        if live.outcome().is_some() {
            replayed.remove(&live.identity().locator);
        }
        Ok(equal)
    }
}
