//! What the log holds after a crash, and what of it is torn, stale, damaged or missing: told apart by what was acknowledged.
//!
//! Positions count up and none is used twice, so a record that is whole counts wherever it lies, and what is not newer than
//! the database is stale. A record is begun when the one before is durable. So the log was acknowledged
//!
//! - up to where the database has it,
//! - up to where the [mark](super::mark) says,
//! - up to the one before the newest of which any sector is there.
//!
//! What is missing up to there is lost, and the store is not opened. The record after the last whole one is the one that the
//! crash interrupted, if there is anything of it; unless its place is damaged, as no crash leaves it: then nobody can say.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use stepwright_formats::{FormatError, log as format};

use super::entry::Entry;
use super::mark::{self, Known};
use super::paths;
use super::record::{BLOCK_BYTES, Header, State, first_sector};
use super::sector::{self, Kind, SECTOR_BYTES, Sector};
use crate::embedded::OpenError;

/// What a database says of the log that belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::embedded) struct Expected {
    /// The position up to which the database has everything.
    pub folded: u64,
    pub opened: Opened,
}

/// How the log was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::embedded) enum Opened {
    /// By a version that did not note it.
    Unknown,
    /// Closed, with everything in the database.
    Closed,
    /// In use: there are files and a mark. The position is the one under which it was opened, which has no record.
    InUse { since: u64 },
}

/// A whole record.
#[derive(Clone, Copy)]
struct Place {
    file: usize,
    offset: u64,
    header: Header,
}

/// What was found.
pub(in crate::embedded) struct Scan {
    directory: PathBuf,
    expected: Expected,
    /// Whole records that the database does not have, by position.
    whole: BTreeMap<u64, Place>,
    /// The last record that the database has.
    folded: Option<Place>,
    /// Those of which a first sector is there, but not all.
    broken: BTreeMap<u64, State>,
    /// The newest position of which there is anything.
    newest: u64,
    /// How long the files are; `None`: there is none.
    lengths: [Option<u64>; 2],
    /// Blocks whose first sector is damaged.
    damaged_blocks: [Vec<u64>; 2],
    mark: mark::Found,
}

/// What is wrong with a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::embedded) struct Fault {
    pub file: PathBuf,
    /// In a sentence.
    pub found: String,
}

