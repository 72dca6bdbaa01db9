//! Puts the rooms together: which target answers for which resource.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use stepwright_tasks::functions::{FunctionDefinition, Functions, FunctionsOptions};
use stepwright_tasks::lambda::{Endpoint, LambdaTarget};
use stepwright_tasks::{Targets, TaskTarget};

use crate::function_output;

/// This program, also after its file has been replaced by another version.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// The local functions, and everything that Task states can call.
pub struct Wired {
    pub functions: Arc<Functions>,
    pub targets: Targets,
    /// What is known of Lambda, for the greeting.
    pub lambda_endpoint: Option<String>,
}

/// Builds the task targets from the declared functions and the environment. Needs a runtime.
pub fn wire(
    functions: Vec<FunctionDefinition>,
    lambda: &function_output::Section,
    region: &str,
) -> Result<Wired> {
    let mut options = FunctionsOptions::new(std::env::vars(), region);
    options.credentials_source = lambda.credentials;
    options.keeper = Some(PathBuf::from(THIS_PROGRAM));
    let functions = Arc::new(Functions::new(functions, options).context("the functions cannot be used")?);
    let endpoint =
        Endpoint::from_variables(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .context("the Lambda endpoint of the environment cannot be used")?;
    let lambda_endpoint = endpoint.as_ref().map(|endpoint| endpoint.url().to_owned());
    let lambda: Arc<dyn TaskTarget> = Arc::new(LambdaTarget::new(functions.clone(), endpoint));
    let targets =
        Targets::new().with_lambda_function(lambda.clone()).with_integration("lambda:invoke", lambda);
    Ok(Wired { functions, targets, lambda_endpoint })
}
