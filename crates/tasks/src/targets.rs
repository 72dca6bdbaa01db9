//! The registry: which target answers for a `Resource`.
//!
//! Targets are asked by the part of the resource that names a service; what is not registered fails with a cause that says
//! so, and lists what is.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_value::Document;

use crate::target::{BoxFuture, Call, CancellationSignal, Failure, Resource, Success, TaskTarget};

/// All that Task states can call. Filled at start, read from then on.
#[derive(Default, Clone)]
pub struct Targets {
    lambda_function: Option<Arc<dyn TaskTarget>>,
    integrations: BTreeMap<String, Arc<dyn TaskTarget>>,
}

impl Targets {
    /// A registry without any target.
    pub fn new() -> Targets {
        Targets::default()
    }

    /// Answers for `arn:aws:lambda:…:function:…`.
    pub fn with_lambda_function(mut self, target: Arc<dyn TaskTarget>) -> Targets {
        self.lambda_function = Some(target);
        self
    }

    /// Answers for an integration. `name` is `SERVICE:ACTION` (`lambda:invoke`), `SERVICE` (`aws-sdk:dynamodb`) or a family
    /// (`aws-sdk`); the most particular one wins.
    pub fn with_integration(mut self, name: &str, target: Arc<dyn TaskTarget>) -> Targets {
        self.integrations.insert(name.to_owned(), target);
        self
    }

    /// The target of a resource, or why there is none.
    pub fn find(&self, resource: &Resource) -> Result<Arc<dyn TaskTarget>, Failure> {
        let found = match resource {
            Resource::LambdaFunction { .. } => self.lambda_function.as_ref(),
            Resource::Integration { service, action, .. } => {
                let family = service.split(':').next().unwrap_or(service);
                let exact = format!("{service}:{action}");
                [exact.as_str(), service.as_str(), family]
                    .into_iter()
                    .find_map(|name| self.integrations.get(name))
            }
        };
        found.cloned().ok_or_else(|| self.unavailable(resource))
    }

    fn unavailable(&self, resource: &Resource) -> Failure {
        let lambda = self.lambda_function.iter().map(|_| "Lambda function ARNs".to_owned());
        let known: Vec<String> =
            lambda.chain(self.integrations.keys().map(|name| format!("arn:aws:states:::{name}"))).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Failure::start(
            "States.Runtime",
            format!("The resource {resource} is not available in this version. Available: {known}."),
        )
    }
}

impl TaskTarget for Targets {
    fn call(&self, call: Call, cancel: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        match self.find(&call.resource) {
            Ok(target) => target.call(call, cancel),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }

    fn await_job(
        &self,
        call: Call,
        submitted: Document,
        cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        match self.find(&call.resource) {
            Ok(target) => target.await_job(call, submitted, cancel),
            Err(failure) => Box::pin(std::future::ready(Err(failure))),
        }
    }

    fn stop_job(&self, call: Call, submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        match self.find(&call.resource) {
            Ok(target) => target.stop_job(call, submitted),
            // Nothing can have been started.
            Err(_) => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn is_inside(&self, resource: &Resource) -> bool {
        self.find(resource).is_ok_and(|target| target.is_inside(resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(&'static str);

    impl TaskTarget for Says {
        fn call(&self, _: Call, _: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
            Box::pin(std::future::ready(Ok(Success { output: Document::from_stored_text(self.0) })))
        }
    }

    async fn ask(targets: &Targets, resource: &str) -> Result<String, Failure> {
        let call = Call {
            resource: Resource::parse(resource).expect("a resource"),
            parameters: Document::default(),
            idempotency_token: String::new(),
            execution_arn: String::new(),
            state_name: String::new(),
            role_arn: None,
            region: "us-east-1".into(),
            account_id: "123456789012".into(),
        };
        targets.call(call, CancellationSignal::never()).await.map(|success| success.output.text().to_owned())
    }

    #[tokio::test]
    async fn the_most_particular_target_answers() {
        let targets = Targets::new()
            .with_lambda_function(Arc::new(Says("function")))
            .with_integration("lambda:invoke", Arc::new(Says("invoke")))
            .with_integration("aws-sdk", Arc::new(Says("sdk")))
            .with_integration("aws-sdk:dynamodb", Arc::new(Says("dynamodb")));
        for (resource, expected) in [
            ("arn:aws:lambda:us-east-1:123456789012:function:f", "function"),
            ("arn:aws:states:::lambda:invoke.waitForTaskToken", "invoke"),
            ("arn:aws:states:::aws-sdk:s3:getObject", "sdk"),
            ("arn:aws:states:::aws-sdk:dynamodb:getItem", "dynamodb"),
        ] {
            assert_eq!(ask(&targets, resource).await.as_deref(), Ok(expected));
        }
        let failure = ask(&targets, "arn:aws:states:::ecs:runTask.sync").await.expect_err("no such target");
        assert_eq!(
            failure.cause.as_deref(),
            Some(
                "The resource arn:aws:states:::ecs:runTask.sync is not available in this version. Available: Lambda \
                 function ARNs, arn:aws:states:::aws-sdk, arn:aws:states:::aws-sdk:dynamodb, \
                 arn:aws:states:::lambda:invoke."
            )
        );
    }
}
