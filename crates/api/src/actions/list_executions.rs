//! `ListExecutions`

use crate::api::Api;
use crate::arn::{self, Qualifier};
use crate::backend::{ExecutionError, ExecutionSummary, ListRequest, ListScope};
use crate::catalog::{Alias, Version};
use crate::error::ApiError;
use crate::model::{
    Enumeration as _, ErrorName, ExecutionListItem, ExecutionStatus, ListExecutionsInput,
    ListExecutionsOutput, StateMachineType, Timestamp, ValidationExceptionReason,
};
use crate::{page_token, paging, resolve};

pub async fn run(api: &Api, input: ListExecutionsInput) -> Result<ListExecutionsOutput, ApiError> {
    let (scope, shown) = match (&input.state_machine_arn, &input.map_run_arn) {
        (Some(text), None) => {
            check_filters(&input)?;
            (machine_scope(api, text).await?, text)
        }
        (None, Some(text)) => (ListScope::MapRun(arn::map_run(text)?.to_owned()), text),
        (None, None) => {
            return Err(ApiError::validation_because(
                ValidationExceptionReason::MissingRequiredParameter,
                "Must provide a StateMachine ARN or MapRun ARN",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::validation(
                "Must provide either a StateMachine ARN or a MapRun ARN, but not both",
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
    let page = page.await.map_err(|error| match error {
        ExecutionError::DoesNotExist if input.map_run_arn.is_some() => ApiError::resource_not_found(shown),
        error => ApiError::from_execution(error, shown),
    })?;
    let next_token = paging::next_token(api, &question, page.next.as_deref()).await?;
    let of_map_run = input.map_run_arn.is_some();
    let executions = page.executions.into_iter().map(|summary| item(summary, of_map_run)).collect();
    Ok(ListExecutionsOutput { executions, next_token })
}

/// Refuses the filters that are for map runs alone (API reference of ListExecutions).
fn check_filters(input: &ListExecutionsInput) -> Result<(), ApiError> {
    if input.status_filter == Some(ExecutionStatus::PendingRedrive) {
        return Err(ApiError::validation("mapRunArn must be specified when statusFilter is PENDING_REDRIVE"));
    }
    if input.redrive_filter.is_some() {
        return Err(ApiError::validation("mapRunArn must be specified when redriveFilter is specified"));
    }
    Ok(())
}

async fn machine_scope(api: &Api, text: &str) -> Result<ListScope, ApiError> {
    let arn = arn::unlabelled_machine(text)?;
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
            let version = api.catalog.read::<Version>(arn.qualified).await?;
            version.ok_or_else(|| ApiError::resource_not_found(arn.qualified))?;
            ListScope::Version { state_machine_arn, version_arn: arn.qualified.to_owned() }
        }
        Qualifier::Alias(_) => {
            let alias = api.catalog.read::<Alias>(arn.qualified).await?;
            alias.ok_or_else(|| ApiError::resource_not_found(arn.qualified))?;
            ListScope::Alias { state_machine_arn, alias_arn: arn.qualified.to_owned() }
        }
    })
}

/// What belongs to a map run is shown only where its children are listed.
fn item(summary: ExecutionSummary, of_map_run: bool) -> ExecutionListItem {
    ExecutionListItem {
        execution_arn: summary.execution_arn,
        state_machine_arn: summary.state_machine_arn,
        name: summary.name,
        status: summary.status,
        start_date: Timestamp(summary.start_ms),
        stop_date: summary.stop_ms.map(Timestamp),
        map_run_arn: summary.map_run_arn.filter(|_| of_map_run),
        item_count: summary.item_count.filter(|_| of_map_run),
        state_machine_version_arn: summary.version_arn,
        state_machine_alias_arn: summary.alias_arn,
        redrive_count: Some(summary.redrive_count),
        redrive_date: summary.redrive_ms.map(Timestamp),
    }
}
