//! The target itself: one for both resource forms.

use std::sync::Arc;

use super::answer::{InvokeAnswer, InvokeError, function_result, invoke_result};
use super::endpoint::{Endpoint, new_request_id};
use super::request::InvokeRequest;
use crate::functions::{Caller, Functions};
use crate::target::{BoxFuture, Call, CancellationSignal, Failure, Resource, Success, TaskTarget};

/// Calls Lambda functions: `arn:aws:lambda:…:function:…` and `arn:aws:states:::lambda:invoke`.
#[derive(Clone)]
pub struct LambdaTarget {
    functions: Arc<Functions>,
    endpoint: Option<Arc<Endpoint>>,
}

impl LambdaTarget {
    /// Functions that are declared run here; all others are called at the endpoint, if there is one.
    pub fn new(functions: Arc<Functions>, endpoint: Option<Endpoint>) -> LambdaTarget {
        LambdaTarget { functions, endpoint: endpoint.map(Arc::new) }
    }

    async fn invoke(&self, mut request: InvokeRequest, caller: Caller) -> Result<InvokeAnswer, InvokeError> {
        if self.functions.has(&request.function) {
            request.caller = Some(caller);
            return self.functions.invoke(request).await;
        }
        if let Some(endpoint) = &self.endpoint {
            return endpoint.invoke(&request).await;
        }
        tracing::warn!(
            function = %request.function.name,
            execution = caller.execution_arn,
            "no such Lambda function: declare it as [functions.{0}] in stepwright.toml or in a SAM template, or set \
             AWS_ENDPOINT_URL_LAMBDA to where it is",
            request.function.name,
        );
        Err(InvokeError::Service {
            status: 404,
            code: "ResourceNotFoundException".to_owned(),
            message: format!("Function not found: {}", request.qualified_arn()),
            request_id: new_request_id(),
        })
    }

    async fn answer(self, call: Call) -> Result<Success, Failure> {
        let Call { resource, parameters, region, account_id, execution_arn, state_name, .. } = call;
        let caller = Caller { execution_arn, state_name };
        match resource {
            Resource::LambdaFunction { arn } => {
                let request = InvokeRequest::from_arn(&arn, &parameters, region, account_id)?;
                function_result(self.invoke(request, caller).await?)
            }
            Resource::Integration { .. } => {
                let request = InvokeRequest::from_parameters(&parameters, region, account_id)?;
                invoke_result(self.invoke(request, caller).await?)
            }
        }
    }
}

impl TaskTarget for LambdaTarget {
    fn call(
        &self,
        call: Call,
        mut cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        let target = self.clone();
        Box::pin(async move {
            let answer = target.answer(call);
            tokio::select! {
                result = answer => result,
                () = cancel.cancelled() => Err(Failure::new("States.TaskFailed", "The call was cancelled.")),
            }
        })
    }
}
