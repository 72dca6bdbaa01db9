//! The command line as a user meets it: the binary in an empty directory, with nothing of this machine's environment.

mod environment;
mod explain;
mod functions;
mod help;
mod output;
mod project;
mod run;
mod run_nested;
mod server;
mod terminal;
mod test_state;
mod validate;
