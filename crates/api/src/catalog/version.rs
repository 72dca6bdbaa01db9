//! Published versions: numbers that stand for revisions.

use serde::{Deserialize, Serialize};
use stepwright_store::CatalogKind;

use super::records::Record;

/// A published version of a state machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    pub arn: String,
    /// Counted from 1 and never used again.
    pub number: u32,
    /// [`super::Machine::revision`] of what was published.
    pub revision: String,
    pub description: Option<String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}

impl Record for Version {
    const KIND: CatalogKind = CatalogKind::Version;

    fn key(&self) -> String {
        self.arn.clone()
    }
}
