//! `ListExecutions`

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::backend::{ExecutionSummary, ListRequest, ListScope};
use crate::error::ApiError;
use crate::model::{
    Enumeration as _, ErrorName, ExecutionListItem, ListExecutionsInput, ListExecutionsOutput,
    StateMachineType, Timestamp, ValidationExceptionReason,
};
use crate::{page_token, paging, resolve};

pub async fn run(api: &Api, input: ListExecutionsInput) -> Result<ListExecutionsOutput, ApiError> {
    let (scope, shown) = match (&input.state_machine_arn, &input.map_run_arn) {
        (Some(text), None) => (machine_scope(api, text).await?, text),
        (None, Some(text)) => (ListScope::MapRun(arn::map_run(text)?.to_owned()), text),
        _ => {
            return Err(ApiError::validation_because(
                ValidationExceptionReason::MissingRequiredParameter,
                "Exactly one of stateMachineArn and mapRunArn must be specified",
            ));
        }
    };
    let question = [
        "ListExecutions",
        shown,
        input.status_filter.map_or("", |status| status.as_str()),
        input.redrive_filter.map_or("", |redrive| redrive.as_str()),
    ];
    let after = page_token::decode(api, &question, input.next_token.as_deref()).await?;
    let page = api.backend.list(ListRequest {
        scope,
        status: input.status_filter,
        redrive: input.redrive_filter,
        limit: paging::limit(input.max_results),
        after,
    });
    let page = page.await.map_err(|error| ApiError::from_execution(error, shown))?;
    let next_token = paging::next_token(api, &question, page.next.as_deref()).await?;
    Ok(ListExecutionsOutput { executions: page.executions.into_iter().map(item).collect(), next_token })
}

async fn machine_scope(api: &Api, text: &str) -> Result<ListScope, ApiError> {
    let arn = arn::machine(text)?;
    let entry = resolve::entry(api, arn.plain, text).await?;
    if entry.r#type == StateMachineType::Express {
        return Err(ApiError::service(
            ErrorName::StateMachineTypeNotSupported,
            "This operation is not supported by this type of state machine",
        ));
    }
    let state_machine_arn = arn.plain.to_owned();
    Ok(match arn.qualifier {
        Qualifier::None => ListScope::Machine(state_machine_arn),
        Qualifier::Version(_) => {
            ListScope::Version { state_machine_arn, version_arn: arn.qualified.to_owned() }
        }
        Qualifier::Alias(_) => ListScope::Alias { state_machine_arn, alias_arn: arn.qualified.to_owned() },
    })
}

fn item(summary: ExecutionSummary) -> ExecutionListItem {
    ExecutionListItem {
        execution_arn: summary.execution_arn,
        state_machine_arn: summary.state_machine_arn,
        name: summary.name,
        status: summary.status,
        start_date: Timestamp(summary.start_ms),
        stop_date: summary.stop_ms.map(Timestamp),
        map_run_arn: summary.map_run_arn,
        item_count: summary.item_count,
        state_machine_version_arn: summary.version_arn,
        state_machine_alias_arn: summary.alias_arn,
        redrive_count: Some(summary.redrive_count),
        redrive_date: summary.redrive_ms.map(Timestamp),
    }
}
