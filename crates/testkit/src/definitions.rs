//! Definitions of state machines, in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_engine::Definitions;
use stepwright_store::{Pending, StoreError};

/// A fixed set of definitions, by machine ARN. Every revision is the same one.
#[derive(Clone, Default)]
pub struct FixedDefinitions(BTreeMap<Arc<str>, Arc<str>>);

impl FixedDefinitions {
    pub fn with(mut self, machine_arn: impl Into<Arc<str>>, definition: impl Into<Arc<str>>) -> Self {
        self.0.insert(machine_arn.into(), definition.into());
        self
    }
}

impl Definitions for FixedDefinitions {
    fn definition(
        &self,
        machine_arn: &str,
        _revision_id: &str,
    ) -> Pending<'_, Result<Option<String>, StoreError>> {
        let found = self.0.get(machine_arn).map(|definition| definition.to_string());
        Box::pin(std::future::ready(Ok(found)))
    }
}
