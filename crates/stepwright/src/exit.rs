//! Exit codes, the same for all commands.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// The work was done and the answer is no: the execution did not succeed, a definition has errors.
    Negative = 1,
    /// The command line, the configuration or an input file cannot be used. (clap exits with 2 too.)
    Usage = 2,
    /// The server cannot start: the port or the data directory is in use or unusable.
    CannotStart = 3,
    /// The server stopped because nothing more could be made durable.
    StoreFailed = 4,
    /// Standard output cannot be written, for another reason than that nobody reads it any more.
    OutputFailed = 5,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    pub code: Exit,
    pub error: anyhow::Error,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Gives an error its exit code.
pub trait OrExit<T> {
    /// The value, or the error with this exit code.
    fn or_exit(self, code: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, code: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { code, error: error.into() })
    }
}
