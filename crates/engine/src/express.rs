//! EXPRESS executions: in memory alone, driven by the same code as all others. Nothing of them is stored; they end with the
//! process, and at the latest after five minutes (the interpreter's timer).

use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, Event, Execution, ExecutionKind, Identity, Outcome};
use stepwright_value::Document;
use tokio::sync::OwnedSemaphorePermit;

use crate::compute::Moment;
use crate::deliver::{Loaded, locator};
use crate::endings::Listener;
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError, StartError};
use crate::load::Progress;
use crate::programs::Runnable;
use crate::recent::{KeptHistory, RecentExpress};
use crate::start::{Revision, StartExecution};

/// EXPRESS executions that may run at a time.
pub(crate) const EXPRESS_MAX: usize = 100_000;

/// What the engine holds of an EXPRESS execution while it runs.
pub(crate) struct Running {
    /// Its place among those that run.
    _place: OwnedSemaphorePermit,
    /// None of a child of a map run, which leaves a row.
    history: Option<KeptHistory>,
}

impl Running {
    /// Of a child of a map run.
    pub fn child(place: OwnedSemaphorePermit) -> Box<Running> {
        Box::new(Running { _place: place, history: None })
    }
}

/// An EXPRESS execution that has started.
pub struct ExpressStarted {
    pub execution_arn: Arc<str>,
    pub name: Arc<str>,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    ending: Ending,
}

enum Ending {
    /// It needed nothing from outside.
    Known(Outcome),
    Awaited(Listener),
}

impl ExpressStarted {
    /// How it ended, when it has. `None` when it was lost: the engine has met a defect, which is in the log.
    pub async fn outcome(self) -> Option<Outcome> {
        match self.ending {
            Ending::Known(outcome) => Some(outcome),
            Ending::Awaited(mut listener) => listener.heard().await,
        }
    }
}

impl Engine {
    /// Starts an EXPRESS execution. When this returns it has run as far as it goes without the outside world; it goes on
    /// whether or not anybody waits for its end. Names need not be unique.
    pub async fn start_express(
        self: &Arc<Self>,
        request: StartExecution,
    ) -> Result<ExpressStarted, StartError> {
        let place = self.express.clone().try_acquire_owned().map_err(|_| StartError::TooMany)?;
        let Revision { machine_arn, revision_id, role_arn, definition } = request.revision;
        let revision = self.programs.get(&machine_arn, &revision_id, definition.as_deref()).await;
        let Runnable { program, logging, pace } = revision.map_err(DeliverError::from)?;
        let key = self.next_key().map_err(|error| DeliverError::from(LoadError::from(error)))?;
        let name = request.name.unwrap_or_else(|| self.entropy.uuid().into());
        let start_ms = self.clock.now_ms();
        let identity = Arc::new(self.express_identity(
            machine_arn,
            role_arn,
            name,
            request.input,
            start_ms,
            locator(key),
        ));
        let mut execution = Execution::new(program, identity.clone(), BehaviourFlags::CURRENT);
        let moment = Moment::new(&*self.clock);
        // EXPRESS has no activities.
        let first = self.first_step(key, &mut execution, &pace, &[], &moment);
        let mut drive = first.map_err(DeliverError::from)?;
        self.observe(&execution, logging.as_deref(), &drive.events);
        let started = |ending| ExpressStarted {
            execution_arn: identity.execution_arn.clone(),
            name: identity.execution_name.clone(),
            start_ms,
            ending,
        };
        let mut running = Box::new(Running { _place: place, history: Some(KeptHistory::default()) });
        self.keep_recent(&mut running, &execution, &drive.events);
        if let Some(outcome) = execution.outcome() {
            return Ok(started(Ending::Known(outcome.clone())));
        }
        let listener = self.endings.listen(key);
        let slot = self.hot.slot(key);
        // The slot is taken first, so that nothing can reach the execution before it is there.
        let mut home = slot.lock().await;
        self.act(key, &mut drive, &identity);
        *home = Some(Loaded {
            execution,
            identity: identity.clone(),
            pace,
            progress: Progress::default(),
            logging,
            express: Some(running),
        });
        drop(home);
        self.hot.release(key, slot);
        Ok(started(Ending::Awaited(listener)))
    }

    /// Keeps what has happened to an EXPRESS execution; when it has ended, for whoever wants to look into it later.
    pub(crate) fn keep_recent(&self, running: &mut Running, execution: &Execution, events: &[Event]) {
        let stop_ms = events.last().map(|event| event.timestamp_ms);
        let Some(history) = &mut running.history else { return };
        history.extend(events);
        let Some(outcome) = execution.outcome() else { return };
        let (identity, history) = (execution.identity(), std::mem::take(history));
        self.recent.push(RecentExpress {
            execution_arn: identity.execution_arn.clone(),
            machine_arn: identity.machine_arn.clone(),
            status: outcome.status(),
            start_ms: identity.start_ms,
            stop_ms: stop_ms.unwrap_or_else(|| self.clock.now_ms()),
            outcome: history.is_truncated().then(|| outcome.clone()),
            history,
        });
    }

    fn express_identity(
        &self,
        machine_arn: Arc<str>,
        role_arn: Arc<str>,
        name: Arc<str>,
        input: Document,
        start_ms: i64,
        locator: Arc<str>,
    ) -> Identity {
        let machine_name: Arc<str> = machine_arn.rsplit(':').next().unwrap_or_default().into();
        let run = self.entropy.uuid();
        let account = self.account_of(&machine_arn);
        Identity {
            execution_arn: account.express_execution(&machine_name, &name, &run).into(),
            execution_name: name,
            machine_arn,
            machine_name,
            role_arn,
            start_ms,
            input,
            kind: ExecutionKind::Express,
            account,
            locator,
        }
    }
}
