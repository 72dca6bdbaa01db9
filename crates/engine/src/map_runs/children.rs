//! Children of a run: begun in groups, each group one unit of the store.

use std::sync::Arc;

use stepwright_machine::{Effect, Execution, ExecutionKind, Failure, Identity, MapRun, Outcome};
use stepwright_store::{Execution as Row, ExecutionKey, Listed, Mutation, Status};
use stepwright_value::Document;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::naming::{Span, child_name, span_of};
use crate::compute::Moment;
use crate::deliver::{Drive, Loaded, locator, outcome};
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};
use crate::express::Running;
use crate::history_log::Logging;
use crate::hot::Slot;
use crate::load::Progress;
use crate::record::{Head, Processor};
use crate::steps::Pace;
use crate::terms;

/// What a run's driver is told.
pub(crate) enum News {
    /// A group has begun, and that is durable. Those of its children that needed nothing from outside have ended.
    Begun(Vec<(ExecutionKey, Option<Ending>)>),
    /// A child has ended; `None` when nobody will say how. Of an EXPRESS child that is not durable yet.
    Ended(ExecutionKey, Option<Outcome>),
    /// The ends of EXPRESS children are durable.
    Kept(Vec<(ExecutionKey, Ending)>),
    /// Something could not be made durable, or contradicts itself: the driver gives up.
    Broken(DeliverError),
}

/// How a child ended, as its row says it.
pub(crate) struct Ending {
    pub status: Status,
    pub output: Option<Document>,
    /// Of one that did not succeed.
    pub failure: Arc<Failure>,
}

impl Ending {
    pub fn of(ended: &Outcome) -> Ending {
        let (status, output, failure) = match ended {
            Outcome::Succeeded { output } => (Status::Succeeded, Some(output), None),
            Outcome::Failed(failure) => (Status::Failed, None, Some(failure)),
            Outcome::TimedOut(failure) => (Status::TimedOut, None, Some(failure)),
            Outcome::Aborted(failure) => (Status::Aborted, None, Some(failure)),
        };
        Ending { status, output: output.cloned(), failure: failure.cloned().unwrap_or_default() }
    }

    /// One whose end nobody saw.
    pub fn lost() -> Ending {
        Ending { status: Status::Failed, output: None, failure: Arc::default() }
    }
}

/// A child to begin.
pub(crate) struct Beginning {
    pub key: ExecutionKey,
    pub identity: Arc<Identity>,
    /// Its row is there: a redrive begins it anew.
    pub is_again: bool,
}

/// What all children of a run have in common.
pub(crate) struct Family {
    pub work: Arc<MapRun>,
    pub revision_id: Arc<str>,
    pub logging: Option<Arc<Logging>>,
    pub pace: Arc<Pace>,
    pub news: mpsc::UnboundedSender<News>,
}

impl Family {
    /// Who the child for `span` is.
    pub fn identity(
        &self,
        engine: &Engine,
        key: ExecutionKey,
        span: Span,
        input: Document,
        start_ms: i64,
    ) -> Arc<Identity> {
        let map_run_arn = &self.work.started.map_run_arn;
        let name = child_name(map_run_arn, span);
        let role_arn = self.work.parent().role_arn.clone();
        let kind = self.work.kind;
        Arc::new(engine.child_identity(map_run_arn, kind, name.into(), role_arn, start_ms, input, key))
    }

    fn execution(&self, identity: Arc<Identity>) -> Option<Execution> {
        let program = self.work.program().clone();
        Execution::child(program, identity, self.work.flags, self.work.processor)
    }

    fn head(&self, identity: &Identity) -> Vec<u8> {
        let head = Head {
            input: identity.input.text().into(),
            revision_id: self.revision_id.clone(),
            role_arn: identity.role_arn.clone(),
            processor: Some(Processor { flow: self.work.processor.0, kind: self.work.kind }),
            behaviour: Some(self.work.flags.number()),
            ..Head::default()
        };
        head.encode()
    }

