//! Why a directory cannot be opened, in sentences for the person who named it; and SQLite's errors as ours.

use std::path::PathBuf;

use thiserror::Error;

use crate::StoreError;

/// Why a store was not opened. The directory is as it was.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has the directory open.
    #[error(
        "the directory {} is in use by {holder}: stop it, or name another directory",
        directory.display()
    )]
    InUse { directory: PathBuf, holder: String },
    /// The store's file is there but is not a store.
    #[error("{} is not a Stepwright store ({found}): name another directory, or move the file away", file.display())]
    Foreign { file: PathBuf, found: String },
    /// A later version wrote the store.
    #[error(
        "{} has schema version {found}, and this program knows versions up to {known}: use a newer Stepwright",
        file.display()
    )]
    Newer { file: PathBuf, found: u32, known: u32 },
    /// The store is ours but cannot be read.
    #[error("{} is damaged ({found}): restore the directory from a backup, or name another one", file.display())]
    Damaged { file: PathBuf, found: String },
    /// The SQLite library that was linked can lose commits.
    #[error("SQLite {found} is linked, and at least 3.51.3 is needed: build with the bundled SQLite")]
    SqliteTooOld { found: &'static str },
    /// The file system answered with an error.
    #[error("{} cannot be opened", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// SQLite answered with an error.
    #[error("{} cannot be opened", file.display())]
    Sqlite { file: PathBuf, source: rusqlite::Error },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Failed(error.to_string()),
        }
    }
}
