//! `ValidateStateMachineDefinition`.

use crate::compile::compile;
use crate::diagnostic::Severity;
use crate::options::{CompileOptions, MachineType};

/// What `ValidateStateMachineDefinition` answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationResult {
    /// `OK`: there is no error. Warnings do not count.
    pub ok: bool,
    pub diagnostics: Vec<ValidationDiagnostic>,
    /// Whether there are more than were asked for.
    pub truncated: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidationDiagnostic {
    pub severity: Severity,
    /// AWS's code.
    pub code: &'static str,
    pub message: String,
    /// Absent where AWS gives none.
    pub location: Option<String>,
}

/// Findings in one answer when the caller does not say how many (service model, `maxResults`).
const RESULTS_DEFAULT: usize = 100;

/// Checks a definition. `severity` is the least severity to report: AWS's default is errors only. `max_results` of 0 is
/// the default of 100.
pub fn validate(
    text: &str,
    machine_type: MachineType,
    severity: Severity,
    max_results: usize,
) -> ValidationResult {
    let compilation = compile(text, &CompileOptions { machine_type, ..CompileOptions::default() });
    let limit = if max_results == 0 { RESULTS_DEFAULT } else { max_results.min(RESULTS_DEFAULT) };
    let ok = compilation.program.is_some();
    let mut found = compilation.diagnostics.into_iter().filter_map(|diagnostic| {
        let code = diagnostic.aws_code.filter(|_| diagnostic.severity >= severity)?;
        Some(ValidationDiagnostic {
            severity: diagnostic.severity,
            code,
            location: (!diagnostic.pointer.is_empty()).then_some(diagnostic.pointer),
            message: diagnostic.message,
        })
    });
    let diagnostics: Vec<ValidationDiagnostic> = found.by_ref().take(limit).collect();
    ValidationResult { ok, diagnostics, truncated: found.next().is_some() }
}
