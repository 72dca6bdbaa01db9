//! What an operator does with a directory: look at sizes, verify, write anew, back up, restore, repair.
//!
//! All but a backup, a verification and the sizes need the directory for themselves.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::directory::{self, database, io, unreadable};
use super::log::{Entry, Scan, all_paths};
use super::{Damaged, Embedded, EmbeddedOptions, OpenError, inspect, pages, read, readers};
use crate::{Mutation, Status};

/// How long a server may take until the database has what was acknowledged when a backup was asked for.
const FOLD_MAX: Duration = Duration::from_secs(60);
const FOLD_POLL: Duration = Duration::from_millis(20);
/// The most findings that are told.
pub const FINDINGS_MAX: usize = 100;

/// How much space is taken, in bytes.
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// The files of the store.
    pub files: Vec<(PathBuf, u64)>,
    /// Tables and indexes, the largest first.
    pub tables: Vec<(String, u64)>,
    /// In the database file, of what was deleted: used again, and given back by [`compact`].
    pub free: u64,
    /// How many executions there are of each status.
    pub executions: Vec<(Status, u64)>,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// What is wrong, a sentence each, at most [`FINDINGS_MAX`].
    pub findings: Vec<String>,
    pub pages: u64,
    /// Rows whose checksum was verified.
    pub rows: u64,
    /// A server has the directory: its log, which it is writing, was not looked at.
    pub is_in_use: bool,
}

/// What is wrong with a log, and what a repair gives up.
#[derive(Clone, Debug)]
pub struct Loss {
    pub file: PathBuf,
    pub found: String,
    /// Everything up to this record is kept.
    pub kept: u64,
    /// The newest record of which there is any trace, or that is known to have been acknowledged.
    pub newest: u64,
    /// Records that are whole and cannot be used, because one before them is missing.
    pub readable: u64,
    /// What those say of executions.
    pub executions: Vec<String>,
}

