//! Why a directory cannot be opened, in sentences for the person who named it; and SQLite's errors as ours.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::log::Fault;
use super::pages;
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
    /// There is a store where one is to be put.
    #[error("{} is there already: name a directory that has no store", file.display())]
    Exists { file: PathBuf },
    /// A later version wrote the store.
    #[error(
        "{} has schema version {found}, and this program knows versions up to {known}: use {}",
        file.display(), reader(release)
    )]
    Newer { file: PathBuf, found: u32, known: u32, release: Option<String> },
    /// A later version wrote the log.
    #[error(
        "{} has records of format version {found}, and this program reads versions up to {known}: use {}",
        file.display(), reader(release)
    )]
    NewerLog { file: PathBuf, found: u32, known: u32, release: Option<String> },
    /// Something that was acknowledged is missing, or may be.
    #[error(
        "{}: {found}. `stepwright store repair --data-dir {}` says what can be saved and what would be given up; \
         or restore the directory from a backup",
        file.display(), directory.display()
    )]
    Lost { directory: PathBuf, file: PathBuf, found: String },
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

impl OpenError {
    pub(super) fn lost(directory: &Path, fault: Fault) -> OpenError {
        OpenError::Lost { directory: directory.into(), file: fault.file, found: fault.found }
    }
}

/// Which release reads what a later one wrote.
fn reader(release: &Option<String>) -> String {
    match release {
        Some(release) => format!("Stepwright {release}, which wrote it, or a later release"),
        None => "the release of Stepwright that wrote it, or a later one".into(),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => StoreError::Corrupt(error.to_string()),
            _ if pages::is_damage(&error) => {
                StoreError::Corrupt("a page of the database does not match its checksum".into())
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}
