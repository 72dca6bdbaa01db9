//! Activities.

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::CatalogKind;

use super::records::Record;
use super::words;
use crate::model::EncryptionConfiguration;

/// An activity.
#[derive(Clone, PartialEq, Debug)]
pub struct Activity {
    pub arn: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    pub encryption: EncryptionConfiguration,
}

impl Record for Activity {
    const KIND: CatalogKind = CatalogKind::Activity;

    type Stored = format::Activity;

    fn to_stored(&self) -> format::Activity {
        format::Activity {
            arn: self.arn.clone(),
            name: self.name.clone(),
            created_ms: self.created_ms,
            encryption: words::encryption(&self.encryption),
        }
    }

    fn from_stored(stored: format::Activity) -> Result<Activity, FormatError> {
        Ok(Activity {
            arn: stored.arn,
            name: stored.name,
            created_ms: stored.created_ms,
            encryption: words::of_encryption(stored.encryption)?,
        })
    }

    fn key(&self) -> String {
        self.arn.clone()
    }
}
