//! Events of distributed Map states: the run begins, ends, and is redriven.

use std::sync::Arc;

use super::Change;
use crate::branch::{DistributedMap, Items, Phase, Run};
use crate::event::{MapRunStarted, MapStarted, RunId};
use crate::execution::EvolveError;

impl Change<'_> {
    pub(super) fn distributed_map_started(&mut self, started: &MapStarted) -> Result<(), EvolveError> {
        let map = DistributedMap {
            items: Items(started.items.clone()),
            input: started.input.clone(),
            run: None,
            stopped: false,
            is_redriven: false,
        };
        self.set_phase(Phase::Distributed(Box::new(map)))
    }

    pub(super) fn map_run_started(&mut self, started: &MapRunStarted) -> Result<(), EvolveError> {
        let event = self.event;
        let run = Run {
            id: RunId(event.sequence),
            started: Arc::new(started.clone()),
            started_id: event.id,
            redrive_count: 0,
            succeeded: false,
        };
        self.distributed_map()?.run = Some(run);
        Ok(())
    }

    /// The run goes on, under the name that it has.
    pub(super) fn map_run_redriven(&mut self, count: u32) -> Result<(), EvolveError> {
        let (id, wrong) = (self.event.id, self.wrong_phase());
        let map = self.distributed_map()?;
        let run = map.run.as_mut().ok_or(wrong)?;
        (run.started_id, run.redrive_count) = (id, count);
        (map.stopped, map.is_redriven) = (false, false);
        self.refresh(self.event.branch);
        Ok(())
    }

    pub(super) fn map_run_succeeded(&mut self) -> Result<(), EvolveError> {
        let wrong = self.wrong_phase();
        self.distributed_map()?.run.as_mut().ok_or(wrong)?.succeeded = true;
        Ok(())
    }

    /// The run has failed or was aborted.
    pub(super) fn map_run_stopped(&mut self) -> Result<(), EvolveError> {
        self.distributed_map()?.stopped = true;
        Ok(())
    }

    fn distributed_map(&mut self) -> Result<&mut DistributedMap, EvolveError> {
        let wrong = self.wrong_phase();
        match &mut self.branch()?.phase {
            Phase::Distributed(map) => Ok(map),
            _ => Err(wrong),
        }
    }
}
