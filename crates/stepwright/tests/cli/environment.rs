//! A directory of its own for each test, and the binary in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub struct Environment {
    directory: TempDir,
}

/// What the binary has said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub out: String,
    pub error: String,
    pub status: i32,
}

impl Environment {
    pub fn new() -> Environment {
        Environment { directory: tempfile::tempdir().expect("a directory") }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, with the directories it is in.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// The binary with arguments; only PATH and the directory are taken from outside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stepwright"));
        command.args(arguments).current_dir(self.path()).env_clear().env("HOME", self.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with_input(arguments, "")
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        // Who needs no input may have ended before this.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        said(child.wait_with_output().expect("it ends"))
    }
}

pub fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { out: text(output.stdout), error: text(output.stderr), status: output.status.code().unwrap_or(-1) }
}

/// What has happened, without when and how long: `enter Double (Pass)`.
pub fn told(progress: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in progress.lines() {
        let words = line.split_whitespace().skip_while(|word| word.starts_with('+'));
        let mut told: Vec<&str> = Vec::new();
        let mut left_out = 0;
        for word in words {
            match word {
                "after" => left_out = 2,
                _ if left_out > 0 => left_out -= 1,
                word => told.push(word),
            }
        }
        lines.push(told.join(" "));
    }
    lines
}
