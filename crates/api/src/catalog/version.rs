//! Published versions: numbers that stand for revisions.

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::CatalogKind;

use super::records::Record;

/// A published version of a state machine.
#[derive(Clone, PartialEq, Eq, Debug)]
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

    type Stored = format::Version;

    fn to_stored(&self) -> format::Version {
        format::Version {
            arn: self.arn.clone(),
            number: self.number,
            revision: self.revision.clone(),
            description: self.description.clone(),
            created_ms: self.created_ms,
        }
    }

    fn from_stored(stored: format::Version) -> Result<Version, FormatError> {
        Ok(Version {
            arn: stored.arn,
            number: stored.number,
            revision: stored.revision,
            description: stored.description,
            created_ms: stored.created_ms,
        })
    }

    fn key(&self) -> String {
        self.arn.clone()
    }
}