    /// The row of a child as it is after its first steps, or at its end.
    fn row(&self, key: ExecutionKey, identity: &Identity) -> Row {
        Row {
            key,
            machine: identity.machine_arn.clone(),
            name: identity.execution_name.clone(),
            status: Status::Running,
            start_ms: identity.start_ms,
            stop_ms: None,
            head: self.head(identity),
            tail: Vec::new(),
            listed: Listed {
                map_run: Some(self.work.started.map_run_arn.clone()),
                item_count: span_of(&identity.execution_name).map(|span| span.count),
                ..Listed::default()
            },
        }
    }

    /// What makes the end of an EXPRESS child durable.
    fn kept(
        &self,
        key: ExecutionKey,
        identity: &Identity,
        ended: &Outcome,
        is_again: bool,
        now_ms: i64,
    ) -> Vec<Mutation> {
        let (status, tail) = outcome(ended, 0);
        let (stop_ms, tail) = (Some(now_ms.max(identity.start_ms)), tail.encode());
        let mut mutations = match is_again {
            true => vec![
                Mutation::SetStatus { key, status, stop_ms, tail },
                Mutation::CountRedrive { key, at_ms: now_ms },
            ],
            false => {
                vec![Mutation::CreateExecution(Row { status, stop_ms, tail, ..self.row(key, identity) })]
            }
        };
        mutations.extend(terms::of_end(key, ended, is_again));
        mutations
    }
}

/// A child that has taken its first steps.
struct Driven {
    key: ExecutionKey,
    loaded: Loaded,
    drive: Drive,
    is_again: bool,
}

/// A child that goes on, in its place before anything can reach it.
struct Placed {
    slot: Slot,
    guard: OwnedMutexGuard<Option<Loaded>>,
    driven: Driven,
}

impl Engine {
    /// Begins a group: drives its children as far as they go, commits, and acts. Tells the run's driver.
    pub(crate) async fn begin_group(self: Arc<Self>, family: Arc<Family>, group: Vec<Beginning>) {
        let news = match self.try_begin_group(&family, group).await {
            Ok(begun) => News::Begun(begun),
            Err(error) => News::Broken(error),
        };
        // A driver that has gone has given up.
        let _ = family.news.send(news);
    }

    async fn try_begin_group(
        self: &Arc<Self>,
        family: &Family,
        group: Vec<Beginning>,
    ) -> Result<Vec<(ExecutionKey, Option<Ending>)>, DeliverError> {
        let (mut begun, mut mutations) = (Vec::with_capacity(group.len()), Vec::new());
        let (mut ended, mut placed) = (Vec::new(), Vec::new());
        let missing = self.programs.missing_activities(family.work.program()).await;
        let missing = missing.map_err(LoadError::from)?;
        // All of them together take no more than a moment here.
        let moment = Moment::new(&*self.clock);
        for beginning in group {
            let mut driven = self.first_steps(family, beginning, &missing, &moment)?;
            let key = driven.key;
            let ending = driven.loaded.execution.outcome().map(Ending::of);
            self.begin_mutations(family, &mut driven, &mut mutations);
            if ending.is_some() {
                ended.push(driven);
            } else {
                self.endings.forward(key, family.news.clone());
                let slot = self.hot.slot(key);
                let guard = slot.clone().lock_owned().await;
                placed.push(Placed { slot, guard, driven });
            }
            begun.push((key, ending));
        }
        if family.work.kind == ExecutionKind::Express {
            let executions = placed.iter().map(|placed| &placed.driven.loaded.execution);
            let running = Running::children(&self.express, self.express_bytes_max, executions).await;
            for (Placed { driven, .. }, running) in placed.iter_mut().zip(running) {
                driven.loaded.express = Some(running);
            }
        }
        let committed = if mutations.is_empty() { Ok(()) } else { self.commit(mutations).await };
        if committed.is_ok() {
            for Driven { key, loaded, mut drive, .. } in ended {
                self.observe(&loaded.execution, loaded.logging.as_deref(), &drive.events);
                self.act(key, &mut drive, &loaded.identity);
            }
        }
        for Placed { slot, mut guard, driven: Driven { key, loaded, mut drive, .. } } in placed {
            if committed.is_ok() {
                self.observe(&loaded.execution, loaded.logging.as_deref(), &drive.events);
                self.act(key, &mut drive, &loaded.identity);
                *guard = Some(loaded);
            }
            drop(guard);
            self.hot.release(key, slot);
        }
        committed?;
        Ok(begun)
    }

