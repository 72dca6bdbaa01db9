//! Names and numbers of the field: error names, AWS limits, ARNs, timestamps. Depends on nothing else of the project.

pub mod arn;
pub mod error_name;
pub mod limit;
pub mod timestamp;
