//! Activities.

use serde::{Deserialize, Serialize};
use stepwright_store::CatalogKind;

use super::records::Record;
use crate::model::EncryptionConfiguration;

/// An activity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Activity {
    pub arn: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    pub encryption: EncryptionConfiguration,
}

impl Record for Activity {
    const KIND: CatalogKind = CatalogKind::Activity;

    fn key(&self) -> String {
        self.arn.clone()
    }
}
