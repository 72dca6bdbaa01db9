//! `stepwright completions`: what completes the command line in a shell.

use clap::CommandFactory;

use crate::cli::{CommandLine, Completions};
use crate::exit::{Exit, Failure};
use crate::output;

pub fn run(arguments: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "stepwright", &mut script);
    output::write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
