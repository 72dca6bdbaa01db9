//! Events of Parallel and Map states: lines begin, end, and are stopped.

use std::sync::Arc;

use super::Change;
use crate::branch::{Branch, Items, Join, MapItem, MapJoin, Phase};
use crate::event::{BranchId, IterationStarted, MapStarted, ParallelStarted};
use crate::execution::EvolveError;

impl Change<'_> {
    pub(super) fn parallel_started(&mut self, started: &ParallelStarted) -> Result<(), EvolveError> {
        let join = Join {
            outputs: vec![None; started.flows.len()],
            running: started.flows.len() as u32,
            ended: 0,
            last_id: self.event.id,
            stopped: false,
            map: None,
        };
        self.set_phase(Phase::Joining(Box::new(join)))?;
        for (slot, flow) in started.flows.iter().enumerate() {
            let program = &self.execution.program;
            let Some(flow) = program.flows.get(flow.0 as usize) else {
                return Err(EvolveError::NoSuchState { sequence: self.event.sequence });
            };
            let id = BranchId(started.first_branch.0.saturating_add(slot as u32));
            let (start_at, input) = (flow.start_at, started.input.clone());
            let child = self.branch()?.fork(id, slot as u32, start_at, input);
            self.add(child);
        }
        Ok(())
    }

    pub(super) fn add(&mut self, branch: Branch) {
        let id = branch.id;
        self.execution.next_branch = self.execution.next_branch.max(id.0.saturating_add(1));
        self.execution.branches.insert(id, Box::new(branch));
        self.execution.ready.insert(id);
    }

    pub(super) fn map_started(&mut self, started: &MapStarted) -> Result<(), EvolveError> {
        if started.distributed {
            return self.distributed_map_started(started);
        }
        let items = Items(started.items.clone());
        let join = Join {
            outputs: vec![None; items.len()],
            running: 0,
            ended: 0,
            last_id: self.event.id,
            stopped: false,
            map: Some(MapJoin {
                items,
                next: 0,
                concurrency: started.concurrency.max(1),
                input: started.input.clone(),
                slot_id: self.event.id,
            }),
        };
        self.set_phase(Phase::Joining(Box::new(join)))
    }

    pub(super) fn iteration_started(&mut self, started: &IterationStarted) -> Result<(), EvolveError> {
        let event = self.event;
        let Some(flow) = self.execution.program.flows.get(started.flow.0 as usize) else {
            return Err(EvolveError::NoSuchState { sequence: event.sequence });
        };
        let start_at = flow.start_at;
        let wrong = self.wrong_phase();
        // The line belongs to the Map that holds the flow, which is the one whose next item this is.
        let parent = started.parent;
        let map_branch = self.execution.branches.get_mut(&parent).ok_or_else(|| wrong.clone())?;
        let Phase::Joining(join) = &mut map_branch.phase else { return Err(wrong) };
        let map = join.map.as_mut().ok_or_else(|| wrong.clone())?;
        let (key, value) = map.items.get(started.index as usize).ok_or(wrong)?;
        map.next = started.index.saturating_add(1);
        join.running = join.running.saturating_add(1);
        let mut line = map_branch.fork(event.branch, started.index, start_at, started.input.clone());
        line.item = Some(Arc::new(MapItem { index: started.index, key, value }));
        line.last_id = event.id;
        self.add(line);
        self.refresh(parent);
        Ok(())
    }

    /// The Parallel or Map state to which the event's line belongs, and the line's slot in it.
    pub(super) fn join_of_line(&mut self) -> Result<(BranchId, usize, &mut Join), EvolveError> {
        let wrong = self.wrong_phase();
        let line = self.execution.branches.get(&self.event.branch).ok_or_else(|| wrong.clone())?;
        let (Some(parent), slot) = (line.parent, line.slot as usize) else { return Err(wrong) };
        let branch = self.execution.branches.get_mut(&parent).ok_or_else(|| wrong.clone())?;
        let Phase::Joining(join) = &mut branch.phase else { return Err(wrong) };
        if slot >= join.outputs.len() {
            return Err(wrong);
        }
        Ok((parent, slot, join))
    }

    pub(super) fn iteration_succeeded(&mut self) -> Result<(), EvolveError> {
        let (id, previous_id) = (self.event.id, self.event.previous_id);
        self.line_ended(|join| {
            join.last_id = id;
            if let Some(map) = &mut join.map {
                map.slot_id = previous_id;
            }
        })
    }

    pub(super) fn branch_ended(&mut self) -> Result<(), EvolveError> {
        let previous_id = self.event.previous_id;
        self.line_ended(|join| join.last_id = previous_id)
    }

    fn line_ended(&mut self, note: impl FnOnce(&mut Join)) -> Result<(), EvolveError> {
        let event = self.event;
        let wrong = self.wrong_phase();
        let line = self.execution.branches.get(&event.branch).ok_or_else(|| wrong.clone())?;
        let Phase::Ended(output) = &line.phase else { return Err(wrong) };
        let output = output.clone();
        let (parent, slot, join) = self.join_of_line()?;
        join.outputs[slot] = Some(output);
        join.running = join.running.saturating_sub(1);
        join.ended = join.ended.saturating_add(1);
        note(join);
        self.remove_line(event.branch);
        self.refresh(parent);
        Ok(())
    }

    pub(super) fn iteration_stopped(&mut self) -> Result<(), EvolveError> {
        let event = self.event;
        let (parent, _, join) = self.join_of_line()?;
        join.stopped = true;
        self.refresh(parent);
        self.forget_work_of(event.branch);
        self.stop(event.branch);
        Ok(())
    }

    pub(super) fn join_succeeded(&mut self) -> Result<(), EvolveError> {
        let wrong = self.wrong_phase();
        let branch = self.branch()?;
        // AWS: the Exited event points to the last event of the lines (or to the run's start), not to the Succeeded event.
        branch.last_id = match &branch.phase {
            Phase::Joining(join) => join.last_id,
            Phase::Distributed(map) => map.run.as_ref().map_or(branch.last_id, |run| run.started_id),
            _ => return Err(wrong),
        };
        Ok(())
    }

    pub(super) fn join_failed(&mut self) -> Result<(), EvolveError> {
        let id = self.event.branch;
        match &mut self.branch()?.phase {
            Phase::Joining(join) => join.stopped = true,
            Phase::Distributed(map) => map.stopped = true,
            _ => {}
        }
        self.refresh(id);
        self.stop_lines_of(id);
        Ok(())
    }

    pub(super) fn line_failed(&mut self) -> Result<(), EvolveError> {
        let previous_id = self.event.previous_id;
        self.join_failed()?;
        self.branch()?.last_id = previous_id;
        Ok(())
    }

    /// All lines below `id`, in order of their ids.
    pub(super) fn lines_of(&self, id: BranchId) -> Vec<BranchId> {
        crate::lines::below(self.execution, id)
    }

    /// Lines below `id` do not go on; what they are stays, for a redrive.
    pub(super) fn stop_lines_of(&mut self, id: BranchId) {
        for line in self.lines_of(id) {
            self.forget_work_of(line);
            self.stop(line);
        }
    }

    pub(super) fn stop(&mut self, id: BranchId) {
        if let Some(branch) = self.execution.branches.get_mut(&id) {
            match &mut branch.phase {
                Phase::Joining(join) => join.stopped = true,
                Phase::Distributed(map) => map.stopped = true,
                Phase::Entering | Phase::Ended(_) => {}
                phase => *phase = Phase::Stopped,
            }
            branch.stop = None;
        }
        self.execution.ready.remove(&id);
    }

    pub(super) fn remove_lines_of(&mut self, id: BranchId) {
        for line in self.lines_of(id) {
            self.forget_work_of(line);
            self.remove_line(line);
        }
    }

    pub(super) fn remove_line(&mut self, id: BranchId) {
        self.execution.branches.remove(&id);
        self.execution.ready.remove(&id);
    }
}
