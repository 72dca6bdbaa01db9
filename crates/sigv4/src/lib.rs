//! AWS Signature Version 4: how a request proves who sent it.
//!
//! Source: AWS IAM User Guide, "AWS Signature Version 4 for API requests". Who signs and who verifies build the same
//! canonical text from what goes over the wire ([`WireRequest`]); so both are here. The room knows no HTTP library, no clock
//! and no files: headers, time and keys come in as arguments.
//!
//! Left out: presigned URLs, chunked payloads, SigV4a, and the way of S3 (which does not encode the path twice).

mod canonical;
mod claim;
mod credentials;
mod scope;
mod time;

pub use canonical::{Canonical, WireRequest, percent_encode, sha256_hex};
pub use claim::{Claim, Refusal, Rules, is_region};
pub use credentials::Credentials;
pub use scope::{SERVICE_STATES, Scope};
pub use time::timestamp;

/// The only algorithm here, as it stands in headers and in the string to sign.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
