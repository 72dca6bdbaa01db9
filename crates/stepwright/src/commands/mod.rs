//! The commands, one file each.

pub mod completions;
pub mod explain;
pub mod limits;
pub mod run;
pub mod serve;
pub mod test_state;
pub mod validate;
