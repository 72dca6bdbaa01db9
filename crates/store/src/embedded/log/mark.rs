//! The mark: up to where the log was acknowledged when the record that came next was begun, in a small file of its own.
//!
//! It is written before each record and not waited for, except where the files become shorter. After a kill it is as it was written; after a loss of power it may be
//! older, which makes it say less, and nothing wrong.
//!
//! | bytes | |
//! |---|---|
//! | 0..4 | `SwM1` |
//! | 4..8 | CRC-32 of what follows |
//! | 8..16 | position up to which everything was durable; 0: nothing is known |
//! | 16..24, 24..32 | how long the two files were at least |

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const NAME: &str = "stepwright.log-mark";
const MAGIC: [u8; 4] = *b"SwM1";
const BYTES: usize = 32;

/// What the mark says.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(in crate::embedded) struct Known {
    /// Up to here everything was durable.
    pub position: u64,
    /// How long the files were at least.
    pub lengths: [u64; 2],
}

/// What is found of a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::embedded) enum Found {
    Nothing,
    Damaged,
    Known(Known),
}

/// The file, open for writing.
pub(super) struct Mark(File);

pub(in crate::embedded) fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

impl Mark {
    /// Begins anew: nothing is known.
    pub fn open(directory: &Path) -> io::Result<Mark> {
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(path(directory))?;
        let mark = Mark(file);
        mark.write(Known::default())?;
        mark.0.set_len(BYTES as u64)?;
        mark.0.sync_all()?;
        Ok(mark)
    }

    /// What was written is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Less than a sector: on the disk it is never half of one and half of another.
    pub fn write(&self, known: Known) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        let [one, other] = known.lengths;
        for (at, number) in [(8, known.position), (16, one), (24, other)] {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        self.0.write_all_at(&bytes, 0)
    }
}

pub(in crate::embedded) fn read(directory: &Path) -> io::Result<Found> {
    let bytes = match fs::read(path(directory)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    let number = |at: usize| {
        bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|bytes| u64::from_le_bytes(*bytes))
    };
    let (Some(position), Some(one), Some(other)) = (number(8), number(16), number(24)) else {
        return Ok(Found::Damaged);
    };
    let is_as_written = bytes.len() == BYTES
        && bytes.starts_with(&MAGIC)
        && bytes.get(4..8) == Some(&crc32fast::hash(bytes.get(8..).unwrap_or_default()).to_le_bytes());
    Ok(if is_as_written { Found::Known(Known { position, lengths: [one, other] }) } else { Found::Damaged })
}
