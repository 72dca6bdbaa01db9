//! How a record lies in the log: a header of 24 bytes, entries, and zeros up to the next block.
//!
//! | bytes | |
//! |---|---|
//! | 0..4 | `SwL1` |
//! | 4..8 | CRC-32 of all that follows, without the zeros at the end |
//! | 8..16 | position |
//! | 16..20 | length of the entries in bytes |
//! | 20..24 | reserved, 0 |

use serde::{Deserialize, Serialize};

use crate::{Epoch, Mutation, ShardId};

/// Records begin at multiples of this.
pub(in crate::embedded) const BLOCK_BYTES: usize = 4096;

const HEADER_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"SwL1";

/// A part of a record that takes effect as a whole.
#[derive(Serialize, Deserialize)]
pub(in crate::embedded) enum Entry {
    Unit(Vec<Mutation>),
    Acquire(ShardId, Epoch),
}

/// As [`Entry`], of what somebody else owns.
#[derive(Serialize)]
enum EntryRef<'e> {
    Unit(&'e [Mutation]),
    Acquire(ShardId, Epoch),
}

/// A record that is being made; its memory is used again.
pub(in crate::embedded) struct Record(Vec<u8>);

impl Record {
    pub fn new() -> Record {
        Record(vec![0; HEADER_BYTES])
    }

    pub fn is_empty(&self) -> bool {
        self.0.len() == HEADER_BYTES
    }

    /// Makes it ready for the next entries.
    pub fn clear(&mut self) {
        self.0.truncate(HEADER_BYTES);
        // After a surge.
        self.0.shrink_to(2 << 20);
    }

    /// Adds the changes of a unit.
    pub fn unit(&mut self, mutations: &[Mutation]) -> Result<(), postcard::Error> {
        self.add(&EntryRef::Unit(mutations))
    }

    /// Adds that a shard was taken.
    pub fn acquire(&mut self, shard: ShardId, epoch: Epoch) -> Result<(), postcard::Error> {
        self.add(&EntryRef::Acquire(shard, epoch))
    }

    /// Where it is now, for [`Record::take_back`].
    pub fn mark(&self) -> usize {
        self.0.len()
    }

    /// Takes back what was added after the mark.
    pub fn take_back(&mut self, mark: usize) {
        self.0.truncate(mark.max(HEADER_BYTES));
    }

    /// How many bytes it will take in the log.
    pub fn sealed_bytes(&self) -> usize {
        self.0.len().next_multiple_of(BLOCK_BYTES)
    }

    /// The record as it is written.
    pub fn seal(&mut self, position: u64) -> &[u8] {
        let length = (self.0.len() - HEADER_BYTES) as u32;
        self.put(8, &position.to_le_bytes());
        self.put(16, &length.to_le_bytes());
        let checksum = crc32fast::hash(self.0.get(8..).unwrap_or_default());
        self.put(0, &MAGIC);
        self.put(4, &checksum.to_le_bytes());
        self.0.resize(self.sealed_bytes(), 0);
        &self.0
    }

    fn add(&mut self, entry: &EntryRef<'_>) -> Result<(), postcard::Error> {
        postcard::serialize_with_flavor(entry, Appending(&mut self.0))
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Serializes to the end of a vector, which keeps what it has also after an error.
struct Appending<'v>(&'v mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// What a header says.
#[derive(Clone, Copy)]
pub(super) struct Header {
    checksum: u32,
    pub position: u64,
    length: u32,
}

impl Header {
    pub const BYTES: usize = HEADER_BYTES;

    /// `None`: no record begins here.
    pub fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Header> {
        let number = |at: usize| {
            let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
            four.map_or(0, |four| u32::from_le_bytes(*four))
        };
        let position = u64::from(number(8)) | u64::from(number(12)) << 32;
        (bytes.starts_with(&MAGIC)).then_some(Header { checksum: number(4), position, length: number(16) })
    }

    pub fn entries_bytes(&self) -> usize {
        self.length as usize
    }

    /// How many bytes the record takes in the log.
    pub fn sealed_bytes(&self) -> u64 {
        ((HEADER_BYTES + self.entries_bytes()) as u64).next_multiple_of(BLOCK_BYTES as u64)
    }

    /// Whether these are the entries that were written.
    pub fn matches(&self, header: &[u8; HEADER_BYTES], entries: &[u8]) -> bool {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(header.get(8..).unwrap_or_default());
        hasher.update(entries);
        hasher.finalize() == self.checksum
    }
}

/// The entries of a record, in order.
pub(super) fn entries(mut bytes: &[u8]) -> Result<Vec<Entry>, postcard::Error> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) = postcard::take_from_bytes(bytes)?;
        entries.push(entry);
        bytes = rest;
    }
    Ok(entries)
}
