//! `ValidateStateMachineDefinition`

use crate::api::Api;
use crate::definitions::Definitions;
use crate::error::ApiError;
use crate::model::{
    StateMachineType, ValidateStateMachineDefinitionDiagnostic as WireDiagnostic,
    ValidateStateMachineDefinitionInput, ValidateStateMachineDefinitionOutput,
    ValidateStateMachineDefinitionResultCode as ResultCode,
    ValidateStateMachineDefinitionSeverity as Severity,
};

pub async fn run(
    api: &Api,
    input: ValidateStateMachineDefinitionInput,
) -> Result<ValidateStateMachineDefinitionOutput, ApiError> {
    let r#type = input.r#type.unwrap_or(StateMachineType::Standard);
    let severity = input.severity.unwrap_or(Severity::Error);
    // The model has checked that it is not negative.
    let results_max = usize::try_from(input.max_results.unwrap_or(0)).unwrap_or(0);
    let validate = move |definitions: &dyn Definitions, text: &str| {
        definitions.validate(text, r#type, severity, results_max)
    };
    let found = api.checking(&input.definition, validate).await;
    let diagnostics = found
        .diagnostics
        .into_iter()
        .map(|diagnostic| WireDiagnostic {
            severity: diagnostic.severity,
            code: diagnostic.code,
            message: diagnostic.message,
            location: diagnostic.location,
        })
        .collect();
    Ok(ValidateStateMachineDefinitionOutput {
        result: if found.ok { ResultCode::Ok } else { ResultCode::Fail },
        diagnostics,
        truncated: Some(found.truncated),
    })
}
