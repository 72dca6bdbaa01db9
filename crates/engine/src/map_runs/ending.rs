//! The end of a run: well, by failure, or because nobody waits for it any more.

use std::sync::Arc;

use stepwright_machine::{Failure, Input, RunId};
use stepwright_store::{ExecutionKey, Mutation, Status};
use stepwright_types::error_name;
use stepwright_value::Document;

use super::children::{Family, News};
use super::driver::{Driver, Work, failed};
use super::record::RunRecord;
use crate::engine::Engine;
use crate::error::DeliverError;

impl Driver {
    /// All children have ended.
    pub async fn succeed(&mut self) -> Result<(), DeliverError> {
        let result = match &mut self.sink {
            Some(sink) => sink.finish().await.map_err(failed),
            None => Err(Failure::new(error_name::RUNTIME, "The results of the map run are gone.")),
        };
        self.conclude(result).await
    }

    /// The run has failed: its children are stopped, and then the execution hears of it. That it fails is durable first, so
    /// that children which were stopped for it are not taken for something else after a crash.
    pub async fn fail(&mut self, failure: Failure, work: &Work) -> Result<(), DeliverError> {
        if !self.is_idle() {
            let mut record = self.run.record.lock().await;
            let failing = RunRecord { failing: Some(failure.clone()), ..record.clone() };
            self.engine.commit(vec![failing.mutation(self.run.key)]).await?;
            *record = failing;
        }
        self.stop_children(Some(&work.family)).await?;
        self.conclude(Err(failure)).await
    }

    /// Stops all children, and waits for their ends.
    pub async fn stop_children(&mut self, family: Option<&Arc<Family>>) -> Result<(), DeliverError> {
        loop {
            if let Some(family) = family {
                self.keep(family);
            }
            self.report();
            if self.is_idle() {
                return Ok(());
            }
            for (key, child) in &mut self.children {
                if child.is_begun && !child.is_stopping {
                    child.is_stopping = true;
                    tokio::spawn(stop_child(self.engine.clone(), *key, self.news.clone()));
                }
            }
            self.hear().await?;
        }
    }

    /// Tells the execution how the run ended: one unit with the record. When it does not wait any more, the run is aborted.
    async fn conclude(&mut self, result: Result<Document, Failure>) -> Result<(), DeliverError> {
        let status = if result.is_ok() { Status::Succeeded } else { Status::Failed };
        let run = RunId(self.run.key.run);
        let input = Input::MapRunFinished { run, result };
        let delivered = {
            let mut record = self.run.record.lock().await;
            let last = self.last(&record, status);
            let also = self.last_mutations(&last);
            let waits =
                |execution: &stepwright_machine::Execution| execution.map_run(run).is_some().then_some(input);
            let delivered = self.engine.deliver(self.run.key.parent, waits, also, |_, _| ()).await;
            if delivered.is_ok() {
                *record = last;
            }
            delivered
        };
        self.report();
        match delivered {
            Ok(()) => Ok(()),
            Err(DeliverError::Refused | DeliverError::NotFound) => self.abort().await,
            Err(error) => Err(error),
        }
    }

    /// The execution does not wait for the run: it ends as aborted, unless a redrive has come meanwhile.
    pub async fn abort(&mut self) -> Result<(), DeliverError> {
        self.stop_children(None).await?;
        let run = RunId(self.run.key.run);
        let mut record = self.run.record.lock().await;
        let last = self.last(&record, Status::Aborted);
        let also = self.last_mutations(&last);
        let gone = |execution: &stepwright_machine::Execution| {
            execution.map_run(run).is_none().then_some(Input::Continue)
        };
        let delivered = self.engine.deliver(self.run.key.parent, gone, also.clone(), |_, _| ()).await;
        match delivered {
            Ok(()) => {}
            // It waits again: the effect that says so is here, or on its way.
            Err(DeliverError::Refused) => {
                drop(record);
                return self.wait_for_redrive().await;
            }
            Err(DeliverError::NotFound) => self.engine.commit(also).await?,
            Err(error) => return Err(error),
        }
        *record = last;
        Ok(())
    }

    async fn wait_for_redrive(&self) -> Result<(), DeliverError> {
        loop {
            if self.run.has_again() || self.engine.failure_reason().is_some() {
                return Ok(());
            }
            self.run.changed.notified().await;
        }
    }

    fn last(&self, record: &RunRecord, status: Status) -> RunRecord {
        let live = *self.run.live();
        RunRecord {
            status,
            stop_ms: Some(self.engine.clock.now_ms().max(record.start_ms)),
            failing: None,
            items: live.items,
            executions: live.executions,
            ..record.clone()
        }
    }

    fn last_mutations(&self, last: &RunRecord) -> Vec<Mutation> {
        vec![last.mutation(self.run.key), Mutation::Answered(self.run.key.dispatch())]
    }
}

/// Stops a child; one that has ended meanwhile is told once more.
async fn stop_child(engine: Arc<Engine>, key: ExecutionKey, news: tokio::sync::mpsc::UnboundedSender<News>) {
    let told = match engine.stop(key, None, None).await {
        Ok(_) => return,
        Err(DeliverError::Refused | DeliverError::NotFound) => match engine.ending_of(key).await {
            Ok(Some(ending)) => News::Ended(key, Some(ending.into_outcome())),
            // An EXPRESS child whose end is being told.
            Ok(None) => return,
            Err(error) => News::Broken(error),
        },
        Err(error) => News::Broken(error),
    };
    // A driver that has gone has given up.
    let _ = news.send(told);
}
