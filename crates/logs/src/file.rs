//! A file that is bounded in size: when it is full it becomes `NAME.1`, what was that becomes `NAME.2`, and so on; the oldest
//! goes away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// For its owner alone, as it holds inputs and outputs.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// A log file.
pub struct RotatingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    /// How many full ones are kept besides.
    kept: u32,
}

impl RotatingFile {
    /// Opens the file for appending; makes its directory. `bytes_max` is the size at which another one is begun.
    pub fn open(path: &Path, bytes_max: u64, kept: u32) -> io::Result<RotatingFile> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory)?;
        }
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        Ok(RotatingFile { path: path.to_owned(), file, bytes, bytes_max, kept })
    }

    /// Appends whole lines. They are not split over two files.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes.saturating_add(lines.len() as u64) > self.bytes_max {
            self.rotate()?;
        }
        self.file.write_all(lines)?;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.kept == 0 {
            self.file.set_len(0)?;
        } else {
            for number in (1..self.kept).rev() {
                let older = self.numbered(number);
                if older.exists() {
                    fs::rename(older, self.numbered(number + 1))?;
                }
            }
            fs::rename(&self.path, self.numbered(1))?;
            self.file = open(&self.path)?;
        }
        self.bytes = 0;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_files_are_kept_in_order_and_bounded() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("logs/executions.jsonl");
        let mut file = RotatingFile::open(&path, 8, 2).expect("opens");
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n", "longer than the bound\n", "six\n"] {
            file.append(line.as_bytes()).expect("appends");
        }
        drop(file);
        let mut file = RotatingFile::open(&path, 8, 2).expect("opens again");
        file.append(b"7\n").expect("appends");
        let read = |name: &str| fs::read_to_string(directory.path().join("logs").join(name)).ok();
        assert_eq!(read("executions.jsonl").as_deref(), Some("six\n7\n"));
        assert_eq!(read("executions.jsonl.1").as_deref(), Some("longer than the bound\n"));
        assert_eq!(read("executions.jsonl.2").as_deref(), Some("five\n"));
        assert_eq!(read("executions.jsonl.3"), None);
    }
}
