//! The commands, one file each.

pub mod completions;
pub mod describe;
pub mod explain;
pub mod history;
pub mod init;
pub mod invoke;
pub mod limits;
pub mod list;
pub mod logs;
pub mod redrive;
pub mod run;
pub mod serve;
pub mod start;
pub mod stop;
pub mod test_state;
pub mod validate;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::wiring::Wired;

fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.context("the runtime cannot be started").or_exit(Exit::CannotStart)
}

/// Tells what is not as it was declared.
fn warn(config: &Config, wired: &Wired) {
    for warning in config.warnings.iter().chain(wired.functions.warnings()) {
        output::tell(&format!("warning: {warning}\n"));
    }
}
