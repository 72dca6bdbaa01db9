//! State machines and their revisions.

use std::collections::BTreeMap;

use stepwright_formats::FormatError;
use stepwright_formats::catalog as format;
use stepwright_store::CatalogKind;

use super::records::Record;
use super::words;
use crate::model::{EncryptionConfiguration, LoggingConfiguration, StateMachineType, TracingConfiguration};

/// One revision of a state machine: everything that an execution of it needs. Never changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Machine {
    /// Without version or alias.
    pub arn: String,
    pub name: String,
    /// Tells this revision from all others that ever had the ARN.
    pub revision: String,
    /// What users see: absent for a state machine's first revision, else the same as `revision`.
    pub revision_id: Option<String>,
    pub r#type: StateMachineType,
    pub definition: String,
    pub role_arn: String,
    pub logging: LoggingConfiguration,
    pub tracing: TracingConfiguration,
    pub encryption: EncryptionConfiguration,
    /// State name to the variables that it uses.
    pub variable_references: BTreeMap<String, Vec<String>>,
    /// When this revision came to be. Milliseconds since 1970.
    pub updated_ms: i64,
}

impl Machine {
    /// The key of a revision's record.
    pub fn record_key(arn: &str, revision: &str) -> String {
        // No name contains `#`.
        format!("{arn}#{revision}")
    }

    /// Whether both would run alike: everything but identity and dates.
    pub fn same_content(&self, other: &Machine) -> bool {
        self.role_arn == other.role_arn && self.same_but_role(other)
    }

    /// As [`Machine::same_content`], whatever the role: what makes creating it twice the same request.
    pub fn same_but_role(&self, other: &Machine) -> bool {
        self.definition == other.definition
            && self.r#type == other.r#type
            && self.logging == other.logging
            && self.tracing == other.tracing
            && self.encryption == other.encryption
    }
}

impl Record for Machine {
    const KIND: CatalogKind = CatalogKind::Revision;

    type Stored = format::Revision;

    fn to_stored(&self) -> format::Revision {
        format::Revision {
            arn: self.arn.clone(),
            name: self.name.clone(),
            revision: self.revision.clone(),
            revision_id: self.revision_id.clone(),
            r#type: words::word(self.r#type),
            definition: self.definition.clone(),
            role_arn: self.role_arn.clone(),
            logging: words::logging(&self.logging),
            tracing: format::Tracing { enabled: self.tracing.enabled },
            encryption: words::encryption(&self.encryption),
            variable_references: self.variable_references.clone(),
            updated_ms: self.updated_ms,
        }
    }

    fn from_stored(stored: format::Revision) -> Result<Machine, FormatError> {
        Ok(Machine {
            arn: stored.arn,
            name: stored.name,
            revision: stored.revision,
            revision_id: stored.revision_id,
            r#type: words::of_word(&stored.r#type)?,
            definition: stored.definition,
            role_arn: stored.role_arn,
            logging: words::of_logging(stored.logging)?,
            tracing: TracingConfiguration { enabled: stored.tracing.enabled },
            encryption: words::of_encryption(stored.encryption)?,
            variable_references: stored.variable_references,
            updated_ms: stored.updated_ms,
        })
    }

    fn key(&self) -> String {
        Machine::record_key(&self.arn, &self.revision)
    }
}

/// A state machine: which revision is current, and what belongs to all of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineEntry {
    pub arn: String,
    pub name: String,
    pub r#type: StateMachineType,
    /// [`Machine::revision`] of the current one.
    pub revision: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// It goes away when its last execution has ended.
    pub deleting: bool,
    /// The highest version number given out.
    pub versions: u32,
    /// Whether it was created with a version, and how that is described: a repeated creation has to say the same.
    pub published: Option<Published>,
}

/// The version that a state machine was created with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    pub version_arn: String,
    pub description: Option<String>,
}

impl Record for MachineEntry {
    const KIND: CatalogKind = CatalogKind::StateMachine;

    type Stored = format::StateMachine;

    fn to_stored(&self) -> format::StateMachine {
        format::StateMachine {
            arn: self.arn.clone(),
            name: self.name.clone(),
            r#type: words::word(self.r#type),
            revision: self.revision.clone(),
            created_ms: self.created_ms,
            deleting: self.deleting,
            versions: self.versions,
            published: self
                .published
                .clone()
                .map(|Published { version_arn, description }| format::Published { version_arn, description }),
        }
    }

    fn from_stored(stored: format::StateMachine) -> Result<MachineEntry, FormatError> {
        Ok(MachineEntry {
            arn: stored.arn,
            name: stored.name,
            r#type: words::of_word(&stored.r#type)?,
            revision: stored.revision,
            created_ms: stored.created_ms,
            deleting: stored.deleting,
            versions: stored.versions,
            published: stored
                .published
                .map(|format::Published { version_arn, description }| Published { version_arn, description }),
        })
    }

    fn key(&self) -> String {
        self.arn.clone()
    }
}