impl Scan {
    /// Reads both files.
    pub fn new(directory: &Path, expected: Expected) -> Result<Scan, OpenError> {
        let at = mark::path(directory);
        let mut scan = Scan {
            directory: directory.to_owned(),
            expected,
            whole: BTreeMap::new(),
            folded: None,
            broken: BTreeMap::new(),
            newest: 0,
            lengths: [None; 2],
            damaged_blocks: [Vec::new(), Vec::new()],
            mark: mark::read(directory).map_err(|source| OpenError::Io { path: at, source })?,
        };
        for (number, path) in paths(directory).iter().enumerate() {
            scan.file(number, path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        }
        Ok(scan)
    }

    /// How the log was left.
    pub fn opened(&self) -> Opened {
        self.expected.opened
    }

    /// The database that the log belongs to.
    pub fn database(&self) -> PathBuf {
        crate::embedded::directory::database(&self.directory)
    }

    /// The last of the whole records that follow the database without a gap.
    pub fn last(&self) -> u64 {
        let followed = (self.expected.folded + 1..).zip(self.whole.keys());
        followed
            .take_while(|(expected, position)| expected == *position)
            .last()
            .map_or(self.expected.folded, |(last, _)| last)
    }

    /// Up to where the log is known to have been acknowledged.
    pub fn acknowledged(&self) -> u64 {
        let marked = match self.mark {
            mark::Found::Known(known) => known.position,
            mark::Found::Nothing | mark::Found::Damaged => 0,
        };
        self.expected.folded.max(marked).max(self.newest.saturating_sub(1))
    }

    /// The newest position of which there is any trace: nothing after it was ever begun as far as anybody can tell.
    pub fn newest(&self) -> u64 {
        self.newest.max(self.acknowledged())
    }

    /// Why the log cannot be trusted to have everything that was acknowledged.
    pub fn fault(&self) -> Option<Fault> {
        match self.expected.opened {
            Opened::Unknown => self.lost_record(),
            Opened::Closed => self.fault_of_closed(),
            Opened::InUse { since } => self
                .missing_file()
                .or_else(|| self.lost_record())
                .or_else(|| self.older_log(since))
                .or_else(|| self.undecided_record()),
        }
    }

    fn fault_of_closed(&self) -> Option<Fault> {
        let newest = self.newest();
        (newest > self.expected.folded).then(|| Fault {
            file: self.database(),
            found: format!(
                "it was closed at position {}, and its log goes on to {newest}: the file is older than its log",
                self.expected.folded
            ),
        })
    }

    fn missing_file(&self) -> Option<Fault> {
        let known = match self.mark {
            mark::Found::Known(known) => known,
            mark::Found::Nothing => Known::default(),
            mark::Found::Damaged => {
                let found = "it does not match its checksum".into();
                return Some(Fault { file: mark::path(&self.directory), found });
            }
        };
        let files = paths(&self.directory);
        for ((file, length), expected) in files.into_iter().zip(self.lengths).zip(known.lengths) {
            let found = match length {
                None => "it is missing, though the store was in use".to_owned(),
                Some(length) if length < expected => format!("it is cut off at {length} of {expected} bytes"),
                Some(_) => continue,
            };
            return Some(Fault { file, found });
        }
        (self.mark == mark::Found::Nothing).then(|| Fault {
            file: mark::path(&self.directory),
            found: "it is missing, though the store was in use".into(),
        })
    }

    fn lost_record(&self) -> Option<Fault> {
        let (next, acknowledged) = (self.last() + 1, self.acknowledged());
        if next > acknowledged {
            return None;
        }
        let state = match self.broken.get(&next) {
            Some(State::Damaged) => "damaged",
            Some(_) => "incomplete",
            None if self.damaged_place().is_some() => "damaged",
            None => "missing",
        };
        let found = format!("record {next} is {state}, and everything up to {acknowledged} was acknowledged");
        Some(Fault { file: self.file_of(next), found })
    }

    /// The newest durable record is never overwritten: without it, nobody knows what came after.
    fn older_log(&self, since: u64) -> Option<Fault> {
        let folded = self.expected.folded;
        let is_there = self.last() > folded || self.folded.is_some() || folded <= since;
        (!is_there).then(|| Fault {
            file: self.file_of(folded),
            found: format!(
                "record {folded} is not there any more, and nobody can say what was acknowledged after it"
            ),
        })
    }

    fn undecided_record(&self) -> Option<Fault> {
        let next = self.last() + 1;
        let file = match self.broken.get(&next) {
            Some(State::Damaged) => self.file_of(next),
            Some(_) => return None,
            None => self.damaged_place()?,
        };
        Some(Fault { file, found: format!("record {next} is damaged, and may have been acknowledged") })
    }

    /// The file in which the first sector of the record after the last one would be, where that is damaged: behind the
    /// last, or at the beginning of the other file.
    fn damaged_place(&self) -> Option<PathBuf> {
        let (current, end) = match self.whole.get(&self.last()).or(self.folded.as_ref()) {
            Some(place) => (place.file, place.offset + place.header.sealed_bytes()),
            None => (usize::MAX, 0),
        };
        let mut files = paths(&self.directory).into_iter().zip(&self.damaged_blocks).enumerate();
        files.find_map(|(number, (file, damaged))| {
            let place = if number == current { end } else { 0 };
            damaged.contains(&place).then_some(file)
        })
    }

    /// Where the record is, or would be.
    fn file_of(&self, position: u64) -> PathBuf {
        let [one, other] = paths(&self.directory);
        let before = self.whole.range(..position).next_back();
        if before.is_some_and(|(_, place)| place.file == 1) { other } else { one }
    }

    /// Refuses what a later release wrote, before anything is given.
    pub fn check_versions(&self) -> Result<(), OpenError> {
        let newer = self.whole.values().find(|place| place.header.version > format::VERSION);
        newer.map_or(Ok(()), |place| self.entries(place).map(|_| ()))
    }

    /// Gives the entries of all whole records up to [`Scan::last`], in order, to `take`, with their positions.
    pub fn replay(&self, mut take: impl FnMut(Entry, u64) -> Result<(), OpenError>) -> Result<(), OpenError> {
        let last = self.last();
        for (position, place) in self.whole.range(..=last) {
            for entry in self.entries(place)? {
                take(entry, *position)?;
            }
        }
        Ok(())
    }

    /// The entries of what cannot be reached any more, with their positions.
    pub fn stranded(&self) -> Result<Vec<(u64, Vec<Entry>)>, OpenError> {
        let beyond = self.whole.range(self.last() + 1..);
        beyond.map(|(position, place)| Ok((*position, self.entries(place)?))).collect()
    }

    fn entries(&self, place: &Place) -> Result<Vec<Entry>, OpenError> {
        let file = paths(&self.directory).into_iter().nth(place.file).unwrap_or_default();
        let bytes =
            File::open(&file).and_then(|mut opened| read(&mut opened, place.offset, place.header.bytes()));
        let bytes = bytes.map_err(|source| OpenError::Io { path: file.clone(), source })?;
        place.header.entries(&bytes).map_err(|error| match error {
            FormatError::Newer { found, known, .. } => {
                OpenError::NewerLog { file, found, known, release: None }
            }
            error => OpenError::Damaged { file, found: format!("record {}: {error}", place.header.position) },
        })
    }

    fn file(&mut self, number: usize, path: &Path) -> io::Result<()> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        if let Some(own) = self.lengths.get_mut(number) {
            *own = Some(length);
        }
        let mut heads = Vec::new();
        let mut offset = 0;
        while offset < length {
            let chunk = read(&mut file, offset, CHUNK_BYTES)?;
            self.chunk(number, offset, &chunk, &mut heads);
            offset += CHUNK_BYTES as u64;
        }
        for (offset, header) in heads {
            if header.position < self.expected.folded {
                continue;
            }
            let place = Place { file: number, offset, header };
            match header.state(&read(&mut file, offset, header.bytes())?) {
                State::Whole if header.position == self.expected.folded => self.folded = Some(place),
                State::Whole => {
                    self.whole.insert(header.position, place);
                }
                _ if header.position == self.expected.folded => {}
                // Of the first version there is no telling one from the other, nor from an older one's remains.
                _ if header.version == 0 => {}
                state => {
                    self.broken.insert(header.position, state);
                }
            }
        }
        if self.expected.opened == Opened::Unknown {
            self.newest = self.newest.max(self.whole.keys().next_back().copied().unwrap_or(0));
        }
        Ok(())
    }

