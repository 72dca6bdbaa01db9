//! The executions of a state machine that is being deleted: they are aborted, in the background and in small batches.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use stepwright_engine::{DeliverError, Engine};
use stepwright_store::{ExecutionQuery, Listing, Status};

/// Executions that are looked up at a time.
const BATCH: usize = 100;

/// State machines whose executions are being aborted by this process.
#[derive(Clone, Default)]
pub(super) struct Deletions(Arc<Mutex<HashSet<Arc<str>>>>);

impl Deletions {
    /// Aborts all executions that run. Returns at once; asked again meanwhile, it does nothing.
    pub(super) fn begin(&self, engine: &Arc<Engine>, machine_arn: &str) {
        let machine_arn: Arc<str> = machine_arn.into();
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(machine_arn.clone()) {
            return;
        }
        let (engine, under_way) = (engine.clone(), self.0.clone());
        tokio::spawn(async move {
            abort_all(&engine, &machine_arn).await;
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&machine_arn);
        });
    }
}

async fn abort_all(engine: &Arc<Engine>, machine_arn: &Arc<str>) {
    loop {
        let query = ExecutionQuery {
            of: Listing::Machine(machine_arn.clone()),
            status: Some(Status::Running),
            after: None,
            limit: BATCH,
        };
        let Ok(page) = engine.list(query).await else { return };
        if page.items.is_empty() {
            return;
        }
        for execution in page.items {
            match engine.stop(execution.key, None, None).await {
                // One that has just ended by itself is as good.
                Ok(_) | Err(DeliverError::Refused) => {}
                Err(error) => {
                    tracing::warn!(%error, name = %execution.name, "an execution could not be aborted");
                    return;
                }
            }
        }
    }
}
