//! The log: what is acknowledged is durable here first, one record and one flush for each batch.
//!
//! Two files take turns. One is written from its beginning to its end, then the other, once the database has all that the
//! other holds; their blocks are overwritten, not allocated anew, which halves what a flush costs. While a file is still
//! growing, zeros are written some way ahead for the same reason. A record begins at a multiple of 4 KiB, so that no flush
//! touches a block that an earlier one has made durable. When nothing happens any more, the files are cut back.
//!
//! Records count up over both files. Opening the log takes a position too, without a record, so that what a crash left
//! unfinished is never mistaken for what was written after it. What can be made of the files after a crash is in [`scan`],
//! and why in `docs/design/log-damage.md`.

mod entry;
mod mark;
mod record;
mod scan;
mod sector;

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub(super) use entry::Entry;
use mark::{Known, Mark};
pub(super) use record::Record;
pub(super) use scan::{Expected, Fault, Opened, Scan};

/// The two files.
const FILES: [&str; 2] = ["stepwright.log-0", "stepwright.log-1"];

/// A file grows by this: one flush in many has to allocate, and none has to write long.
const GROWTH_BYTES: u64 = 256 << 10;

/// What both files may take while nothing happens.
const KEPT_BYTES: u64 = 4 * GROWTH_BYTES;

/// The log, as it is written.
pub(super) struct Log {
    files: [LogFile; 2],
    /// Which file is being written.
    current: usize,
    /// Where in it the next record goes.
    offset: u64,
    next_position: u64,
    /// Where a file ends, unless one record alone is longer.
    file_bytes: u64,
    mark: Mark,
}

struct LogFile {
    file: File,
    /// How long the file is; all of it has been written.
    bytes: u64,
    /// The position of the last record that was written to it.
    last_position: u64,
}

/// The paths of the files in a directory.
pub(super) fn paths(directory: &Path) -> [PathBuf; 2] {
    FILES.map(|name| directory.join(name))
}

/// The paths of all that belongs to the log.
pub(super) fn all_paths(directory: &Path) -> [PathBuf; 3] {
    let [one, other] = paths(directory);
    [one, other, mark::path(directory)]
}

impl Log {
    /// The log of a store whose database has everything up to the position `folded`. What the files hold is overwritten.
    pub fn open(directory: &Path, folded: u64, file_bytes: u64) -> io::Result<Log> {
        let open = |path: PathBuf| -> io::Result<LogFile> {
            let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(in_use(&path)),
                Err(TryLockError::Error(error)) => return Err(error),
                Ok(()) => {}
            }
            Ok(LogFile { bytes: file.metadata()?.len(), file, last_position: folded })
        };
        let [one, other] = paths(directory);
        let mut log = Log {
            files: [open(one)?, open(other)?],
            current: 0,
            offset: 0,
            next_position: folded + 1,
            file_bytes,
            mark: Mark::open(directory)?,
        };
        log.begin(0)?;
        Ok(log)
    }

    /// The position that the next record has.
    pub fn next_position(&self) -> u64 {
        self.next_position
    }

    /// Where the record has to wait: the position up to which the database must have everything before it can be appended.
    pub fn needs_folded(&self, record: &Record) -> u64 {
        if self.fits(record) { 0 } else { self.other().last_position }
    }

    /// Whether a record of so many bytes can be appended without waiting.
    pub fn has_room(&self, bytes: u64) -> bool {
        self.offset + bytes <= self.file_bytes
    }

    /// Writes the record and makes it durable. Its position is [`Log::next_position`].
    pub fn append(&mut self, record: &mut Record) -> io::Result<()> {
        let fits = self.fits(record);
        if !fits {
            self.begin(1 - self.current)?;
        }
        let lengths = self.files.each_ref().map(|log_file| log_file.bytes.min(self.file_bytes));
        self.mark.write(Known { position: self.next_position - 1, lengths })?;
        let bytes = record.seal(self.next_position);
        let end = self.offset + bytes.len() as u64;
        let Some(log_file) = self.files.get_mut(self.current) else { return Ok(()) };
        log_file.file.write_all(bytes)?;
        if end > log_file.bytes {
            log_file.grow(end, end.next_multiple_of(GROWTH_BYTES).min(self.file_bytes.max(end)))?;
        }
        log_file.file.sync_data()?;
        log_file.last_position = self.next_position;
        self.offset = end;
        self.next_position += 1;
        Ok(())
    }

    /// Gives back what the files take, if it is much. The database has everything that was appended.
    pub fn cut(&mut self) -> io::Result<()> {
        if self.files.iter().map(|log_file| log_file.bytes).sum::<u64>() <= KEPT_BYTES {
            return Ok(());
        }
        // Never must the mark say that the files were longer than they are: it is waited for.
        self.mark.write(Known { position: self.next_position - 1, lengths: [0; 2] })?;
        self.mark.sync()?;
        for log_file in &mut self.files {
            log_file.file.set_len(0)?;
            log_file.file.sync_all()?;
            (log_file.bytes, log_file.last_position) = (0, self.next_position - 1);
        }
        self.begin(0)
    }

    /// Nothing can be written any more.
    #[cfg(test)]
    pub fn break_files(&mut self, directory: &Path) {
        for (log_file, path) in self.files.iter_mut().zip(paths(directory)) {
            log_file.file = File::open(path).expect("it was opened before");
        }
    }

    fn fits(&self, record: &Record) -> bool {
        self.offset == 0 || self.offset + record.sealed_bytes() as u64 <= self.file_bytes
    }

    fn other(&self) -> &LogFile {
        &self.files[1 - self.current.min(1)]
    }

    /// Goes to the beginning of a file. One that a long record had made longer is cut back.
    fn begin(&mut self, which: usize) -> io::Result<()> {
        self.current = which.min(1);
        self.offset = 0;
        let Some(LogFile { file, bytes, .. }) = self.files.get_mut(self.current) else { return Ok(()) };
        if *bytes > self.file_bytes {
            file.set_len(self.file_bytes)?;
            file.sync_all()?;
            *bytes = self.file_bytes;
        }
        file.seek(SeekFrom::Start(0)).map(|_| ())
    }
}

impl LogFile {
    /// Writes zeros from `written`, where the file is, to `bytes`, and goes back.
    fn grow(&mut self, written: u64, bytes: u64) -> io::Result<()> {
        io::copy(&mut io::repeat(0).take(bytes - written), &mut self.file)?;
        self.file.seek(SeekFrom::Start(written))?;
        self.bytes = bytes;
        Ok(())
    }
}

fn in_use(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, format!("{} is in use by another process", path.display()))
}

/// Deletes the files, when the database has everything.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    for path in all_paths(directory) {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
