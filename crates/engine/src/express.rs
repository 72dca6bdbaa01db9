//! EXPRESS executions: in memory alone, driven by the same code as all others. Nothing of them is stored; they end with the
//! process, and at the latest after five minutes (the interpreter's timer).

use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, Execution, ExecutionKind, Identity, Input, Outcome};
use stepwright_value::Document;

use crate::deliver::{Loaded, locator};
use crate::endings::Listener;
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError, StartError};
use crate::start::{Revision, StartExecution};

/// EXPRESS executions that may run at a time.
pub(crate) const EXPRESS_MAX: usize = 100_000;

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
        let program = self.programs.get(&machine_arn, &revision_id, definition.as_deref()).await;
        let program = program.map_err(DeliverError::from)?;
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
        let mut execution = Execution::new(program, identity.clone(), BehaviourFlags::default());
        let drive = self.drive(key, &mut execution, Input::Start).map_err(DeliverError::from)?;
        self.observe(&execution, &drive.events);
        let started = |ending| ExpressStarted {
            execution_arn: identity.execution_arn.clone(),
            name: identity.execution_name.clone(),
            start_ms,
            ending,
        };
        if let Some(outcome) = execution.outcome() {
            return Ok(started(Ending::Known(outcome.clone())));
        }
        let listener = self.endings.listen(key);
        let slot = self.hot.slot(key);
        // The slot is taken first, so that nothing can reach the execution before it is there.
        let mut home = slot.lock().await;
        self.perform(key, drive.effects, &identity);
        *home = Some(Loaded {
            execution,
            identity: identity.clone(),
            segments: 0,
            history_bytes: 0,
            express: Some(place),
        });
        drop(home);
        self.hot.release(key, slot);
        Ok(started(Ending::Awaited(listener)))
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
        Identity {
            execution_arn: self.account.express_execution(&machine_name, &name, &run).into(),
            execution_name: name,
            machine_arn,
            machine_name,
            role_arn,
            start_ms,
            input,
            kind: ExecutionKind::Express,
            account: self.account.clone(),
            locator,
        }
    }
}
