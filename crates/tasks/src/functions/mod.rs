//! Lambda functions that run here, as local processes which speak the real Lambda Runtime API.

mod config;
mod definition;
mod log;
mod template;
mod yaml;

use crate::lambda::{FunctionName, InvokeAnswer, InvokeError, InvokeRequest};
pub use config::{ConfigError, functions_from_config};
pub use definition::{DefinitionError, FunctionDefinition, Runtime, RuntimeFamily};
pub use log::{InvocationLog, InvocationOutcome, InvocationRecord};
pub use template::{TemplateContext, TemplateError, functions_from_template};
/// .
#[derive(Default)]
pub struct Functions {}
impl Functions {
    /// .
    pub fn has(&self, _: &FunctionName) -> bool {
        false
    }
    /// .
    pub async fn invoke(&self, _: InvokeRequest) -> Result<InvokeAnswer, InvokeError> {
        Err(InvokeError::Client { message: String::new() })
    }
}
