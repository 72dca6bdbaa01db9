//! `stepwright completions`: what completes the command line in a shell.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::{CommandLine, Completions};
use crate::exit::{Exit, Failure};

pub fn run(arguments: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "stepwright", &mut script);
    let _ = std::io::stdout().lock().write_all(&script);
    Ok(Exit::Success)
}
