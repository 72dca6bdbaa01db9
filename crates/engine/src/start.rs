//! Starting executions.

use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, Effect, Execution};
use stepwright_store::{CommitError, Execution as Row, Listed, Mutation, Status};
use stepwright_value::Document;

use crate::compute::Moment;
use crate::deliver::{Loaded, outcome};
use crate::engine::{Engine, to_its_end};
use crate::error::{DeliverError, LoadError, StartError};
use crate::load::Progress;
use crate::programs::Runnable;
use crate::record::Head;
use crate::terms;

/// The revision of a state machine that an execution runs.
#[derive(Clone, Debug)]
pub struct Revision {
    pub machine_arn: Arc<str>,
    pub revision_id: Arc<str>,
    pub role_arn: Arc<str>,
    /// The definition, if the caller has it at hand; else it is read from the catalogue.
    pub definition: Option<Arc<str>>,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct StartExecution {
    pub revision: Revision,
    /// `None`: a UUID.
    pub name: Option<Arc<str>>,
    pub input: Document,
    pub trace_header: Option<Arc<str>>,
    pub version_arn: Option<Arc<str>>,
    pub alias_arn: Option<Arc<str>>,
    /// The task that starts it. A start that is repeated by the same one gives the execution that is there, whether or not
    /// that has ended.
    pub started_by: Option<StartedBy>,
}

/// A task that starts an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StartedBy {
    pub idempotency_token: Arc<str>,
    /// The ARN of the task's execution: the parent.
    pub execution_arn: Arc<str>,
}

/// An execution that has started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    pub name: Arc<str>,
    /// Milliseconds since 1970.
    pub start_ms: i64,
}

impl Engine {
    /// Starts an execution. Returns when its first events are durable; it has then run as far as it goes without the
    /// outside world. The name and the input of one that runs already give that one.
    pub async fn start(self: &Arc<Self>, request: StartExecution) -> Result<Started, StartError> {
        let engine = self.clone();
        to_its_end(async move { engine.start_now(request).await }).await
    }

    async fn start_now(self: &Arc<Self>, request: StartExecution) -> Result<Started, StartError> {
        let Revision { machine_arn, revision_id, role_arn, definition } = request.revision;
        let Runnable { program, logging, pace } = self
            .programs
            .get(&machine_arn, &revision_id, definition.as_deref())
            .await
            .map_err(DeliverError::from)?;
        let (started_by, parent_arn) =
            request.started_by.map(|task| (task.idempotency_token, task.execution_arn)).unzip();
        let head = Head {
            input: request.input.text().into(),
            revision_id,
            role_arn,
            trace_header: request.trace_header,
            version_arn: request.version_arn,
            alias_arn: request.alias_arn,
            started_by,
            parent_arn,
            processor: None,
            behaviour: Some(BehaviourFlags::CURRENT.number()),
        };
        let mut row = Row {
            key: self.next_key().map_err(|error| DeliverError::from(LoadError::from(error)))?,
            machine: machine_arn,
            name: request.name.unwrap_or_else(|| self.entropy.uuid().into()),
            status: Status::Running,
            start_ms: self.clock.now_ms(),
            stop_ms: None,
            head: head.encode(),
            tail: Vec::new(),
            listed: Listed {
                version: head.version_arn.clone(),
                alias: head.alias_arn.clone(),
                ..Listed::default()
            },
        };
        let mut identity = self.identity(&row, &head);
        identity.input = request.input;
        let identity = Arc::new(identity);
        let execution = Execution::new(program, identity.clone(), BehaviourFlags::CURRENT);
        self.start_loaded(
            Loaded { execution, identity, pace, progress: Progress::default(), logging, express: None },
            &mut row,
            head.parent_arn,
        )
        .await
    }

    async fn start_loaded(
        self: &Arc<Self>,
        mut loaded: Loaded,
        row: &mut Row,
        parent: Option<Arc<str>>,
    ) -> Result<Started, StartError> {
        let missing = self.programs.missing_activities(loaded.execution.program()).await;
        let missing = missing.map_err(|error| DeliverError::from(LoadError::from(error)))?;
        let moment = Moment::new(&*self.clock);
        let mut drive = self
            .first_step(row.key, &mut loaded.execution, &loaded.pace, &missing, &moment)
            .map_err(DeliverError::from)?;
        if let Some(ended) = loaded.execution.outcome() {
            let (status, tail) = outcome(ended, loaded.execution.history_len());
            (row.status, row.tail) = (status, tail.encode());
            row.stop_ms = drive.events.last().map(|event| event.timestamp_ms);
            drive.effects.retain(|effect| !matches!(effect, Effect::Finished(_)));
        }
        let key = row.key;
        let mut mutations = vec![Mutation::CreateExecution(row.clone())];
        mutations.extend(parent.map(|parent| terms::set(row.key, terms::PARENT, Some(&parent))));
        self.append_mutations(key, &mut loaded, &drive, &mut mutations);
        let started = Started { name: row.name.clone(), start_ms: row.start_ms };
        // The slot is taken before the commit, so that nothing can reach the execution before its effects are known here.
        if drive.is_done() {
            return match self.commit(mutations).await {
                Ok(()) => {
                    self.observe(&loaded.execution, loaded.logging.as_deref(), &drive.events);
                    Ok(started)
                }
                Err(error) => refused(error, &row.head),
            };
        }
        let slot = self.hot.slot(key);
        let mut guard = slot.lock().await;
        let result = self.commit(mutations).await;
        if result.is_ok() {
            self.observe(&loaded.execution, loaded.logging.as_deref(), &drive.events);
            self.act(key, &mut drive, &loaded.identity);
            *guard = Some(loaded);
        }
        drop(guard);
        self.hot.release(key, slot);
        match result {
            Ok(()) => Ok(started),
            Err(error) => refused(error, &row.head),
        }
    }
}

/// The answer to a start that was not committed. StartExecution is idempotent while the execution runs: the same name with the
/// same input gives the execution that is there. One that the same task has started before is there for it in any case.
fn refused(error: CommitError, head: &[u8]) -> Result<Started, StartError> {
    match error {
        CommitError::NameTaken(existing) => {
            let is_the_same = match (Head::decode(&existing.head), Head::decode(head)) {
                (Ok(theirs), Ok(ours)) => {
                    (ours.started_by.is_some() && ours.started_by == theirs.started_by)
                        || (existing.status == Status::Running && ours.input == theirs.input)
                }
                _ => false,
            };
            if is_the_same {
                Ok(Started { name: existing.name, start_ms: existing.start_ms })
            } else {
                Err(StartError::NameTaken(existing))
            }
        }
        error => Err(DeliverError::from(error).into()),
    }
}
