//! Opening a directory: whose it is, whether it is free, and what state it is in; or creating the store in it.
//!
//! Nothing is touched before the file is known to be ours: its header is read by hand first. A new database is built
//! under another name and renamed when it is complete and on disk.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::pages::{self, PAGE_BYTES, RESERVED_BYTES};
use super::schema::{self, APPLICATION_ID, VERSION};
use super::{EmbeddedOptions, OpenError, Sizes};

const DATABASE: &str = "stepwright.db";
/// A database that is being created.
const DATABASE_NEW: &str = "stepwright.db.new";
/// Locked by the process that has the directory open; holds its id.
const LOCK: &str = "stepwright.lock";

/// 3.51.3: versions before can lose commits when the log is reset (<https://sqlite.org/wal.html#walresetbug>).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long the connection that writes waits for a lock; nobody else should hold one.
pub(super) const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The log file is cut back to this size after a surge; as a rule it stays, since overwriting is cheaper than growing.
const LOG_BYTES_KEPT: i64 = 64 << 20;

/// The database file of a store.
pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// How much disk the files of a store take; those that are not there take none.
pub(super) fn sizes(directory: &Path) -> Sizes {
    let bytes = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let file = database(directory);
    Sizes {
        database: bytes(&file),
        database_log: ["-wal", "-shm"].iter().map(|suffix| bytes(&beside(&file, suffix))).sum(),
        log: super::log::paths(directory).iter().map(|path| bytes(path)).sum(),
    }
}

/// What is locked while a store is open: closing the files unlocks them.
pub(super) struct Locks {
    _directory: File,
    _holder: File,
    _database: File,
}

/// Opens the store of the directory, or creates it: the locks, and the connection that writes.
pub(super) fn open(options: &EmbeddedOptions) -> Result<(Locks, Connection), OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { found: rusqlite::version() });
    }
    let directory = &options.directory;
    // Before anything is written, lest a directory that is not ours gets a lock file; and again once nobody else can
    // be at work in it.
    look(directory)?;
    make(directory)?;
    let (_directory, _holder) = lock(directory)?;
    if !look(directory)? {
        create(directory)?;
    }
    reserve(directory)?;
    let _database = lock_database(directory)?;
    let connection = connect(options)?;
    Ok((Locks { _directory, _holder, _database }, connection))
}

/// Whether there is a database, that can be opened as far as its header tells.
pub(super) fn look(directory: &Path) -> Result<bool, OpenError> {
    let file = database(directory);
    let mut header = Vec::new();
    match File::open(&file) {
        Ok(opened) => {
            opened.take(HEADER_BYTES as u64).read_to_end(&mut header).map_err(io(&file))?;
            check_header(&file, &header)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // The logs of a database that is gone would be taken for the new one's.
            let logs = super::log::all_paths(directory);
            if logs.iter().chain([&beside(&file, "-wal")]).any(|log| log.exists()) {
                let found = "the file is missing, though its log is there".into();
                return Err(OpenError::Damaged { file, found });
            }
            Ok(false)
        }
        Err(error) => Err(io(&file)(error)),
    }
}

const HEADER_BYTES: usize = 100;

