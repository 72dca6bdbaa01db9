//! Compiled programs, kept while they are in use.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use stepwright_asl::Format;
use stepwright_asl::program::Program;
use stepwright_store::{Pending, StoreError};

use crate::LoadError;
use crate::history_log::Logging;
use crate::steps::Pace;

/// Programs kept in memory. A program is a few times the size of its definition (1 MB at most, usually a few KB).
const PROGRAMS_MAX: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Where the definitions of state machines' revisions are kept.
pub trait Definitions: Send + Sync + 'static {
    /// The definition of a revision; `None` when there is no such revision.
    fn definition(
        &self,
        machine_arn: &str,
        revision_id: &str,
    ) -> Pending<'_, Result<Option<String>, StoreError>>;

    /// How executions of the revision are logged; `None` when they are not.
    fn logging(
        &self,
        _machine_arn: &str,
        _revision_id: &str,
    ) -> Pending<'_, Result<Option<Logging>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// What is known of a machine; `None` when there is none with this ARN.
    fn machine(&self, _machine_arn: &str) -> Pending<'_, Result<Option<MachineFacts>, StoreError>> {
        Box::pin(std::future::ready(Ok(Some(MachineFacts::default()))))
    }

    /// Whether there is an activity with this ARN.
    fn has_activity(&self, _activity_arn: &str) -> Pending<'_, Result<bool, StoreError>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// What is known of a state machine besides its revisions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MachineFacts {
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// It is on its way out, and somebody sees to that.
    pub is_deleting: bool,
    /// Keys and values.
    pub tags: Vec<(Arc<str>, Arc<str>)>,
}

/// A revision, ready to run.
#[derive(Clone)]
pub(crate) struct Runnable {
    pub program: Arc<Program>,
    pub logging: Option<Arc<Logging>>,
    pub pace: Arc<Pace>,
}

/// The compiled revisions of state machines.
pub(crate) struct Programs {
    definitions: Arc<dyn Definitions>,
    cache: Mutex<LruCache<Key, Runnable>>,
}

/// A machine's ARN and its revision.
type Key = (Arc<str>, Arc<str>);

impl Programs {
    pub fn new(definitions: Arc<dyn Definitions>) -> Programs {
        Programs { definitions, cache: Mutex::new(LruCache::new(PROGRAMS_MAX)) }
    }

    /// What is known of a machine now; `None` when there is none with this ARN.
    pub async fn machine(&self, machine_arn: &str) -> Result<Option<MachineFacts>, StoreError> {
        self.definitions.machine(machine_arn).await
    }

    /// Those of the program's activities that are not there now.
    pub async fn missing_activities(&self, program: &Program) -> Result<Vec<Arc<str>>, StoreError> {
        let mut missing = Vec::new();
        for activity_arn in &program.activities {
            if !self.definitions.has_activity(activity_arn).await? {
                missing.push(activity_arn.clone());
            }
        }
        Ok(missing)
    }

    /// A revision: from memory, or compiled from `definition`, or from where definitions are kept.
    pub async fn get(
        &self,
        machine_arn: &Arc<str>,
        revision_id: &Arc<str>,
        definition: Option<&str>,
    ) -> Result<Runnable, LoadError> {
        let key = (machine_arn.clone(), revision_id.clone());
        if let Some(runnable) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(runnable.clone());
        }
        let program = match definition {
            Some(definition) => compile(machine_arn, definition)?,
            None => {
                let found = self.definitions.definition(machine_arn, revision_id).await?;
                let definition = found.ok_or_else(|| LoadError::NoDefinition(machine_arn.clone()))?;
                compile(machine_arn, &definition)?
            }
        };
        let logging = self.definitions.logging(machine_arn, revision_id).await?.map(Arc::new);
        let runnable = Runnable { program, logging, pace: Arc::default() };
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put(key, runnable.clone());
        Ok(runnable)
    }
}

/// Definitions have been accepted before they come here: the API takes JSON only, and a local file may be YAML.
fn compile(machine_arn: &Arc<str>, definition: &str) -> Result<Arc<Program>, LoadError> {
    let lowered = stepwright_asl::lower_accepted(definition, Format::Detect);
    lowered.map_err(|diagnostic| LoadError::Definition(machine_arn.clone(), diagnostic.message.clone()))
}
