//! Repository tooling, run as `cargo xtask COMMAND`. One file per command.

mod bench;
mod codegen;
mod fuzz;
mod language;
mod supply;
mod test;
mod tidy;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

commands:
  bench [--only GROUP,…] [--seconds N] [--server PATH] [--data DIR] [--parked N] [--json FILE]
                              measures: interpreter, compiler, jsonata, jsonpath, store, codec, server
  codegen [--check] [MODEL]   writes crates/api/src/model from the public Step Functions service model, and the table of
                              responses that TestState knows from the models of other services;
                              MODEL is a botocore wheel or its service-2.json(.gz), downloaded by pip if absent
  fuzz [--seconds N] [--target NAME] [--seed N] [--stable] [--install]
                              fuzzes what reads input, N seconds in all: with cargo-fuzz where it is installed
                              (--install installs it), else with seeded changes of the corpus
  language [--check]          writes docs/language.md, or checks that it is not stale
  test [STEP]                 runs all tests (format, tidy, supply, lint, test, fuzz, build,
                              blackbox, conformance), or one step
  tidy [--update]             checks the shape of the code; --update writes the list of tolerated giants anew
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("bench") => bench::run(root(), &arguments.collect::<Vec<_>>()),
        Some("codegen") => codegen::run(arguments.collect()),
        Some("fuzz") => fuzz::run(root(), &arguments.collect::<Vec<_>>()),
        Some("language") => language::run(root(), arguments.next().as_deref() == Some("--check")),
        Some("test") => test::run(root(), arguments.next().as_deref()),
        Some("tidy") => tidy::run(root(), arguments.next().as_deref() == Some("--update")),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root.
fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}
