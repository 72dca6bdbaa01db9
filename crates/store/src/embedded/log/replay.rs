//! Reading the log after a crash.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::paths;
use super::record::{BLOCK_BYTES, Entry, Header, entries};
use crate::embedded::OpenError;

/// A record that was found.
struct Found {
    file: usize,
    offset: u64,
    position: u64,
}

/// Gives the entries after the position `folded`, in order, to `take`, with the position of their record. Returns the last
/// position. What is damaged is refused before anything is given.
pub(in crate::embedded) fn replay(
    directory: &Path,
    folded: u64,
    mut take: impl FnMut(Entry, u64) -> Result<(), OpenError>,
) -> Result<u64, OpenError> {
    let paths = paths(directory);
    let mut files = Vec::new();
    let mut found = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        match File::open(path) {
            Ok(mut file) => {
                found.extend(chain(&mut file, number, path)?);
                files.push(Some(file));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => files.push(None),
            Err(source) => return Err(OpenError::Io { path: path.clone(), source }),
        }
    }
    found.retain(|record| record.position > folded);
    found.sort_unstable_by_key(|record| record.position);
    let mut last = folded;
    for record in &found {
        if record.position != last + 1 {
            let found = format!("record {} follows record {last}", record.position);
            let file = paths.get(record.file).cloned().unwrap_or_default();
            return Err(OpenError::Damaged { file, found });
        }
        last = record.position;
    }
    for record in found {
        let (Some(Some(file)), Some(path)) = (files.get_mut(record.file), paths.get(record.file)) else {
            continue;
        };
        let damaged =
            || OpenError::Damaged { file: path.clone(), found: format!("record {}", record.position) };
        let (_, bytes) = read(file, record.offset).map_err(io(path))?.ok_or_else(damaged)?;
        for entry in entries(&bytes).map_err(|_| damaged())? {
            take(entry, record.position)?;
        }
    }
    Ok(last)
}

/// The records at the beginning of a file that count up by one. What comes after them must be older.
fn chain(file: &mut File, number: usize, path: &Path) -> Result<Vec<Found>, OpenError> {
    let mut chain: Vec<Found> = Vec::new();
    let mut offset = 0;
    while let Some((header, _)) = read(file, offset).map_err(io(path))? {
        if chain.last().is_some_and(|last| header.position != last.position + 1) {
            break;
        }
        chain.push(Found { file: number, offset, position: header.position });
        offset += header.sealed_bytes();
    }
    let newest = chain.last().map_or(0, |last| last.position);
    let length = file.metadata().map_err(io(path))?.len();
    // What cannot be read is either what the crash interrupted, and then nothing newer follows; or damage.
    while offset < length {
        if let Some((header, _)) = read(file, offset).map_err(io(path))?
            && header.position > newest
        {
            let found = format!("a record is missing before record {}", header.position);
            return Err(OpenError::Damaged { file: path.to_owned(), found });
        }
        offset += BLOCK_BYTES as u64;
    }
    Ok(chain)
}

/// The record at this place, if there is a whole one.
fn read(file: &mut File, offset: u64) -> io::Result<Option<(Header, Vec<u8>)>> {
    let mut bytes = [0; Header::BYTES];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let Some(header) = Header::read(&bytes) else { return Ok(None) };
    let mut entries = Vec::new();
    // Not more than there is, whatever the length says.
    file.take(header.entries_bytes() as u64).read_to_end(&mut entries)?;
    Ok((entries.len() == header.entries_bytes() && header.matches(&bytes, &entries))
        .then_some((header, entries)))
}

fn io(path: &Path) -> impl Fn(io::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    move |source| OpenError::Io { path: path.clone(), source }
}