/// Judges the first bytes of a database file (<https://sqlite.org/fileformat2.html#the_database_header>).
fn check_header(file: &Path, header: &[u8]) -> Result<(), OpenError> {
    let number = |offset: usize| {
        let bytes = header.get(offset..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
    };
    let foreign = |found: &str| Err(OpenError::Foreign { file: file.into(), found: found.into() });
    if header.is_empty() {
        return foreign("it is empty");
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return foreign("it is not a database, or its first bytes are damaged");
    }
    if header.len() >= HEADER_BYTES && number(68) != APPLICATION_ID {
        return foreign("it is the database of another program");
    }
    let version = number(60);
    if version > VERSION {
        return Err(newer(file, version));
    }
    // Page size; written and read with a log; what is reserved, nothing by the first versions; the three fractions that are always the same.
    let [high, low] = (PAGE_BYTES as u16).to_be_bytes();
    let is_as_written = |reserved: u8| header.get(16..24) == Some(&[high, low, 2, 2, reserved, 64, 32, 32]);
    if header.len() < HEADER_BYTES || !(is_as_written(RESERVED_BYTES) || is_as_written(0)) {
        return Err(OpenError::Damaged {
            file: file.into(),
            found: "its header is not as it was written".into(),
        });
    }
    Ok(())
}

/// The refusal of what a later release wrote, which the file names.
fn newer(file: &Path, found: u32) -> OpenError {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    // As it lies there: nothing is to be touched.
    let name = format!("file:{}?immutable=1", escaped(file));
    let release = Connection::open_with_flags(name, flags)
        .and_then(|connection| connection.query_row("SELECT release FROM log", [], |row| row.get(0)));
    OpenError::Newer { file: file.into(), found, known: VERSION, release: release.unwrap_or_default() }
}

/// A path as a URI has it.
fn escaped(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

/// Locks the directory itself, whatever becomes of the files in it; and the file that says who has it, which is what earlier
/// versions lock.
pub(super) fn lock(directory: &Path) -> Result<(File, File), OpenError> {
    let path = directory.join(LOCK);
    let opened = File::open(directory).map_err(io(directory))?;
    try_lock(&opened, directory, directory)?;
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io(&path))?;
    try_lock(&file, &path, directory)?;
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
    written.map_err(io(&path))?;
    Ok((opened, file))
}

/// The same database may be reached by several directories. Kept open as long as SQLite has it: closing it would take away
/// the locks that SQLite holds on it.
fn lock_database(directory: &Path) -> Result<File, OpenError> {
    let path = database(directory);
    let file = File::options().read(true).write(true).open(&path).map_err(io(&path))?;
    try_lock(&file, &path, directory)?;
    Ok(file)
}

fn try_lock(file: &File, path: &Path, directory: &Path) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(OpenError::InUse { directory: directory.into(), holder: holder(directory) })
        }
        Err(TryLockError::Error(error)) => Err(io(path)(error)),
    }
}

/// Who has the directory. A courtesy: the locks are what counts.
fn holder(directory: &Path) -> String {
    let mut id = String::new();
    if let Ok(file) = File::open(directory.join(LOCK)) {
        let _ = file.take(20).read_to_string(&mut id);
    }
    match id.trim() {
        "" => "another process".into(),
        id if id == std::process::id().to_string() => "this process".into(),
        id => format!("process {id}"),
    }
}

/// Creates an empty database: complete and on disk before it has its name.
fn create(directory: &Path) -> Result<(), OpenError> {
    let new = new_database(directory)?;
    build(&new).map_err(|source| OpenError::Sqlite { file: new.clone(), source })?;
    put_in_place(directory, &new)
}

/// Makes a directory for its owner alone: what is kept there holds inputs and outputs.
pub(super) fn make(directory: &Path) -> Result<(), OpenError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory).map_err(io(directory))
}

/// Takes the permissions away that others have.
#[cfg(unix)]
fn close_to_others(file: &Path) -> std::io::Result<()> {
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn close_to_others(_file: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A database that was made under another name gets its own, complete and on disk.
pub(super) fn put_in_place(directory: &Path, new: &Path) -> Result<(), OpenError> {
    close_to_others(new).and_then(|()| pages::seal_file(new)).map_err(io(new))?;
    let file = database(directory);
    fs::rename(new, &file).map_err(io(&file))?;
    sync(directory).map_err(io(directory))
}

/// The name under which a database is made; what a process left there that was killed is removed.
pub(super) fn new_database(directory: &Path) -> Result<PathBuf, OpenError> {
    let new = directory.join(DATABASE_NEW);
    for path in [new.clone(), beside(&new, "-journal"), beside(&new, "-wal"), beside(&new, "-shm")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(&path)(error)),
            _ => {}
        }
    }
    Ok(new)
}

