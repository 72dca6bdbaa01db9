//! `TestState`

use crate::api::Api;
use crate::error::ApiError;
use crate::model::{TestStateInput, TestStateOutput};

pub async fn run(api: &Api, input: TestStateInput) -> Result<TestStateOutput, ApiError> {
    Ok(api.backend.test_state(input).await?)
}
