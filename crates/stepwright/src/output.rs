//! Standard output and standard error: a reader that has gone ends things quietly, a disk that is full is an error, and neither
//! is a panic.

use std::io::{ErrorKind, Write};

use anyhow::Context as _;

use crate::exit::{Exit, Failure, OrExit as _};

/// Who is at the other end of standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    There,
    /// It has read enough, as `head` and pagers do.
    Gone,
}

/// Writes data.
pub fn write(text: &str) -> Result<Reader, Failure> {
    let mut stream = std::io::stdout().lock();
    judge(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// What the end of a write to standard output means.
pub fn judge(written: std::io::Result<()>) -> Result<Reader, Failure> {
    match written {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error).context("standard output cannot be written").or_exit(Exit::OutputFailed),
    }
}

/// Writes for people. Nobody could be told that this failed.
pub fn tell(text: &str) {
    let mut stream = std::io::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// An error with its causes, each told once: many errors repeat what lies behind them.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    text
}

/// What an error means, and what is behind it all: what lies between says the same in other words.
pub fn last(error: &anyhow::Error) -> String {
    match error.chain().skip(1).last() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let error =
            anyhow::anyhow!("no such file").context("f cannot be read: no such file").context("bad start");
        assert_eq!(chain(&error), "bad start: f cannot be read: no such file");
    }

    #[test]
    fn ends_of_writes() {
        assert_eq!(judge(Ok(())).ok(), Some(Reader::There));
        assert_eq!(judge(Err(ErrorKind::BrokenPipe.into())).ok(), Some(Reader::Gone));
        let failure = judge(Err(ErrorKind::StorageFull.into())).expect_err("an error");
        assert_eq!(failure.code, Exit::OutputFailed);
    }
}