    /// Looks at each sector: whose it is, and whether a record begins there.
    fn chunk(&mut self, number: usize, offset: u64, chunk: &[u8], heads: &mut Vec<(u64, Header)>) {
        for (at, bytes) in (offset..).step_by(SECTOR_BYTES).zip(chunk.chunks(SECTOR_BYTES)) {
            let begins_block = at.is_multiple_of(BLOCK_BYTES as u64);
            if self.expected.opened == Opened::Unknown {
                heads.extend(Header::read(bytes).filter(|_| begins_block).map(|header| (at, header)));
                continue;
            }
            let Ok(bytes) = <&Sector>::try_from(bytes) else { continue };
            if let Kind::Part { position, .. } = sector::kind(bytes) {
                self.newest = self.newest.max(position);
            }
            if begins_block {
                match first_sector(bytes) {
                    (_, Some(header)) => heads.push((at, header)),
                    (Kind::Damaged, None) => self.damaged_blocks[number.min(1)].push(at),
                    _ => {}
                }
            }
        }
    }
}

const CHUNK_BYTES: usize = 1 << 20;

/// As many of the bytes as there are.
fn read(file: &mut File, offset: u64, bytes: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut read = Vec::new();
    // Not more than there is, whatever a length says.
    file.take(bytes as u64).read_to_end(&mut read)?;
    Ok(read)
}
