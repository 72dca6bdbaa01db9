//! Jobs: executions that tasks with `.sync` start, in the same engine. As the service itself is a task target, without its API.

use std::sync::{Arc, Weak};

use stepwright_engine::{DeliverError, Engine, Revision, StartExecution, StartedBy};
use stepwright_store::{ExecutionKey, Status};
use stepwright_tasks::{Call, CancellationSignal, Failure, Success};
use stepwright_value::{Document, Value};
use tokio::sync::watch;

use crate::clock::SimulatedClock;
use crate::disk::Disk;
use crate::machines;
use crate::simulation::world::{Name, World};

/// Starts, awaits and stops children.
pub struct Jobs {
    world: Arc<World>,
    clock: Arc<SimulatedClock>,
    disk: Arc<Disk>,
    engine: watch::Sender<Option<Weak<Engine>>>,
}

impl Jobs {
    /// Not connected: calls wait.
    pub fn new(world: Arc<World>, clock: Arc<SimulatedClock>, disk: Arc<Disk>) -> Jobs {
        Jobs { world, clock, disk, engine: watch::Sender::new(None) }
    }

    pub fn connect(&self, engine: &Arc<Engine>) {
        self.engine.send_replace(Some(Arc::downgrade(engine)));
    }

    async fn engine(&self) -> Result<Arc<Engine>, Failure> {
        let mut engine = self.engine.subscribe();
        let engine =
            engine.wait_for(Option::is_some).await.ok().and_then(|engine| engine.as_ref()?.upgrade());
        engine.ok_or_else(|| Failure::new("Gone", "the process has ended"))
    }

    pub async fn start(&self, call: Call) -> Result<Success, Failure> {
        let engine = self.engine().await?;
        let (machine_arn, name) = child_of(&call);
        let input = call.parameters.value().get("Input").cloned().unwrap_or(Value::Null);
        let started = engine.start(StartExecution {
            revision: Revision {
                machine_arn,
                revision_id: "1".into(),
                role_arn: "arn:aws:iam::111111111111:role/r".into(),
                definition: None,
            },
            name: Some(name),
            input: input.into(),
            trace_header: None,
            version_arn: None,
            alias_arn: None,
            started_by: Some(StartedBy {
                idempotency_token: call.idempotency_token.as_str().into(),
                execution_arn: call.execution_arn.as_str().into(),
            }),
        });
        match started.await {
            Ok(started) => Ok(Success { output: answer_of(&started.name) }),
            Err(error) => {
                if !self.disk.store().is_lost() {
                    self.world.violated(format!("a child was not started: {error}"));
                }
                Err(failure(&error))
            }
        }
    }

    pub async fn await_end(
        &self,
        call: Call,
        submitted: Document,
        mut cancel: CancellationSignal,
    ) -> Result<Success, Failure> {
        let engine = self.engine().await?;
        let (machine, name) = child_of(&call);
        if submitted.text() != answer_of(&name).text() {
            self.world.violated(format!("a job was submitted as {submitted}"));
        }
        let key = self.key(&engine, &(machine, name)).await?.ok_or_else(|| {
            self.world.violated("a child that was started is not there");
            Failure::new("Gone", "the child is not there")
        })?;
        loop {
            tokio::select! {
                ended = engine.ended(key) => ended.map_err(|error| failure(&error))?,
                () = cancel.cancelled() => return Err(Failure::new("Cancelled", "nobody reads this")),
            };
            let found = engine.describe(key).await.map_err(|error| failure(&error))?;
            return match found.map(|found| (found.row.status, found.tail.output)) {
                // It was redriven a moment ago.
                Some((Status::Running, _)) => continue,
                Some((Status::Succeeded, Some(output))) => {
                    Ok(Success { output: Document::from_stored_text(&*output) })
                }
                _ => Err(Failure::new("States.TaskFailed", "the child did not succeed")),
            };
        }
    }

    pub async fn stop(&self, call: Call, submitted: Option<Document>) -> Result<(), Failure> {
        let engine = self.engine().await?;
        let child = child_of(&call);
        self.world.note(
            stepwright_engine::Clock::now_ms(&*self.clock),
            format_args!("stop the child {} of {}: {submitted:?}", child.1, call.execution_arn),
        );
        let Some(key) = self.key(&engine, &child).await? else {
            if submitted.is_some() {
                self.world.violated("a child that was started is not there");
            }
            return Ok(());
        };
        self.world.lock().executions.entry(child).or_default().may_be_stopped = true;
        match engine.stop(key, Some("Stopped".into()), None).await {
            Ok(_) | Err(DeliverError::Refused) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn key(&self, engine: &Engine, child: &Name) -> Result<Option<ExecutionKey>, Failure> {
        let found = engine.find(&child.0, &child.1).await.map_err(|error| failure(&error))?;
        Ok(found.map(|found| found.row.key))
    }
}

/// What the call answers that starts a child.
fn answer_of(name: &str) -> Document {
    Document::from_stored_text(format!(r#"{{"job":"{name}"}}"#))
}

/// The machine and the name of the child that a call starts.
fn child_of(call: &Call) -> Name {
    let name = call.idempotency_token.get(..32).unwrap_or_default();
    (machines::child().arn().into(), name.into())
}

fn failure(error: &impl std::fmt::Display) -> Failure {
    Failure::new("Lost", error.to_string())
}
