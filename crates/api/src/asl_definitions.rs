//! The language room as the API's [`Definitions`].

use std::collections::BTreeMap;

use stepwright_asl::program::Program;
use stepwright_asl::{CompileOptions, MachineType, Severity, compile};

use crate::definitions::{CheckedDefinition, Definitions, Diagnostic, InvalidDefinition};
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

    fn validate(&self, definition: &str, r#type: StateMachineType) -> Vec<Diagnostic> {
        let found = compile(definition, &options(r#type)).diagnostics.into_iter();
        let diagnostic = |finding: stepwright_asl::Diagnostic| {
            Some(Diagnostic {
                severity: match finding.severity {
                    Severity::Error => WireSeverity::Error,
                    Severity::Warning => WireSeverity::Warning,
                },
                code: finding.aws_code?.to_owned(),
                message: finding.message,
                location: (!finding.pointer.is_empty()).then_some(finding.pointer),
            })
        };
        found.filter_map(diagnostic).collect()
    }
}

fn options(r#type: StateMachineType) -> CompileOptions {
    let machine_type = match r#type {
        StateMachineType::Standard => MachineType::Standard,
        StateMachineType::Express => MachineType::Express,
    };
    CompileOptions { machine_type, ..CompileOptions::default() }
}

/// State name to the variables that it reads; states that read none are left out.
fn variable_references(program: &Program) -> BTreeMap<String, Vec<String>> {
    let names = |state: &stepwright_asl::program::State| {
        let variables = state.variable_references.iter().map(|name| name.to_string()).collect();
        (state.name.to_string(), variables)
    };
    program.states.iter().filter(|state| !state.variable_references.is_empty()).map(names).collect()
}
