//! `TestState`: what a request asks for, run by the interpreter ([`stepwright_machine::test_state`]), and AWS's view of
//! what came out.
//!
//! - `request` is what AWS refuses before anything runs;
//! - `context` and `mock` look at the mocked context object and the mocked result, `responses` knows the shapes of the
//!   answers of AWS services;
//! - `run` takes the state to its end: it answers with the mock, or makes the call and lets time pass.

mod context;
mod mock;
mod request;
mod responses;
mod run;
#[cfg(test)]
mod tests;

use stepwright_asl::Format;
use stepwright_engine::Engine;
use stepwright_machine::Failure;
use stepwright_machine::test_state::{Inspection, Verdict};
use stepwright_value::Document;

use crate::backend::TestStateError;
use crate::model::{
    InspectionData, InspectionErrorDetails, InspectionLevel, TestExecutionStatus, TestStateInput,
    TestStateOutput,
};

/// Whether time is let pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// As AWS does: a Wait state takes its time, up to five minutes.
    Real,
    /// A Wait state ends at once.
    Skipped,
}

/// How a request is taken. The default is what AWS does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub waiting: Waiting,
    /// What the definition is written in.
    pub format: Format,
}

impl Default for Options {
    fn default() -> Options {
        Options { waiting: Waiting::Real, format: Format::Json }
    }
}

/// Performs the operation. A mocked request makes no call; another one calls the targets of `engine`.
pub async fn test_state(
    engine: &Engine,
    input: TestStateInput,
    options: Options,
) -> Result<TestStateOutput, TestStateError> {
    let level = input.inspection_level.unwrap_or(InspectionLevel::Info);
    let request = request::read(input, options.format)?;
    let program = request.program.clone();
    let (verdict, inspection) = run::run(engine, request, options.waiting).await?;
    let name_of = |state: Option<stepwright_asl::program::StateId>| {
        state.map(|state| program.state(state).name.to_string())
    };
    let mut answer = match verdict {
        Verdict::Succeeded { output, next } => TestStateOutput {
            next_state: name_of(next),
            ..succeeded(&output, TestExecutionStatus::Succeeded)
        },
        Verdict::Caught { failure, output, next } => TestStateOutput {
            next_state: name_of(next),
            ..failed(failure, succeeded(&output, TestExecutionStatus::CaughtError))
        },
        Verdict::Retriable(failure) => failed(failure, with_status(TestExecutionStatus::Retriable)),
        Verdict::Failed(failure) => failed(failure, with_status(TestExecutionStatus::Failed)),
    };
    if level != InspectionLevel::Info {
        answer.inspection_data = Some(inspection_data(&inspection));
    }
    Ok(answer)
}

fn with_status(status: TestExecutionStatus) -> TestStateOutput {
    TestStateOutput { status: Some(status), ..TestStateOutput::default() }
}

fn succeeded(output: &Document, status: TestExecutionStatus) -> TestStateOutput {
    TestStateOutput { output: Some(output.text().to_owned()), ..with_status(status) }
}

fn failed(failure: Failure, answer: TestStateOutput) -> TestStateOutput {
    let owned = |text: Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
    TestStateOutput { error: owned(failure.error), cause: owned(failure.cause), ..answer }
}

/// The numbers of the model are 32 bits wide.
fn narrow<T: TryInto<i32>>(number: T) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

fn inspection_data(shown: &Inspection) -> InspectionData {
    let text = |document: &Option<Document>| document.as_ref().map(|it| it.text().to_owned());
    let details = InspectionErrorDetails {
        catch_index: shown.catch_index.map(narrow),
        retry_index: shown.retry_index.map(narrow),
        retry_backoff_interval_seconds: shown.retry_backoff_interval_s.map(narrow),
    };
    InspectionData {
        input: text(&shown.input),
        after_arguments: text(&shown.after_arguments),
        after_input_path: text(&shown.after_input_path),
        after_parameters: text(&shown.after_parameters),
        result: text(&shown.result),
        after_result_selector: text(&shown.after_result_selector),
        after_result_path: text(&shown.after_result_path),
        request: None,
        response: None,
        variables: text(&shown.variables),
        error_details: (details != InspectionErrorDetails::default()).then_some(details),
        after_items_path: text(&shown.after_items_path),
        after_item_selector: text(&shown.after_item_selector),
        after_item_batcher: text(&shown.after_item_batcher),
        after_items_pointer: text(&shown.after_items_pointer),
        tolerated_failure_count: shown.tolerated_failure_count.map(narrow),
        tolerated_failure_percentage: shown.tolerated_failure_percentage,
        max_concurrency: shown.max_concurrency.map(narrow),
    }
}
