//! The `stepwright` binary: configuration, wiring, command line. One file for each command in `commands/`.
//!
//! What a command prints on standard output is data; everything else goes to standard error. Exit codes are in [`exit`].

mod cli;
mod client;
mod commands;
mod config;
mod definition;
mod descriptors;
mod diagnostics;
mod exit;
mod function_output;
mod history_logging;
mod input;
mod live;
mod logging;
mod markdown;
mod pretty;
mod protection;
mod row;
mod stages;
mod terminal;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

/// Many small objects of short life, made on one thread and dropped on another: the system's allocator spends a tenth of the
/// time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A function's process is kept by this program, too.
    if let Some(code) = stepwright_tasks::functions::keeper::keep(std::env::args_os()) {
        return code;
    }
    let command_line = cli::CommandLine::parse();
    let result = match command_line.command {
        cli::Command::Serve(arguments) => commands::serve::run(arguments),
        cli::Command::Run(arguments) => commands::run::run(arguments),
        cli::Command::TestState(arguments) => commands::test_state::run(*arguments),
        cli::Command::Validate(arguments) => commands::validate::run(arguments),
        cli::Command::Explain(arguments) => commands::explain::run(&arguments),
        cli::Command::Limits(arguments) => commands::limits::run(arguments),
        cli::Command::Completions(arguments) => commands::completions::run(&arguments),
    };
    match result {
        Ok(code) => code.into(),
        Err(failure) => {
            eprintln!("error: {:#}", failure.error);
            failure.code.into()
        }
    }
}
