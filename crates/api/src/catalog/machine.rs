//! State machines and their revisions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stepwright_store::CatalogKind;

use super::records::Record;
use crate::model::{EncryptionConfiguration, LoggingConfiguration, StateMachineType, TracingConfiguration};

/// One revision of a state machine: everything that an execution of it needs. Never changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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
    /// Reads a record of kind [`CatalogKind::Revision`].
    pub fn from_record(data: &[u8]) -> Result<Machine, serde_json::Error> {
        serde_json::from_slice(data)
    }

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

    fn key(&self) -> String {
        Machine::record_key(&self.arn, &self.revision)
    }
}

/// A state machine: which revision is current, and what belongs to all of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    #[serde(default)]
    pub published: Option<Published>,
}

/// The version that a state machine was created with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Published {
    pub version_arn: String,
    pub description: Option<String>,
}

impl Record for MachineEntry {
    const KIND: CatalogKind = CatalogKind::StateMachine;

    fn key(&self) -> String {
        self.arn.clone()
    }
}
