//! A run after a restart, or a redrive: what its children's rows say.

use std::sync::Arc;

use stepwright_machine::{ExecutionKind, Failure, Outcome, child_result};
use stepwright_store::{Execution as Row, ExecutionKey, ExecutionQuery, Listing, Status};
use stepwright_tasks::ItemResult;
use stepwright_value::Document;

use super::children::{Beginning, Ending, Family, News};
use super::driver::{Child, Driver, Keeping};
use super::marks::Marks;
use super::naming::{Span, span_of};
use super::record::RunLimits;
use super::{Counts, Live};
use crate::error::{DeliverError, LoadError};
use crate::record::{Head, Tail};
use crate::redrive::RedriveError;

/// Rows that are read at a time.
const PAGE: usize = 1_000;

impl Driver {
    /// Takes over the children that have rows: counts and marks them, hears of those that run, hands the sink the outputs
    /// of those that succeeded. `redrive_ms`: those that ended otherwise, and before then, are to run again.
    pub async fn adopt(&mut self, marks: &mut Marks, redrive_ms: Option<i64>) -> Result<(), DeliverError> {
        let (map_run_arn, limits, total) = {
            let record = self.run.record.lock().await;
            (record.map_run_arn.clone(), record.limits, record.items.total)
        };
        *self.run.live() = Live::of(limits, total);
        let of = Listing::MapRun { arn: map_run_arn, redriven: None };
        let mut query = ExecutionQuery { of, status: None, oldest_first: false, after: None, limit: PAGE };
        loop {
            let page = self.engine.store.executions(query.clone()).await.map_err(LoadError::from)?;
            for row in page.items {
                query.after = Some((row.start_ms, row.key));
                let Some(span) = span_of(&row.name) else { continue };
                marks.mark(span);
                self.run.live().executions.total += 1;
                self.adopt_row(row, span, redrive_ms).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn adopt_row(&mut self, row: Row, span: Span, redrive_ms: Option<i64>) -> Result<(), DeliverError> {
        let ended_before = |redrive_ms: i64| row.stop_ms.is_none_or(|stop_ms| stop_ms <= redrive_ms);
        match row.status {
            Status::Running => self.adopt_running(row.key, span).await,
            Status::Succeeded => {
                self.run.live().is(span, Status::Succeeded);
                self.put_result_of(row.key, span).await
            }
            _ if redrive_ms.is_some_and(ended_before) => {
                self.run.live().is(span, Status::PendingRedrive);
                self.again.push_back((row.key, span));
                Ok(())
            }
            status => {
                self.run.live().is(span, status);
                self.put_result_of(row.key, span).await
            }
        }
    }

    /// A child that runs. It may end at any moment: its end is listened for first, and then looked for.
    async fn adopt_running(&mut self, key: ExecutionKey, span: Span) -> Result<(), DeliverError> {
        self.run.live().is(span, Status::Running);
        let child = Child { span, keeping: Keeping::Own, is_begun: true, is_stopping: false };
        self.children.insert(key, child);
        self.engine.endings.forward(key, self.news.clone());
        if let Some(ending) = self.engine.ending_of(key).await? {
            self.ended(key, ending).await;
        }
        Ok(())
    }

    /// Hands the sink what a child gave that ended before.
    async fn put_result_of(&mut self, key: ExecutionKey, span: Span) -> Result<(), DeliverError> {
        if self.sink.as_ref().is_some_and(|sink| sink.wants_outputs()) {
            let ending = self.engine.ending_of(key).await?.unwrap_or_else(Ending::lost);
            let output = Some(child_result(&ending.into_outcome()));
            self.put(ItemResult { index: span.first, output }).await;
        }
        Ok(())
    }

    /// Takes the record as it is stored, and notes in it that the run has been redriven when that is new; says since when it is.
    pub async fn bring_up_to_date(&mut self, count: u32) -> Result<Option<i64>, DeliverError> {
        let mut record = self.run.record.lock().await;
        let stored = self.engine.map_run_record(self.run.key).await?;
        let mut current = stored.ok_or(DeliverError::NotFound)?;
        if count > current.redrive_count {
            current.status = Status::Running;
            current.stop_ms = None;
            current.failing = None;
            current.redrive_count = count;
            current.redrive_ms = Some(self.engine.clock.now_ms());
            self.engine.commit(vec![current.mutation(self.run.key)]).await?;
        }
        self.failing = current.failing.clone();
        let redrive_ms = current.redrive_ms;
        *record = current;
        Ok(redrive_ms)
    }

    /// Begins children that did not succeed before the redrive.
    pub async fn begin_again(&mut self, room: usize, family: &Arc<Family>) -> Result<bool, DeliverError> {
        let count = room.min(self.again.len());
        let next: Vec<(ExecutionKey, Span)> = self.again.drain(..count).collect();
        let mut group = Vec::new();
        for (key, span) in next {
            self.run.live().begins_again(span);
            if family.work.kind == ExecutionKind::Standard {
                self.begin_standard_again(key, span);
                continue;
            }
            let row = self.engine.store.execution(key).await.map_err(LoadError::from)?;
            let row = row.ok_or(DeliverError::NotFound)?;
            let head = Head::decode(&row.head).map_err(LoadError::from)?;
            let input = Document::from_stored_text(&*head.input);
            let identity = family.identity(&self.engine, key, span, input, row.start_ms);
            self.add(key, span, &identity, true);
            group.push(Beginning { key, identity, is_again: true });
        }
        self.begin(group, family);
        Ok(true)
    }

    /// A STANDARD child goes on where it failed.
    fn begin_standard_again(&mut self, key: ExecutionKey, span: Span) {
        let child = Child { span, keeping: Keeping::Own, is_begun: true, is_stopping: false };
        self.children.insert(key, child);
        let (engine, news) = (self.engine.clone(), self.news.clone());
        engine.endings.forward(key, news.clone());
        tokio::spawn(async move {
            let told = match engine.redrive(key, None).await {
                Ok(_) => return,
                // It stays as it is.
                Err(RedriveError::Refused(_)) => match engine.ending_of(key).await {
                    Ok(ending) => News::Ended(key, ending.map(Ending::into_outcome)),
                    Err(error) => News::Broken(error),
                },
                Err(RedriveError::Deliver(error)) => News::Broken(error),
            };
            let _ = news.send(told);
        });
    }
}

impl Live {
    fn of(limits: RunLimits, total: u64) -> Live {
        Live { limits, items: Counts { total, ..Counts::default() }, executions: Counts::default() }
    }
}

impl crate::Engine {
    /// How the execution ended, when it has.
    pub(crate) async fn ending_of(&self, key: ExecutionKey) -> Result<Option<Ending>, DeliverError> {
        let row = self.store.execution(key).await.map_err(LoadError::from)?;
        let Some(row) = row.filter(|row| row.status != Status::Running) else { return Ok(None) };
        let tail = Tail::decode(&row.tail).map_err(LoadError::from)?;
        let output = tail.output.map(|output| Document::from_stored_text(&*output));
        let failure = Arc::new(Failure { error: tail.error, cause: tail.cause });
        Ok(Some(Ending { status: row.status, output, failure }))
    }
}

impl Ending {
    /// The end as whoever listens for ends hears it.
    pub fn into_outcome(self) -> Outcome {
        match (self.status, self.output) {
            (Status::Succeeded, Some(output)) => Outcome::Succeeded { output },
            (Status::TimedOut, _) => Outcome::TimedOut(self.failure),
            (Status::Aborted, _) => Outcome::Aborted(self.failure),
            _ => Outcome::Failed(self.failure),
        }
    }
}