/// A database of the first versions, whose pages have no checksums, is written anew with them.
fn reserve(directory: &Path) -> Result<(), OpenError> {
    let file = database(directory);
    let mut header = [0; HEADER_BYTES];
    File::open(&file).and_then(|mut opened| opened.read_exact(&mut header)).map_err(io(&file))?;
    if is_of_first_versions(&header) { write_anew(directory) } else { Ok(()) }
}

/// Whether the pages of the database that begins so have no checksums.
pub(super) fn is_of_first_versions(header: &[u8]) -> bool {
    header.get(RESERVED_AT) != Some(&RESERVED_BYTES)
}

/// Where a database's header says how many bytes of each page are not SQLite's.
const RESERVED_AT: usize = 20;

/// Writes the database anew, without what was deleted in it. Whoever calls has the directory.
pub(super) fn write_anew(directory: &Path) -> Result<(), OpenError> {
    let _lock = lock_database(directory)?;
    let (file, new) = (database(directory), new_database(directory)?);
    let mut header = [0; HEADER_BYTES];
    File::open(&file).and_then(|mut opened| opened.read_exact(&mut header)).map_err(io(&file))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags).map_err(unreadable(&file))?;
    if !is_of_first_versions(&header) {
        pages::verify_reads(&connection).map_err(unreadable(&file))?;
    }
    let written = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .and_then(|()| connection.pragma_update(None, "auto_vacuum", "INCREMENTAL"))
        .and_then(|()| copy_into(&connection, &new));
    written.map_err(unreadable(&file))?;
    connection.close().map_err(|(_, error)| unreadable(&file)(error))?;
    if beside(&file, "-wal").exists() {
        let found = "its write-ahead log cannot be folded".into();
        return Err(OpenError::Damaged { file, found });
    }
    put_in_place(directory, &new)
}

/// Writes a complete copy under a name that there is not.
pub(super) fn copy_into(connection: &Connection, new: &Path) -> rusqlite::Result<()> {
    pages::reserve(connection)?;
    connection.execute("VACUUM INTO ?1", [new.to_string_lossy()]).map(|_| ())
}

fn build(file: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(file)?;
    pages::reserve(&connection)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES as u32)?;
    // Free pages can be given back to the file system.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    // A half-built file is thrown away, so that one flush, of the whole, will do.
    connection.pragma_update(None, "synchronous", "OFF")?;
    schema::migrate(&connection)?;
    // Until somebody opens it.
    connection.execute("UPDATE log SET opened = 0", [])?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// Makes the file's new name durable. Only Unix has (and needs) this.
#[cfg(unix)]
pub(super) fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync(_directory: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The connection that writes, on a database that has all migrations.
fn connect(options: &EmbeddedOptions) -> Result<Connection, OpenError> {
    let file = database(&options.directory);
    let connection = configure(&file, options).map_err(unreadable(&file))?;
    let found = schema::version(&connection).map_err(unreadable(&file))?;
    if found > VERSION {
        return Err(newer(&file, found));
    }
    if found < VERSION {
        schema::migrate(&connection).map_err(unreadable(&file))?;
        // The header of the file itself is what `check_header` sees.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(unreadable(&file))?;
    }
    Ok(connection)
}

fn configure(file: &Path, options: &EmbeddedOptions) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    pages::verify_reads(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    super::readers::plan_once(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -i64::from(options.writer_cache_kib))?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    // The writer folds the log by itself, after it has answered.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

pub(super) fn unreadable(file: &Path) -> impl Fn(rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    move |source| match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            OpenError::Damaged { file: file.into(), found: source.to_string() }
        }
        _ if pages::is_damage(&source) => {
            OpenError::Damaged { file: file.into(), found: "a page does not match its checksum".into() }
        }
        _ => OpenError::Sqlite { file: file.into(), source },
    }
}

pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> OpenError {
    move |source| OpenError::Io { path: path.into(), source }
}

/// The file that SQLite keeps beside a database.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
