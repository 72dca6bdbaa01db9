//! `DeleteActivity`: deleting what is not there is no error.

use stepwright_store::Expect;

use crate::api::Api;
use crate::arn;
use crate::catalog::{Activity, Record as _, Tags};
use crate::error::ApiError;
use crate::model::{DeleteActivityInput, DeleteActivityOutput};

pub async fn run(api: &Api, input: DeleteActivityInput) -> Result<DeleteActivityOutput, ApiError> {
    let activity_arn = arn::activity(&input.activity_arn)?;
    let writes =
        vec![Activity::delete(activity_arn, Expect::Anything), Tags::delete(activity_arn, Expect::Anything)];
    api.catalog.write(writes).await?;
    Ok(DeleteActivityOutput {})
}
