//! Puts the rooms together: which target answers for which resource.

use std::sync::Arc;

use anyhow::{Context, Result};
use stepwright_tasks::functions::{FunctionDefinition, Functions, FunctionsOptions};
use stepwright_tasks::lambda::{Endpoint, LambdaTarget};
use stepwright_tasks::sigv4::Credentials;
use stepwright_tasks::{TaskTarget, Targets};

/// Where Lambda functions that are not declared locally are invoked: the first of these that is set. The names are those of
/// Step Functions Local and of the AWS SDKs.
const LAMBDA_ENDPOINTS: [&str; 3] = ["LAMBDA_ENDPOINT", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL"];

/// The local functions, and everything that Task states can call.
pub struct Wired {
    pub functions: Arc<Functions>,
    pub targets: Arc<dyn TaskTarget>,
    /// What is known of Lambda, for the greeting.
    pub lambda_endpoint: Option<String>,
}

/// Builds the task targets from the declared functions and the environment. Needs a runtime.
pub fn wire(functions: Vec<FunctionDefinition>, region: &str) -> Result<Wired> {
    let options = FunctionsOptions::new(std::env::vars(), region);
    let functions =
        Arc::new(Functions::new(functions, options).context("the functions cannot be used")?);
    let url = LAMBDA_ENDPOINTS
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()).map(|url| (*name, url)));
    let endpoint = match &url {
        Some((name, url)) => Some(
            Endpoint::new(url, credentials())
                .with_context(|| format!("{name} is {url:?}, which is not an endpoint"))?,
        ),
        None => None,
    };
    let lambda: Arc<dyn TaskTarget> = Arc::new(LambdaTarget::new(functions.clone(), endpoint));
    let targets =
        Targets::new().with_lambda_function(lambda.clone()).with_integration("lambda:invoke", lambda);
    Ok(Wired { functions, targets: Arc::new(targets), lambda_endpoint: url.map(|(_, url)| url) })
}

/// The credentials of the environment; endpoints of emulators take any.
fn credentials() -> Credentials {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "test".to_owned()),
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| "test".to_owned()),
        session_token: variable("AWS_SESSION_TOKEN"),
    }
}
