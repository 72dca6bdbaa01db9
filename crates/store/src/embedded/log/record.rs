//! How a record lies in the log: a header of 24 bytes and entries, in [sectors](super::sector), and zeros up to the next block.
//!
//! | bytes | |
//! |---|---|
//! | 0..4 | `SwL1` |
//! | 4..8 | CRC-32 of all that follows up to the end of the entries, as it lies there |
//! | 8..16 | position |
//! | 16..20 | how many bytes follow the header up to the end of the entries |
//! | 20..24 | the version of the entries' format ([`stepwright_formats::log`]) |
//!
//! Records whose version is 0 do not lie in sectors: header and entries follow each other without marks.

use stepwright_formats::{FormatError, log as format};

use super::entry::{Entry, change, entry};
use super::sector::{self, DATA_BYTES, Kind, SECTOR_BYTES, Sector};
use crate::{Epoch, Mutation, ShardId};

/// Records begin at multiples of this.
pub(in crate::embedded) const BLOCK_BYTES: usize = 4096;

const HEADER_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"SwL1";

/// A record that is being made; its memory is used again.
#[derive(Default)]
pub(in crate::embedded) struct Record {
    entries: Vec<u8>,
    /// As it is written.
    sealed: Vec<u8>,
}

impl Record {
    pub fn new() -> Record {
        Record::default()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Makes it ready for the next entries.
    pub fn clear(&mut self) {
        for bytes in [&mut self.entries, &mut self.sealed] {
            bytes.clear();
            // After a surge.
            bytes.shrink_to(2 << 20);
        }
    }

    /// Adds the changes of a unit.
    pub fn unit(&mut self, mutations: &[Mutation]) {
        format::write_unit(&mut self.entries, mutations.iter().map(change));
    }

    /// Adds that a shard was taken.
    pub fn acquire(&mut self, shard: ShardId, epoch: Epoch) {
        format::write_acquire(&mut self.entries, shard.0, epoch.0);
    }

    /// Where it is now, for [`Record::take_back`].
    pub fn mark(&self) -> usize {
        self.entries.len()
    }

    /// Takes back what was added after the mark.
    pub fn take_back(&mut self, mark: usize) {
        self.entries.truncate(mark);
    }

    /// How many bytes it will take in the log.
    pub fn sealed_bytes(&self) -> usize {
        let sectors = (HEADER_BYTES + self.entries.len()).div_ceil(DATA_BYTES);
        (sectors * SECTOR_BYTES).next_multiple_of(BLOCK_BYTES)
    }

    /// The record as it is written.
    pub fn seal(&mut self, position: u64) -> &[u8] {
        let data = HEADER_BYTES + self.entries.len();
        let marks_between = (data - 1) / DATA_BYTES * (SECTOR_BYTES - DATA_BYTES);
        let length = data + marks_between - HEADER_BYTES;
        let mut header = [0; HEADER_BYTES];
        for (at, field) in [
            (0, &MAGIC[..]),
            (8, &position.to_le_bytes()),
            (16, &(length as u32).to_le_bytes()),
            (20, &format::VERSION.to_le_bytes()),
        ] {
            header[at..at + field.len()].copy_from_slice(field);
        }
        let bytes = self.sealed_bytes();
        self.sealed.clear();
        self.sealed.resize(bytes, 0);
        let (first, rest) = self.entries.split_at(self.entries.len().min(DATA_BYTES - HEADER_BYTES));
        let parts = std::iter::once(first).chain(rest.chunks(DATA_BYTES));
        let (sectors, _) = self.sealed.as_chunks_mut::<SECTOR_BYTES>();
        for (place, (sector, part)) in (0..).zip(sectors.iter_mut().zip(parts)) {
            let from = if place == 0 { HEADER_BYTES } else { 0 };
            sector[..from].copy_from_slice(&header[..from]);
            sector[from..from + part.len()].copy_from_slice(part);
            sector::mark(sector, position, place);
        }
        let checksum = crc32fast::hash(&self.sealed[8..HEADER_BYTES + length]);
        self.sealed[4..8].copy_from_slice(&checksum.to_le_bytes());
        &self.sealed
    }
}

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    checksum: u32,
    pub position: u64,
    length: u32,
    pub version: u32,
}

impl Header {
    /// `None`: no record begins here.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let number = |at: usize| {
            let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
            four.map(|four| u32::from_le_bytes(*four))
        };
        let position = u64::from(number(8)?) | u64::from(number(12)?) << 32;
        let (checksum, length, version) = (number(4)?, number(16)?, number(20)?);
        bytes.starts_with(&MAGIC).then_some(Header { checksum, position, length, version })
    }

    /// How many bytes the record has in the log, without the zeros at its end.
    pub fn bytes(&self) -> usize {
        let bytes = HEADER_BYTES + self.length as usize;
        if self.version == 0 { bytes } else { bytes.next_multiple_of(SECTOR_BYTES) }
    }

    /// How many bytes the record takes in the log.
    pub fn sealed_bytes(&self) -> u64 {
        (self.bytes() as u64).next_multiple_of(BLOCK_BYTES as u64)
    }

    /// What the bytes at the record's place are.
    pub fn state(&self, bytes: &[u8]) -> State {
        let record = bytes.get(8..HEADER_BYTES + self.length as usize);
        let is_as_written = record.is_some_and(|record| crc32fast::hash(record) == self.checksum);
        if self.version == 0 {
            return if is_as_written { State::Whole } else { State::Damaged };
        }
        let (sectors, _) = bytes.as_chunks::<SECTOR_BYTES>();
        let kinds = || (0..).zip(sectors.iter().map(sector::kind));
        let is_here = |(here, kind): (u32, Kind)| matches!(kind, Kind::Part { position, place } if position == self.position && place == here);
        if kinds().any(|(_, kind)| kind == Kind::Damaged) {
            State::Damaged
        } else if bytes.len() < self.bytes() || !kinds().all(is_here) {
            State::Torn
        } else if is_as_written {
            State::Whole
        } else {
            State::Damaged
        }
    }

    /// The entries of a whole record, in order.
    pub fn entries(&self, bytes: &[u8]) -> Result<Vec<Entry>, FormatError> {
        let end = HEADER_BYTES + self.length as usize;
        let read = |entries: &[u8]| {
            format::read(self.version, entries)?.into_iter().map(entry).collect::<Result<Vec<_>, _>>()
        };
        if self.version == 0 {
            return read(bytes.get(HEADER_BYTES..end).unwrap_or_default());
        }
        let mut entries = Vec::with_capacity(end);
        let (sectors, _) = bytes.as_chunks::<SECTOR_BYTES>();
        for (number, sector) in sectors.iter().enumerate() {
            let from = if number == 0 { HEADER_BYTES } else { 0 };
            let to = DATA_BYTES.min(end.saturating_sub(number * SECTOR_BYTES));
            entries.extend_from_slice(sector.get(from..to).unwrap_or_default());
        }
        read(&entries)
    }
}

/// What is found at the place of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Whole,
    /// Some of its sectors were never written: as a crash leaves it.
    Torn,
    /// As no crash leaves it.
    Damaged,
}

/// Whether the sector at a record's place may be what a crash left there.
pub(super) fn first_sector(bytes: &Sector) -> (Kind, Option<Header>) {
    let kind = sector::kind(bytes);
    match (kind, Header::read(bytes)) {
        (Kind::Part { position, place: 0 }, Some(header)) if header.position == position => {
            (kind, Some(header))
        }
        (Kind::Part { place: 0, .. }, _) => (Kind::Damaged, None),
        (kind, _) => (kind, None),
    }
}
