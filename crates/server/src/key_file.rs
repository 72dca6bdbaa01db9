//! The file with the keys: who may read it, and what happens when it changes.
//!
//! A changed file is read again; one that has become unusable leaves the keys as they are, so that a slip of the pen locks
//! nobody out.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::file_stamp::FileStamp;
use crate::keys::{KeyRing, Keys, KeysError};

/// Bytes of a credentials file.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why a credentials file cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error("{} cannot be read", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} can be read by others (mode {mode:04o}); secrets are for their owner alone: chmod 600 {}",
        .path.display(), .path.display()
    )]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("{} is longer than {FILE_BYTES_MAX} bytes", .path.display())]
    TooLong { path: PathBuf },
    #[error("{} cannot be used: {source}", .path.display())]
    Text { path: PathBuf, source: KeysError },
}

/// A credentials file and the keys that were last read from it.
pub struct KeyFile {
    path: PathBuf,
    ring: Arc<KeyRing>,
    seen: Mutex<FileStamp>,
}

impl KeyFile {
    /// Reads the file.
    pub fn open(path: &Path) -> Result<KeyFile, KeyFileError> {
        let (keys, stamp) = read(path)?;
        let ring = Arc::new(KeyRing::new(keys));
        Ok(KeyFile { path: path.to_owned(), ring, seen: Mutex::new(stamp) })
    }

    /// The keys, which follow the file with [`KeyFile::reload_if_changed`].
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.clone()
    }

    /// Reads the file again if it is not as it was. `Some` with the number of keys when they were exchanged; an error leaves
    /// the keys as they are and is not repeated until the file changes once more.
    pub fn reload_if_changed(&self) -> Result<Option<usize>, KeyFileError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = FileStamp::at(&self.path);
        if now == *seen {
            return Ok(None);
        }
        *seen = now;
        let (keys, stamp) = read(&self.path)?;
        *seen = stamp;
        let count = keys.count();
        self.ring.replace(keys);
        Ok(Some(count))
    }
}

fn read(path: &Path) -> Result<(Keys, FileStamp), KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    // Looked at through the open file, so that it is the one that is read.
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::ReadableByOthers { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(KeyFileError::TooLong { path: path.to_owned() });
    }
    let keys =
        Keys::from_text(&text).map_err(|source| KeyFileError::Text { path: path.to_owned(), source })?;
    Ok((keys, FileStamp::of(&metadata)))
}
