//! Stepwright's own endpoints, beside the API on the same port: plain JSON over HTTP, for what AWS does not have.

pub mod executions;
pub mod express_executions;
pub mod function_logs;
pub mod limits;
pub mod throttling;
