//! How a step of an execution is taken: where its input has arrived, when that takes a moment only; else among the long
//! computations.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwright_machine::{Budget, Execution, Input, Nothing, StepError};
use stepwright_store::ExecutionKey;

use crate::compute::{Moment, Slice};
use crate::deliver::{Drive, Loaded};
use crate::engine::Engine;
use crate::error::DeliverError;

/// An execution with more lines than this computes elsewhere from the start: a step that takes too long is given up, and it
/// would cost too much to remember the execution as it was before.
const LINES_MAX: usize = 16;
/// A step that takes no longer could be taken where its input arrives.
const SHORT_MS: i64 = 1;

/// What is known of how long the steps of a revision's executions take: whether the last that was looked at took long.
#[derive(Default)]
pub(crate) struct Pace(AtomicBool);

impl Pace {
    fn is_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, is_slow: bool) {
        if self.is_slow() != is_slow {
            self.0.store(is_slow, Ordering::Relaxed);
        }
    }
}

/// How a step is taken.
enum Way {
    /// Here: nothing of it is computed for long.
    Told,
    /// Here, and elsewhere if it takes more than a moment.
    Tried,
    Elsewhere,
}

fn way(loaded: &Loaded, input: &Input) -> Way {
    let execution = &loaded.execution;
    match input {
        Input::Stop { .. }
        | Input::Fail { .. }
        | Input::Heartbeat { .. }
        | Input::TaskStarted { .. }
        | Input::TaskSubmitted { .. }
        | Input::ActivityStarted { .. } => Way::Told,
        Input::Continue if execution.is_parked() => Way::Told,
        Input::Continue => Way::Elsewhere,
        _ if loaded.pace.is_slow() || execution.line_count() > LINES_MAX => Way::Elsewhere,
        _ => Way::Tried,
    }
}

impl Engine {
    /// The first step of an execution. It does not take long: what is left over is for the [`crate::run_queue`].
    pub(crate) fn first_step(
        &self,
        key: ExecutionKey,
        execution: &mut Execution,
        pace: &Pace,
        missing_activities: &[Arc<str>],
        budget: &dyn Budget,
    ) -> Result<Drive, StepError> {
        if !pace.is_slow() {
            match self.drive(key, execution, Input::Start, missing_activities, budget) {
                Err(StepError::Interrupted) => pace.note(true),
                done => return done,
            }
            *execution = execution.unstarted();
        }
        self.drive(key, execution, Input::Start, missing_activities, &Nothing)
    }

    /// A step of an execution that is in memory. After an error there may be nothing left in its place.
    pub(crate) async fn take_step(
        self: &Arc<Self>,
        key: ExecutionKey,
        place: &mut Option<Loaded>,
        input: Input,
        missing_activities: Vec<Arc<str>>,
    ) -> Result<Drive, DeliverError> {
        let missing = &missing_activities;
        let loaded = place.as_mut().ok_or(DeliverError::NotFound)?;
        match way(loaded, &input) {
            Way::Told => return Ok(self.drive(key, &mut loaded.execution, input, missing, &Nothing)?),
            Way::Tried => {
                let before = loaded.execution.clone();
                let moment = Moment::new(&*self.clock);
                match self.drive(key, &mut loaded.execution, input.clone(), missing, &moment) {
                    Err(StepError::Interrupted) => loaded.execution = before,
                    done => return Ok(done?),
                }
                loaded.pace.note(true);
            }
            Way::Elsewhere => {}
        }
        self.take_long_step(key, place, input, missing_activities).await
    }

    async fn take_long_step(
        self: &Arc<Self>,
        key: ExecutionKey,
        place: &mut Option<Loaded>,
        input: Input,
        missing_activities: Vec<Arc<str>>,
    ) -> Result<Drive, DeliverError> {
        let loaded = place.take().ok_or(DeliverError::NotFound)?;
        let deadline = loaded.execution.deadline();
        let (engine, before) = (self.clone(), loaded.execution.clone());
        let work = move |loaded: &mut Loaded, slice: &Slice| {
            let drive = engine.drive(key, &mut loaded.execution, input, &missing_activities, slice);
            loaded.pace.note(slice.used_ms() > SHORT_MS);
            drive
        };
        let deadline_ms = deadline.map(|(_, due_ms)| due_ms);
        let (loaded, drive) = self.computer.step(key, deadline_ms, loaded, work).await;
        let loaded = place.insert(loaded);
        match drive {
            None | Some(Err(StepError::Interrupted)) => loaded.execution = before,
            Some(done) => return Ok(done?),
        }
        match deadline {
            Some((timer, due_ms)) if self.clock.now_ms() >= due_ms => {
                // No state is entered any more.
                Ok(self.drive(key, &mut loaded.execution, Input::TimerFired { timer }, &[], &Nothing)?)
            }
            _ if self.computer.is_closing() => Err(DeliverError::Ending),
            // It is being stopped, and then it does not wait for this.
            _ => Err(DeliverError::Refused),
        }
    }
}
