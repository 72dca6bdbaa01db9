//! Compiled programs, kept while they are in use.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use stepwright_asl::program::Program;
use stepwright_store::{CatalogKind, Store};

use crate::LoadError;

/// Programs kept in memory. A program is a few times the size of its definition (1 MB at most, usually a few KB).
const PROGRAMS_MAX: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// The compiled revisions of state machines, by [`revision_key`].
pub(crate) struct Programs {
    cache: Mutex<LruCache<Arc<str>, Arc<Program>>>,
}

/// The catalogue key under which a revision's definition is kept ([`CatalogKind::Revision`]; its data is the text).
pub fn revision_key(machine_arn: &str, revision_id: &str) -> Arc<str> {
    format!("{machine_arn}/{revision_id}").into()
}

impl Programs {
    pub fn new() -> Programs {
        Programs { cache: Mutex::new(LruCache::new(PROGRAMS_MAX)) }
    }

    /// The program of a revision: from memory, or compiled from `definition`, or from the catalogue.
    pub async fn get(
        &self,
        store: &dyn Store,
        machine_arn: &str,
        revision_id: &str,
        definition: Option<&str>,
    ) -> Result<Arc<Program>, LoadError> {
        let key = revision_key(machine_arn, revision_id);
        if let Some(program) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(program.clone());
        }
        let program = match definition {
            Some(definition) => compile(&key, definition)?,
            None => {
                let record = store.record(CatalogKind::Revision, &key).await?;
                let record = record.ok_or_else(|| LoadError::NoDefinition(key.clone()))?;
                let definition = std::str::from_utf8(&record.data);
                compile(&key, definition.map_err(|_| LoadError::Definition(key.clone(), "not UTF-8".into()))?)?
            }
        };
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).put(key, program.clone());
        Ok(program)
    }
}

fn compile(key: &Arc<str>, definition: &str) -> Result<Arc<Program>, LoadError> {
    let compilation = stepwright_asl::compile(definition, &stepwright_asl::CompileOptions::default());
    match compilation.program {
        Some(program) => Ok(program),
        None => Err(LoadError::Definition(
            key.clone(),
            compilation.aws_error().unwrap_or_else(|| "it does not compile".to_owned()),
        )),
    }
}
