//! Checksums of the database's pages: every page that is read from the file is verified, so that a flipped bit is an error and
//! never an execution that does not exist.
//!
//! SQLite leaves the last 8 bytes of each page to us (`reserved bytes`, which the file's header says). There lies, with four
//! zeros behind it, the CRC-32 of the page's number and of all before. It is written when a page goes to the database file, which is
//! at a checkpoint, and verified when a page is read from there. SQLite's write-ahead log has checksums of its own, which it
//! verifies after a crash.

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use rusqlite::{Connection, ffi};

pub(super) const PAGE_BYTES: usize = 4096;
/// How many bytes of each page are ours.
pub(super) const RESERVED_BYTES: u8 = 8;

const DATA_BYTES: usize = PAGE_BYTES - RESERVED_BYTES as usize;
/// Where in the header of a file the way is noted in which it is written and read; 2: with a write-ahead log.
const WRITE_AHEAD_AT: usize = 18;

type Page = [u8; PAGE_BYTES];

fn seal(number: u64, page: &mut Page) {
    let checksum = checksum(number, page).to_le_bytes();
    if let Some(last) = page.last_chunk_mut::<{ RESERVED_BYTES as usize }>() {
        *last = [checksum[0], checksum[1], checksum[2], checksum[3], 0, 0, 0, 0];
    }
}

fn is_as_written(number: u64, page: &Page) -> bool {
    let last = page.last_chunk::<{ RESERVED_BYTES as usize }>();
    last.is_some_and(|last| {
        last.starts_with(&checksum(number, page).to_le_bytes()) && last.ends_with(&[0; 4])
    })
}

fn checksum(number: u64, page: &Page) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(page.get(..DATA_BYTES).unwrap_or_default());
    hasher.finalize()
}

/// Gives every page of a database that nobody has open its checksum, and has it opened with a write-ahead log from now on.
pub(super) fn seal_file(path: &Path) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let pages = file.metadata()?.len() / PAGE_BYTES as u64;
    let mut page = [0; PAGE_BYTES];
    for number in 1..=pages {
        let at = (number - 1) * PAGE_BYTES as u64;
        file.read_exact_at(&mut page, at)?;
        if number == 1 {
            page[WRITE_AHEAD_AT..WRITE_AHEAD_AT + 2].fill(2);
        }
        seal(number, &mut page);
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&page)?;
    }
    file.sync_all()
}

/// The numbers of pages of a database file that are not as they were written, at most so many.
pub(super) fn damaged(path: &Path, most: usize) -> io::Result<Vec<u64>> {
    let mut file = io::BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut page = [0; PAGE_BYTES];
    let mut damaged = Vec::new();
    for number in 1.. {
        match file.read_exact(&mut page) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            other => other?,
        }
        // One that was never in use was never written.
        if !is_as_written(number, &page) && page.iter().any(|byte| *byte != 0) {
            damaged.push(number);
        }
        if damaged.len() >= most {
            break;
        }
    }
    Ok(damaged)
}

/// Has SQLite leave our bytes free in the file that it makes next of this database.
pub(super) fn reserve(connection: &Connection) -> rusqlite::Result<()> {
    let mut bytes = c_int::from(RESERVED_BYTES);
    // SAFETY: the handle is valid as long as the connection is borrowed; this operation reads and writes one `int`, which
    // `bytes` is.
    let code = unsafe {
        let argument = (&raw mut bytes).cast::<c_void>();
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_RESERVE_BYTES,
            argument,
        )
    };
    outcome(code)
}

/// What SQLite calls for a file, with ours in place of two of them.
struct Methods {
    /// Where the originals are.
    original: usize,
    read: ReadMethod,
    write: WriteMethod,
    ours: ffi::sqlite3_io_methods,
}

type ReadMethod =
    unsafe extern "C" fn(*mut ffi::sqlite3_file, *mut c_void, c_int, ffi::sqlite3_int64) -> c_int;
type WriteMethod =
    unsafe extern "C" fn(*mut ffi::sqlite3_file, *const c_void, c_int, ffi::sqlite3_int64) -> c_int;

