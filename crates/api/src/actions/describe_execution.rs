//! `DescribeExecution`

use super::redrivable;
use crate::api::Api;
use crate::arn;
use crate::error::ApiError;
use crate::model::{
    CloudWatchEventsExecutionDataDetails as DataDetails, DescribeExecutionInput, DescribeExecutionOutput,
    IncludedData, Timestamp,
};

pub async fn run(api: &Api, input: DescribeExecutionInput) -> Result<DescribeExecutionOutput, ApiError> {
    let execution_arn = arn::describable_execution(&input.execution_arn)?;
    let details = api.backend.describe(execution_arn).await;
    let details = details.map_err(|error| ApiError::from_execution(error, execution_arn))?;
    let (redrive_status, redrive_status_reason) = redrivable::status(api, &details).await?;
    let with_data = input.included_data != Some(IncludedData::MetadataOnly);
    let data_details = || Some(DataDetails { included: Some(with_data) });
    let summary = details.summary;
    Ok(DescribeExecutionOutput {
        execution_arn: summary.execution_arn,
        state_machine_arn: summary.state_machine_arn,
        name: Some(summary.name),
        status: summary.status,
        start_date: Timestamp(summary.start_ms),
        stop_date: summary.stop_ms.map(Timestamp),
        input: with_data.then(|| details.input.text().to_owned()),
        input_details: data_details(),
        output_details: details.output.as_ref().and_then(|_| data_details()),
        output: details.output.filter(|_| with_data).map(|output| output.text().to_owned()),
        trace_header: details.trace_header,
        map_run_arn: summary.map_run_arn,
        error: details.error,
        cause: details.cause,
        state_machine_version_arn: summary.version_arn,
        state_machine_alias_arn: summary.alias_arn,
        redrive_count: Some(summary.redrive_count),
        redrive_date: summary.redrive_ms.map(Timestamp),
        redrive_status: Some(redrive_status),
        redrive_status_reason,
    })
}
