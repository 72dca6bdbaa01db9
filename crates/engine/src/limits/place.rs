//! Somebody who holds or waits, and how that is written into a permit of the store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stepwright_store::{Mutation, Permit, StoreError};

use crate::dispatch::TaskKey;

/// The task number of an execution's own permit: tasks are counted from 1.
pub(super) const WHOLE_EXECUTION: u32 = 0;

/// A limit, or one value of its key: those in a lane share what the limit allows.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct Lane {
    #[serde(rename = "l")]
    pub limit: Arc<str>,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
}

/// A place at limits. The names of its members are short because it is written with every task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    /// At least one. It has its turn in all of them at once.
    #[serde(rename = "l")]
    pub lanes: Vec<Lane>,
    #[serde(rename = "x")]
    pub execution_arn: Arc<str>,
    /// `None`: the execution itself.
    #[serde(rename = "s")]
    pub state: Option<Arc<str>>,
    /// Rises from place to place.
    #[serde(rename = "a")]
    pub arrival: u64,
    /// Since when it waits, or has waited. Milliseconds since 1970.
    #[serde(rename = "w")]
    pub since_ms: i64,
    /// When it had its turn. Milliseconds since 1970.
    #[serde(rename = "g")]
    pub granted_ms: Option<i64>,
}

impl Place {
    pub fn set(&self, (key, task): TaskKey) -> Mutation {
        // Texts and numbers can always be written.
        Mutation::SetPermit(Permit { key, task, data: serde_json::to_vec(self).unwrap_or_default() })
    }

    pub fn read(permit: &Permit) -> Result<Place, StoreError> {
        serde_json::from_slice(&permit.data)
            .map_err(|error| StoreError::Corrupt(format!("the permit of {:?}: {error}", permit.key)))
    }
}
