//! Whether a function's code has changed, so that an edited function runs as it is now and not as a warm process has it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Files and directories that are looked at: enough for the code itself, and soon done.
const ENTRIES_MAX: usize = 1000;
/// Directories within each other.
const DEPTH_MAX: usize = 8;
/// Installed packages and what tools write: many files, and none that anybody edits.
const SKIPPED: [&str; 4] = ["node_modules", "__pycache__", "site-packages", "target"];
/// Endings of files that are code or read by it. Other files may be a function's own doing, and must not end its process.
const ENDINGS: [&str; 10] = ["py", "js", "mjs", "cjs", "json", "yaml", "yml", "toml", "sh", "txt"];

/// A state of a function's code: the latest change and the number of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeVersion {
    changed: Option<SystemTime>,
    files: usize,
}

/// The state of a function's code when it was last looked at.
#[derive(Debug, Default)]
pub struct Code {
    seen: Mutex<Option<(Instant, CodeVersion)>>,
}

impl Code {
    /// The state of the code. It is looked at anew when the last look is older than `interval`.
    pub fn current(&self, directory: &Path, interval: Duration) -> CodeVersion {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((at, version)) if at.elapsed() < interval => version,
            _ => {
                let version = look(directory);
                *seen = Some((Instant::now(), version));
                version
            }
        }
    }
}

/// Errors count as nothing there: starting the process tells them better.
fn look(directory: &Path) -> CodeVersion {
    let mut version = CodeVersion { changed: None, files: 0 };
    let mut entries = 0;
    let mut directories = vec![(directory.to_owned(), 0)];
    while let Some((directory, depth)) = directories.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            entries += 1;
            if entries > ENTRIES_MAX {
                return version;
            }
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir()
                && depth < DEPTH_MAX
                && !name.starts_with('.')
                && !SKIPPED.contains(&name.as_ref())
            {
                directories.push((path, depth + 1));
            } else if kind.is_file() && is_code(&path) {
                version.files += 1;
                let changed = entry.metadata().and_then(|metadata| metadata.modified()).ok();
                version.changed = version.changed.max(changed);
            }
        }
    }
    version
}

fn is_code(path: &Path) -> bool {
    match path.extension() {
        Some(ending) => ENDINGS.iter().any(|known| ending == *known),
        None => path.file_name().is_some_and(|name| name == "bootstrap"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            std::fs::write(path, name).expect("a file");
        };
        write("a.py");
        let code = Code::default();
        let first = code.current(directory.path(), Duration::ZERO);
        write("out.bin");
        write("node_modules/x.js");
        assert_eq!(code.current(directory.path(), Duration::ZERO), first, "neither is the code");
        write("package/b.py");
        assert_eq!(code.current(directory.path(), Duration::from_secs(60)), first, "not looked at yet");
        assert_ne!(code.current(directory.path(), Duration::ZERO), first);
    }
}
