//! `ValidateStateMachineDefinition`

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{
    StateMachineType, ValidateStateMachineDefinitionDiagnostic as WireDiagnostic,
    ValidateStateMachineDefinitionInput, ValidateStateMachineDefinitionOutput,
    ValidateStateMachineDefinitionResultCode as ResultCode,
    ValidateStateMachineDefinitionSeverity as Severity,
};

/// Findings where the request names no number, or 0 (service model).
const RESULTS_DEFAULT: usize = 100;

pub async fn run(
    api: &Api,
    input: ValidateStateMachineDefinitionInput,
) -> Result<ValidateStateMachineDefinitionOutput, ApiError> {
    let r#type = input.r#type.unwrap_or(StateMachineType::Standard);
    let mut found = api.definitions.validate(&input.definition, r#type);
    let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if input.severity.unwrap_or(Severity::Error) == Severity::Error {
        found.retain(|diagnostic| diagnostic.severity == Severity::Error);
    }
    let limit = match input.max_results.and_then(|results| usize::try_from(results).ok()) {
        None | Some(0) => RESULTS_DEFAULT,
        Some(results) => results,
    };
    let truncated = found.len() > limit;
    found.truncate(limit);
    let diagnostics = found
        .into_iter()
        .map(|diagnostic| WireDiagnostic {
            severity: diagnostic.severity,
            code: diagnostic.code,
            message: diagnostic.message,
            location: diagnostic.location,
        })
        .collect();
    Ok(ValidateStateMachineDefinitionOutput {
        result: if failed { ResultCode::Fail } else { ResultCode::Ok },
        diagnostics,
        truncated: Some(truncated),
    })
}
