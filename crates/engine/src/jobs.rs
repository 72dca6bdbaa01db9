//! Jobs whose end nobody waits for any more: what a task with `.sync` has started is stopped when its execution is stopped,
//! times out or fails elsewhere, and when the task itself times out.
//!
//! The dispatch of such a task stays in the store until its job has been stopped. A crash in between loses nothing: the next
//! start finds a dispatch without an open task, learns from the history what was called, and stops the job.

use std::sync::Arc;

use stepwright_machine::{Identity, TaskCall, TaskId};
use stepwright_store::{Dispatch, ExecutionKey, Mutation};
use stepwright_tasks::Success;

use crate::deliver::Loaded;
use crate::engine::Engine;
use crate::error::{DeliverError, LoadError};

impl Engine {
    /// Stops the job, and forgets its dispatch. `started` is what the call answered that was under way.
    pub(crate) async fn stop_job(
        self: &Arc<Self>,
        key: ExecutionKey,
        mut job: TaskCall,
        identity: &Identity,
        started: Option<Success>,
    ) {
        let task = job.task;
        let submitted = job.submitted.take().or(started.map(|started| started.output));
        let call = self.call(job, identity);
        let resource = call.resource.to_string();
        match self.targets.stop_job(call, submitted).await {
            // A commit that fails ends the engine; the next start tries again.
            Ok(()) => drop(self.commit(vec![Mutation::Answered(Dispatch { key, task: task.0 })]).await),
            Err(failure) => {
                tracing::warn!(execution = ?key, resource, ?failure, "a job could not be stopped; the next start tries again");
            }
        }
    }

    /// Of dispatches without an open task: stops the jobs that they have started, in the background, and returns those that
    /// have none.
    pub(crate) async fn stop_abandoned(
        self: &Arc<Self>,
        key: ExecutionKey,
        loaded: &Loaded,
        dispatches: Vec<Dispatch>,
    ) -> Result<Vec<Dispatch>, DeliverError> {
        let mut others = Vec::new();
        for dispatch in dispatches {
            let Some(job) = self.abandoned_job(key, loaded, TaskId(dispatch.task)).await? else {
                others.push(dispatch);
                continue;
            };
            let (engine, identity) = (self.clone(), loaded.identity.clone());
            tokio::spawn(async move { engine.stop_job(key, job, &identity, None).await });
        }
        Ok(others)
    }

    /// What a task called whose job is still to be stopped, by replaying the history up to the task's end.
    async fn abandoned_job(
        &self,
        key: ExecutionKey,
        loaded: &Loaded,
        task: TaskId,
    ) -> Result<Option<TaskCall>, DeliverError> {
        let mut execution = loaded.execution.unstarted();
        let mut sections = self.sections(key, 1, false);
        let mut job = None;
        while let Some(section) = sections.next().await? {
            for event in &section.events {
                execution.evolve(event).map_err(|error| {
                    LoadError::History(loaded.identity.execution_arn.clone(), error.to_string())
                })?;
                job = execution.job(task).or(job);
            }
        }
        Ok(job)
    }
}
