//! What the API asks of the language room: whether a definition is valid, and what it refers to.

use std::collections::BTreeMap;

use crate::model::{StateMachineType, ValidateStateMachineDefinitionSeverity as Severity};

/// Checks definitions. Calls are pure and may take as long as parsing a megabyte takes.
pub trait Definitions: Send + Sync + 'static {
    /// Checks a definition for `CreateStateMachine` and `UpdateStateMachine`.
    fn check(
        &self,
        definition: &str,
        r#type: StateMachineType,
    ) -> Result<CheckedDefinition, InvalidDefinition>;

    /// The findings for `ValidateStateMachineDefinition`, in order: those of this severity and above, so many at most (0: as
    /// many as AWS shows).
    fn validate(
        &self,
        definition: &str,
        r#type: StateMachineType,
        severity: Severity,
        results_max: usize,
    ) -> Validation;
}

/// A valid definition.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckedDefinition {
    /// State name to the variables that it uses; states that use none are left out.
    pub variable_references: BTreeMap<String, Vec<String>>,
}

/// Why a definition is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidDefinition {
    /// The findings in AWS's form, for instance `SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /`.
    pub message: String,
}

/// What `ValidateStateMachineDefinition` answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validation {
    /// There is no error, shown or not.
    pub ok: bool,
    pub diagnostics: Vec<Diagnostic>,
    /// Whether there are more.
    pub truncated: bool,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    /// For instance `SCHEMA_VALIDATION_FAILED`.
    pub code: String,
    pub message: String,
    /// For instance `/States/First/Resource`.
    pub location: Option<String>,
}
