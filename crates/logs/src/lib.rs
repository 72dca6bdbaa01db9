//! The log of execution histories: renders events as AWS writes them to CloudWatch Logs, and brings them to a file, to
//! standard output, or to a CloudWatch Logs endpoint.
//!
//! Invariant: an execution never waits for its log. Records that find no room, or that nobody takes, are dropped, counted
//! and warned about.
//!
//! Left out: the resource policies and roles that AWS checks before it writes to a log group.

mod cloudwatch;
mod file;
mod log;
mod record;

pub use cloudwatch::CloudWatch;
pub use file::RotatingFile;
pub use log::{Destination, Log};
