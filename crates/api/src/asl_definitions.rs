//! The language room as the API's [`Definitions`].

use std::collections::BTreeMap;

use stepwright_asl::program::Program;
use stepwright_asl::{CompileOptions, MachineType, Severity, compile};

use crate::definitions::{CheckedDefinition, Definitions, Diagnostic, InvalidDefinition, Validation};
use crate::model::{StateMachineType, ValidateStateMachineDefinitionSeverity as WireSeverity};

/// Definitions as the language room checks them.
pub struct AslDefinitions;

impl Definitions for AslDefinitions {
    fn check(
        &self,
        definition: &str,
        r#type: StateMachineType,
    ) -> Result<CheckedDefinition, InvalidDefinition> {
        let compilation = compile(definition, &options(r#type));
        match compilation.program {
            Some(program) => Ok(CheckedDefinition { variable_references: variable_references(&program) }),
            None => Err(InvalidDefinition { message: compilation.aws_findings() }),
        }
    }

    fn validate(
        &self,
        definition: &str,
        r#type: StateMachineType,
        severity: WireSeverity,
        results_max: usize,
    ) -> Validation {
        let least = match severity {
            WireSeverity::Error => Severity::Error,
            WireSeverity::Warning => Severity::Warning,
        };
        let found = stepwright_asl::validate(definition, machine_type(r#type), least, results_max);
        let diagnostic = |finding: stepwright_asl::ValidationDiagnostic| Diagnostic {
            severity: match finding.severity {
                Severity::Error => WireSeverity::Error,
                Severity::Warning => WireSeverity::Warning,
            },
            code: finding.code.to_owned(),
            message: finding.message,
            location: finding.location,
        };
        Validation {
            ok: found.ok,
            diagnostics: found.diagnostics.into_iter().map(diagnostic).collect(),
            truncated: found.truncated,
        }
    }
}

fn options(r#type: StateMachineType) -> CompileOptions {
    CompileOptions { machine_type: machine_type(r#type), ..CompileOptions::default() }
}

fn machine_type(r#type: StateMachineType) -> MachineType {
    match r#type {
        StateMachineType::Standard => MachineType::Standard,
        StateMachineType::Express => MachineType::Express,
    }
}

/// State name to the variables that it reads; states that read none are left out.
fn variable_references(program: &Program) -> BTreeMap<String, Vec<String>> {
    let names = |state: &stepwright_asl::program::State| {
        let variables = state.variable_references.iter().map(|name| name.to_string()).collect();
        (state.name.to_string(), variables)
    };
    program.states.iter().filter(|state| !state.variable_references.is_empty()).map(names).collect()
}
