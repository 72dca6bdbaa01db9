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
pub mod store;
pub mod test_state;
pub mod validate;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::exit::{Exit, Failure, OrExit};
use crate::output;
use crate::wiring::Wired;

fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the runtime cannot be started").or_exit(Exit::CannotStart)?;
    fail_beyond_the_file_size_limit(&runtime);
    Ok(runtime)
}

/// A write beyond the limit of a file's size (`ulimit -f`) is an error like that of a full disk, and not the end of the process
/// without a word.
fn fail_beyond_the_file_size_limit(runtime: &Runtime) {
    let _inside = runtime.enter();
    // Whoever catches the signal gets the error; without a handler the signal would end the process, as it did before.
    let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
}

/// Tells what is not as it was declared.
fn warn(config: &Config, wired: &Wired) {
    for warning in config.warnings.iter().chain(wired.functions.warnings()) {
        output::tell(&format!("warning: {warning}\n"));
    }
}

/// How many cores there are.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