/// How much space the store of a directory takes. A server may be running.
pub fn sizes(options: &EmbeddedOptions) -> Result<Sizes, OpenError> {
    let file = database(&options.directory);
    let connection = reading(options)?;
    let sqlite = unreadable(&file);
    let mut sizes = Sizes::default();
    let beside = ["-wal", "-shm"].map(|suffix| directory::beside(&file, suffix));
    for path in [file.clone()].into_iter().chain(beside).chain(all_paths(&options.directory)) {
        match fs::metadata(&path) {
            Ok(metadata) => sizes.files.push((path, metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io(&path)(error)),
        }
    }
    sizes.tables = inspect::table_sizes(&connection).map_err(&sqlite)?;
    sizes.free = inspect::free_pages(&connection).map_err(&sqlite)? * pages::PAGE_BYTES as u64;
    for status in Status::ALL {
        let count = inspect::count(&connection, status).map_err(&sqlite)?;
        sizes.executions.push((status, count));
    }
    Ok(sizes)
}

/// Reads everything and checks every checksum. A server may be running.
pub fn verify(options: &EmbeddedOptions) -> Result<Verified, OpenError> {
    let file = database(&options.directory);
    let mut verified = Verified::default();
    let locks = match directory::lock(&options.directory) {
        Ok(locks) => Some(locks),
        Err(OpenError::InUse { .. }) => None,
        Err(error) => return Err(error),
    };
    verified.is_in_use = locks.is_none();
    if locks.is_some() {
        // While nobody writes, page by page: it tells all that are damaged.
        let damaged = pages::damaged(&file, FINDINGS_MAX).map_err(io(&file))?;
        let told =
            damaged.iter().map(|page| format!("{}: page {page} does not match its checksum", file.display()));
        verified.findings.extend(told);
    }
    let connection = match reading(options) {
        Ok(connection) => connection,
        Err(error @ OpenError::Damaged { .. }) => {
            verified.findings.push(error.to_string());
            return Ok(verified);
        }
        Err(error) => return Err(error),
    };
    if locks.is_some() {
        let expected = read::log(&connection).map_err(unreadable(&file))?;
        let scan = Scan::new(&options.directory, expected)?;
        scan.check_versions()?;
        verified
            .findings
            .extend(scan.fault().map(|fault| format!("{}: {}", fault.file.display(), fault.found)));
    }
    verified.pages = inspect::pages(&connection).map_err(unreadable(&file))?;
    inspect::verify(&connection, FINDINGS_MAX, &mut verified.findings, &mut verified.rows);
    Ok(verified)
}

/// Writes the database anew, without the space of what was deleted. Returns its size before and after.
pub fn compact(options: &EmbeddedOptions) -> Result<(u64, u64), OpenError> {
    existing(options)?;
    let file = database(&options.directory);
    let length = || fs::metadata(&file).map(|metadata| metadata.len()).map_err(io(&file));
    Embedded::open(options.clone())?.close();
    let _locks = directory::lock(&options.directory)?;
    let before = length()?;
    directory::write_anew(&options.directory)?;
    Ok((before, length()?))
}

/// Writes a copy of the store into a new directory, which can be served or restored. A server may be running: what it had
/// acknowledged when this was called is in it. Returns the size.
pub fn backup(options: &EmbeddedOptions, to: &Path) -> Result<u64, OpenError> {
    existing(options)?;
    free(to)?;
    match Embedded::open(options.clone()) {
        Ok(store) => store.close(),
        Err(OpenError::InUse { .. }) => wait_until_folded(options)?,
        Err(error) => return Err(error),
    }
    directory::make(to)?;
    let new = directory::new_database(to)?;
    let connection = reading(options)?;
    directory::copy_into(&connection, &new).map_err(unreadable(&database(&options.directory)))?;
    drop(connection);
    let copy = Connection::open(&new).map_err(unreadable(&new))?;
    // It has no log.
    copy.execute("UPDATE log SET opened = 0", []).map_err(unreadable(&new))?;
    copy.close().map_err(|(_, error)| unreadable(&new)(error))?;
    directory::put_in_place(to, &new)?;
    let file = database(to);
    fs::metadata(&file).map(|metadata| metadata.len()).map_err(io(&file))
}

/// Puts a backup into a directory that has no store. Every page is verified first.
pub fn restore(from: &Path, directory: &Path) -> Result<u64, OpenError> {
    let backup = EmbeddedOptions::new(from);
    existing(&backup)?;
    free(directory)?;
    let verified = verify(&backup)?;
    if let Some(found) = verified.findings.into_iter().next() {
        return Err(OpenError::Damaged { file: database(from), found });
    }
    if verified.is_in_use || all_paths(from).iter().any(|path| path.exists()) {
        let found = "it has a log, so it is in use or was not closed: take a backup of it".into();
        return Err(OpenError::Foreign { file: database(from), found });
    }
    directory::make(directory)?;
    let _locks = directory::lock(directory)?;
    let new = directory::new_database(directory)?;
    let bytes = fs::copy(database(from), &new).map_err(io(&new))?;
    directory::put_in_place(directory, &new)?;
    Ok(bytes)
}

/// What is wrong with the log, if anything, and what [`repair`] would give up.
pub fn examine(options: &EmbeddedOptions) -> Result<Option<Loss>, OpenError> {
    existing(options)?;
    let (_locks, connection) = directory::open(options)?;
    let expected = read::log(&connection).map_err(unreadable(&database(&options.directory)))?;
    let scan = Scan::new(&options.directory, expected)?;
    scan.check_versions()?;
    let Some(fault) = scan.fault() else { return Ok(None) };
    let stranded = scan.stranded()?;
    let mut executions = Vec::new();
    for entry in stranded.iter().flat_map(|(_, entries)| entries) {
        if let Entry::Unit(mutations) = entry {
            executions.extend(mutations.iter().filter_map(begun_or_ended));
        }
    }
    Ok(Some(Loss {
        file: fault.file,
        found: fault.found,
        kept: scan.last(),
        newest: scan.newest(),
        readable: stranded.len() as u64,
        executions,
    }))
}

/// Gives up what [`examine`] says, and keeps the rest: the store can be opened again.
pub fn repair(options: &EmbeddedOptions) -> Result<(), OpenError> {
    existing(options)?;
    Embedded::open_as(options.clone(), Damaged::GiveUp)?.close();
    Ok(())
}

/// What an operator would miss.
fn begun_or_ended(mutation: &Mutation) -> Option<String> {
    match mutation {
        Mutation::CreateExecution(execution) => {
            Some(format!("start of execution {} of {}", execution.name, execution.machine))
        }
        Mutation::SetStatus { key, status, .. } => Some(format!("execution {key:?} became {status:?}")),
        _ => None,
    }
}

fn existing(options: &EmbeddedOptions) -> Result<(), OpenError> {
    if directory::look(&options.directory)? {
        return Ok(());
    }
    let file = database(&options.directory);
    Err(OpenError::Io { path: file, source: std::io::Error::new(ErrorKind::NotFound, "there is no store") })
}

/// Whether there is a store in the directory.
pub fn exists(directory: &Path) -> Result<bool, OpenError> {
    directory::look(directory)
}

/// Whether a store can be put into the directory.
fn free(directory: &Path) -> Result<(), OpenError> {
    if directory::look(directory)? {
        return Err(OpenError::Exists { file: database(directory) });
    }
    Ok(())
}

/// A connection for reading, whether or not a server runs.
fn reading(options: &EmbeddedOptions) -> Result<Connection, OpenError> {
    existing(options)?;
    let file = database(&options.directory);
    let mut header = [0; 100];
    File::open(&file)
        .and_then(|mut opened| std::io::Read::read_exact(&mut opened, &mut header))
        .map_err(io(&file))?;
    if directory::is_of_first_versions(&header) {
        let found = "it is of an earlier version: start the server of this one on it once".into();
        return Err(OpenError::Foreign { file, found });
    }
    readers::connect(options).map_err(unreadable(&file))
}

/// Until the database has what the log has now.
fn wait_until_folded(options: &EmbeddedOptions) -> Result<(), OpenError> {
    let file = database(&options.directory);
    let connection = reading(options)?;
    let expected = read::log(&connection).map_err(unreadable(&file))?;
    let wanted = Scan::new(&options.directory, expected)?.last();
    let until = Instant::now() + FOLD_MAX;
    while read::log(&connection).map_err(unreadable(&file))?.folded < wanted {
        if Instant::now() > until {
            let found = format!("the server has not folded record {wanted} within {} s", FOLD_MAX.as_secs());
            return Err(OpenError::Damaged { file, found });
        }
        pause();
    }
    Ok(())
}

/// The server is another process, which tells nobody.
#[allow(clippy::disallowed_methods, reason = "there is nothing to wait for but time")]
fn pause() {
    thread::sleep(FOLD_POLL);
}
