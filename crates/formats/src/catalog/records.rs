//! Records that are JSON. The names of their fields are the format: renaming one in Rust needs the old name beside it.
//!
//! Times are milliseconds since 1970.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Record;

/// A state machine: which revision is current, and what belongs to all of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateMachine {
    pub arn: String,
    pub name: String,
    /// `STANDARD` or `EXPRESS`.
    pub r#type: String,
    pub revision: String,
    pub created_ms: i64,
    pub deleting: bool,
    pub versions: u32,
    #[serde(default)]
    pub published: Option<Published>,
}

/// The version that a state machine was created with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub version_arn: String,
    pub description: Option<String>,
}

/// One revision of a state machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    pub arn: String,
    pub name: String,
    pub revision: String,
    pub revision_id: Option<String>,
    /// `STANDARD` or `EXPRESS`.
    pub r#type: String,
    pub definition: String,
    pub role_arn: String,
    pub logging: Logging,
    pub tracing: Tracing,
    pub encryption: Encryption,
    pub variable_references: BTreeMap<String, Vec<String>>,
    pub updated_ms: i64,
}

/// What is logged of executions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logging {
    /// `ALL`, `ERROR`, `FATAL` or `OFF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_execution_data: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<LogDestination>>,
}

/// Where logs go.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogDestination {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_watch_logs_log_group: Option<LogGroup>,
}

/// A group of logs.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogGroup {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group_arn: Option<String>,
}

/// Whether executions are traced.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// With whose key payloads are encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_data_key_reuse_period_seconds: Option<i32>,
    /// `AWS_OWNED_KEY` or `CUSTOMER_MANAGED_KMS_KEY`.
    pub r#type: String,
}

/// An activity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    pub arn: String,
    pub name: String,
    pub created_ms: i64,
    pub encryption: Encryption,
}

/// The tags of a resource, in the order in which their keys were set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    pub arn: String,
    pub entries: Vec<(String, String)>,
}

/// A published version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub arn: String,
    pub number: u32,
    pub revision: String,
    pub description: Option<String>,
    pub created_ms: i64,
}

/// An alias.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    pub routing: Vec<Route>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

/// How many of a hundred executions run a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    pub state_machine_version_arn: String,
    pub weight: i32,
}

/// A limit that was set at run time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_machine: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// So many starts within so many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub count: u32,
    pub per_s: u32,
}

impl Record for StateMachine {
    const NAME: &'static str = "the record of a state machine";
}

impl Record for Revision {
    const NAME: &'static str = "the record of a state machine's revision";
}

impl Record for Activity {
    const NAME: &'static str = "the record of an activity";
}

impl Record for Tags {
    const NAME: &'static str = "a record of tags";
}

impl Record for Version {
    const NAME: &'static str = "the record of a state machine's version";
}

impl Record for Alias {
    const NAME: &'static str = "the record of an alias";
}

impl Record for Limit {
    const NAME: &'static str = "the record of a limit";
}
