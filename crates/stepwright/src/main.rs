//! The `stepwright` binary: configuration, wiring, command line. One file for each command in `commands/`.
//!
//! What a command prints on standard output is data; everything else goes to standard error. Exit codes are in [`exit`].

mod cli;
mod client;
mod commands;
mod config;
mod connection;
mod data_directory;
mod definition;
mod descriptors;
mod diagnostics;
mod excerpt;
mod exit;
mod follow;
mod function_output;
mod history_logging;
mod input;
mod live;
mod local_service;
mod logging;
mod markdown;
mod mocks;
mod named;
mod observed;
mod output;
mod pretty;
mod protection;
#[cfg(test)]
mod reference;
mod row;
mod signals;
mod stages;
mod substitutions;
mod suggestions;
mod table;
mod terminal;
mod unavailable;
mod wiring;

use std::io::Write as _;
use std::process::ExitCode;

use exit::{Exit, Failure};

/// Many small objects of short life, made on one thread and dropped on another: the system's allocator spends a tenth of the
/// time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A function's process is kept by this program, too.
    if let Some(code) = stepwright_tasks::functions::keeper::keep(std::env::args_os()) {
        return code;
    }
    match run() {
        Ok(code) => code.into(),
        Err(failure) => {
            output::tell(&format!("error: {}\n", output::chain(&failure.error)));
            failure.code.into()
        }
    }
}

fn run() -> Result<Exit, Failure> {
    let command_line = match cli::parse() {
        Ok(command_line) => command_line,
        Err(error) => return no_command(&error),
    };
    match command_line.command {
        cli::Command::Init(arguments) => commands::init::run(&arguments),
        cli::Command::Serve(arguments) => commands::serve::run(arguments),
        cli::Command::Run(arguments) => commands::run::run(arguments),
        cli::Command::TestState(arguments) => commands::test_state::run(*arguments),
        cli::Command::Validate(arguments) => commands::validate::run(arguments),
        cli::Command::Explain(arguments) => commands::explain::run(&arguments),
        cli::Command::List(arguments) => commands::list::run(&arguments),
        cli::Command::Describe(arguments) => commands::describe::run(&arguments),
        cli::Command::History(arguments) => commands::history::run(&arguments),
        cli::Command::Start(arguments) => commands::start::run(&arguments),
        cli::Command::Stop(arguments) => commands::stop::run(&arguments),
        cli::Command::Redrive(arguments) => commands::redrive::run(&arguments),
        cli::Command::Logs(arguments) => commands::logs::run(&arguments),
        cli::Command::Invoke(arguments) => commands::invoke::run(arguments),
        cli::Command::Limits(arguments) => commands::limits::run(arguments),
        cli::Command::Store(arguments) => commands::store::run(arguments),
        cli::Command::Completions(arguments) => commands::completions::run(&arguments),
    }
}

/// Help and the version are data; what is wrong with a command line is an error.
fn no_command(error: &clap::Error) -> Result<Exit, Failure> {
    let printed = error.print().and_then(|()| std::io::stdout().lock().flush());
    if error.use_stderr() {
        return Ok(Exit::Usage);
    }
    output::judge(printed)?;
    Ok(Exit::Success)
}
