//! Lambda functions as task targets: local processes where they are declared, else an endpoint, else AWS's answer for a
//! function that does not exist.

mod answer;
mod endpoint;
mod header_names;
mod name;
mod request;
mod target;

pub use answer::{InvokeAnswer, InvokeError};
pub use endpoint::{Endpoint, EndpointError};
pub use name::FunctionName;
pub use request::{InvocationType, InvokeRequest};
pub use target::LambdaTarget;

pub(crate) use endpoint::new_request_id;
