//! A redrive: every line that did not come to its end goes on where it stopped.
//!
//! What each state does then, is AWS's: a Task is scheduled again, a Choice is evaluated again, a Wait waits again (one for
//! a time that has passed is over at once), a Fail state is entered again and fails again; of a Parallel or inline Map state
//! only the lines go on that had not ended. One whose result was too large begins anew, with all its lines: nothing else
//! could make the result smaller.

use std::collections::BTreeMap;

use stepwright_asl::program::Kind;
use stepwright_types::error_name;

use super::Change;
use crate::branch::{Phase, Purpose};
use crate::event::{BranchId, Timer};
use crate::execution::{EvolveError, REDRIVES_KEPT, Redriven};
use crate::hold::Holders;
use crate::outcome::Outcome;

impl Change<'_> {
    pub(super) fn redriven(
        &mut self,
        count: u32,
        timer: Option<Timer>,
        token_hash: Option<[u8; 32]>,
    ) -> Result<(), EvolveError> {
        let at_ms = self.event.timestamp_ms;
        let Some(outcome) = self.execution.outcome.take() else { return Err(self.wrong_phase()) };
        let execution = &mut *self.execution;
        // Who held it before it ended, holds it no more.
        execution.holders = Holders::default();
        execution.redrive_count = count;
        execution.redrive_ms = at_ms;
        if execution.redrives.len() >= REDRIVES_KEPT {
            execution.redrives.remove(0);
        }
        execution.redrives.push(Redriven { token_hash, at_ms });
        if let Some(timer) = timer {
            self.set_timer(timer, Purpose::Execution);
        }
        let mut lines_below: BTreeMap<BranchId, u32> = BTreeMap::new();
        for parent in self.execution.branches.values().filter_map(|line| line.parent) {
            *lines_below.entry(parent).or_default() += 1;
        }
        let was_too_large = matches!(&outcome, Outcome::Failed(failure)
            if failure.error.as_deref() == Some(error_name::DATA_LIMIT_EXCEEDED));
        let ids: Vec<BranchId> = self.execution.branches.keys().copied().collect();
        for id in ids {
            let running = lines_below.get(&id).copied().unwrap_or(0);
            self.go_on(id, running, was_too_large);
        }
        Ok(())
    }

    /// The line goes on with the state in which it stopped; `running` lines of that state do too.
    fn go_on(&mut self, id: BranchId, running: u32, was_too_large: bool) {
        let event_id = self.event.id;
        let program = self.execution.program.clone();
        let Some(line) = self.execution.branches.get_mut(&id) else { return };
        line.last_id = event_id;
        line.retry_count = 0;
        (line.holders, line.stop) = (Holders::default(), None);
        line.attempts.clear();
        match &mut line.phase {
            Phase::Joining(join) => {
                join.stopped = false;
                join.running = running;
                if was_too_large && join.is_complete() {
                    line.phase = Phase::Entered;
                }
            }
            // Children that did not succeed go on.
            Phase::Distributed(map)
                if !was_too_large && map.run.as_ref().is_some_and(|run| !run.succeeded) =>
            {
                map.is_redriven = true;
            }
            Phase::Entering | Phase::Ended(_) => {}
            phase => {
                let fails = matches!(program.state(line.state).kind, Kind::Fail(_));
                *phase = if fails { Phase::Entering } else { Phase::Entered };
            }
        }
        self.refresh(id);
    }
}