    fn first_steps(
        &self,
        family: &Family,
        beginning: Beginning,
        missing_activities: &[Arc<str>],
        moment: &Moment<'_>,
    ) -> Result<Driven, DeliverError> {
        let Beginning { key, identity, is_again } = beginning;
        let no_flow = || LoadError::NoDefinition(identity.machine_arn.clone());
        let mut execution = family.execution(identity.clone()).ok_or_else(no_flow)?;
        let drive = self.first_step(key, &mut execution, &family.pace, missing_activities, moment)?;
        let (logging, pace) = (family.logging.clone(), family.pace.clone());
        let progress = Progress::default();
        let loaded = Loaded { execution, identity, pace, progress, logging, express: None };
        Ok(Driven { key, loaded, drive, is_again })
    }

    /// What a child that has taken its first steps changes in the store.
    fn begin_mutations(&self, family: &Family, driven: &mut Driven, mutations: &mut Vec<Mutation>) {
        let Driven { key, loaded, drive, is_again } = driven;
        let ended = loaded.execution.outcome();
        if family.work.kind == ExecutionKind::Express {
            let now_ms = self.clock.now_ms();
            if let Some(ended) = ended {
                mutations.extend(family.kept(*key, &loaded.identity, ended, *is_again, now_ms));
            }
            drive.effects.retain(|effect| !matches!(effect, Effect::Finished(_)));
            return;
        }
        let mut row = family.row(*key, &loaded.identity);
        if let Some(ended) = ended {
            let (status, tail) = outcome(ended, loaded.execution.history_len());
            (row.status, row.tail) = (status, tail.encode());
            row.stop_ms = drive.events.last().map(|event| event.timestamp_ms);
            drive.effects.retain(|effect| !matches!(effect, Effect::Finished(_)));
        }
        mutations.push(Mutation::CreateExecution(row));
        self.append_mutations(*key, loaded, drive, mutations);
    }

    /// Makes the ends of EXPRESS children durable, and tells the run's driver.
    pub(crate) async fn keep_group(
        self: Arc<Self>,
        family: Arc<Family>,
        group: Vec<(ExecutionKey, Arc<Identity>, bool, Option<Outcome>)>,
    ) {
        let now_ms = self.clock.now_ms();
        let mut kept = Vec::with_capacity(group.len());
        let mut mutations = Vec::with_capacity(group.len());
        for (key, identity, is_again, ended) in group {
            let ended = ended.unwrap_or_else(|| Outcome::Failed(Arc::default()));
            mutations.extend(family.kept(key, &identity, &ended, is_again, now_ms));
            kept.push((key, Ending::of(&ended)));
        }
        let news = match self.commit(mutations).await {
            Ok(()) => News::Kept(kept),
            Err(error) => News::Broken(error.into()),
        };
        let _ = family.news.send(news);
    }

    /// Who a child of a run is.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the identity")]
    pub(crate) fn child_identity(
        &self,
        map_run_arn: &str,
        kind: ExecutionKind,
        name: Arc<str>,
        role_arn: Arc<str>,
        start_ms: i64,
        input: Document,
        key: ExecutionKey,
    ) -> Identity {
        let parts = stepwright_types::arn::MapRunArn::parse(map_run_arn);
        let (labelled, run) = parts.map_or((map_run_arn, ""), |parts| (parts.labelled, parts.run));
        let account = self.account_of(map_run_arn);
        let execution_arn = match kind {
            ExecutionKind::Standard => account.execution(labelled, &name),
            ExecutionKind::Express => account.express_execution(labelled, &name, run),
        };
        Identity {
            execution_arn: execution_arn.into(),
            execution_name: name,
            machine_arn: account.state_machine(labelled).into(),
            machine_name: labelled.into(),
            role_arn,
            start_ms,
            input,
            kind,
            account,
            locator: locator(key),
        }
    }
}