/// One for the process: files of the same file system have the same methods.
static METHODS: OnceLock<Methods> = OnceLock::new();

/// Has every page of the connection's database file verified when it is read, and sealed when it is written. For a file whose
/// header reserves our bytes, before the first statement.
pub(super) fn verify_reads(connection: &Connection) -> rusqlite::Result<()> {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: the handle is valid as long as the connection is borrowed; this operation writes one pointer, which `file` is.
    let code = unsafe {
        let argument = (&raw mut file).cast::<c_void>();
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_FILE_POINTER,
            argument,
        )
    };
    outcome(code)?;
    if file.is_null() {
        return outcome(ffi::SQLITE_MISUSE);
    }
    // SAFETY: SQLite owns the file as long as the connection is open, and nobody else uses a connection that we have borrowed and
    // that is not shared. `pMethods` is the table that SQLite calls for this file, as its interface says; it is never null
    // while the file is open, and never written by SQLite before the file is closed. The table that we put there lives as
    // long as the process, has the version and all methods of the original, and its two own methods call the original's.
    unsafe {
        let original = (*file).pMethods;
        let (Some(read), Some(write)) = ((*original).xRead, (*original).xWrite) else {
            return outcome(ffi::SQLITE_MISUSE);
        };
        let methods = METHODS.get_or_init(|| {
            let ours = ffi::sqlite3_io_methods {
                xRead: Some(read_verified),
                xWrite: Some(write_sealed),
                ..*original
            };
            Methods { original: original as usize, read, write, ours }
        });
        if std::ptr::eq(original, &methods.ours) {
            return Ok(());
        }
        if methods.original != original as usize {
            return outcome(ffi::SQLITE_MISUSE);
        }
        (*file).pMethods = &methods.ours;
    }
    Ok(())
}

/// The number of the page that lies there, when it is one.
fn page_number(amount: c_int, offset: ffi::sqlite3_int64) -> Option<u64> {
    let offset = u64::try_from(offset).ok()?;
    (usize::try_from(amount) == Ok(PAGE_BYTES) && offset.is_multiple_of(PAGE_BYTES as u64))
        .then_some(offset / PAGE_BYTES as u64 + 1)
}

unsafe extern "C" fn read_verified(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let Some(methods) = METHODS.get() else { return ffi::SQLITE_MISUSE };
    // SAFETY: SQLite's arguments, handed on to the method that it would have called.
    let code = unsafe { (methods.read)(file, buffer, amount, offset) };
    let Some(number) = page_number(amount, offset).filter(|_| code == ffi::SQLITE_OK) else { return code };
    // SAFETY: the buffer has `amount` bytes, which is a page's, and all were read.
    let page = unsafe { &*buffer.cast::<Page>() };
    if is_as_written(number, page) { code } else { ffi::SQLITE_IOERR_DATA }
}

unsafe extern "C" fn write_sealed(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    amount: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let Some(methods) = METHODS.get() else { return ffi::SQLITE_MISUSE };
    let mut page: Page;
    let from = match page_number(amount, offset) {
        Some(number) => {
            // SAFETY: the buffer has `amount` bytes, which is a page's.
            page = unsafe { *buffer.cast::<Page>() };
            seal(number, &mut page);
            page.as_ptr().cast::<c_void>()
        }
        None => buffer,
    };
    // SAFETY: SQLite's arguments, handed on to the method that it would have called; or a page of ours in place of one of
    // SQLite's of the same length, which the method does not keep.
    unsafe { (methods.write)(file, from, amount, offset) }
}

fn outcome(code: c_int) -> rusqlite::Result<()> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

/// Whether SQLite failed because a page was not as it was written.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_DATA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_only_whole_and_in_its_place() {
        let mut page = [3; PAGE_BYTES];
        seal(7, &mut page);
        assert!(is_as_written(7, &page) && !is_as_written(8, &page));
        for bit in 0..PAGE_BYTES * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_as_written(7, &page), "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
