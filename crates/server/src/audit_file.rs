//! The file with the audit log: one record a line, for its owner alone, of bounded size.
//!
//! Records are appended before the call is answered. When the file has reached its size it becomes `FILE.1`, `FILE.1`
//! becomes `FILE.2` and so on; the oldest is deleted. What was appended survives the end of the process; records are not
//! flushed to disk one by one, so the last ones may be lost when the machine loses power.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AuditLimits {
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Files, the current one included; at least one.
    pub files_max: u32,
}

impl Default for AuditLimits {
    fn default() -> AuditLimits {
        AuditLimits { file_bytes_max: 64 << 20, files_max: 10 }
    }
}

/// An audit log in a file.
pub struct AuditFile {
    path: PathBuf,
    limits: AuditLimits,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    bytes: u64,
}

impl AuditFile {
    /// Opens the file, which goes on where it ended; makes it, with mode 0600, where there is none.
    pub fn open(path: &Path, limits: AuditLimits) -> io::Result<AuditFile> {
        let open = Mutex::new(open(path)?);
        Ok(AuditFile { path: path.to_owned(), limits, open })
    }

    /// Adds one line.
    pub fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut current = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if current.bytes > 0 && current.bytes + line.len() as u64 > self.limits.file_bytes_max {
            self.rotate()?;
            *current = open(&self.path)?;
        }
        current.file.write_all(line)?;
        current.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&self) -> io::Result<()> {
        let older = |number: u32| {
            let mut name = OsString::from(&self.path);
            if number > 0 {
                name.push(format!(".{number}"));
            }
            PathBuf::from(name)
        };
        let oldest = self.limits.files_max.max(1) - 1;
        if oldest == 0 {
            return std::fs::remove_file(&self.path);
        }
        for number in (0..oldest).rev() {
            match std::fs::rename(older(number), older(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Open> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok(Open { file, bytes })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn rotates_and_keeps_so_many() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("audit.jsonl");
        let limits = AuditLimits { file_bytes_max: 10, files_max: 3 };
        for number in 0..8 {
            // Opened each time, as after a restart.
            AuditFile::open(&path, limits)?.append(format!("{number:04}\n").as_bytes())?;
        }
        let text = |name: &str| std::fs::read_to_string(directory.path().join(name));
        assert_eq!(text("audit.jsonl")?, "0006\n0007\n");
        assert_eq!(text("audit.jsonl.1")?, "0004\n0005\n");
        assert_eq!(text("audit.jsonl.2")?, "0002\n0003\n");
        assert!(text("audit.jsonl.3").is_err());
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }
}
