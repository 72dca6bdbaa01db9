//! The commands, one file each.

pub mod explain;
pub mod run;
pub mod serve;
pub mod validate;
