//! The entries of the embedded store's log: what was acknowledged and may not be in the database yet.
//!
//! | version | since | how |
//! |---|---|---|
//! | 0 | before the first release | postcard, of types as they were declared then ([`v0`]) |
//! | 1 | before the first release | numbered tags, fields in the order of the table in [`Change`] |
//! | 2 | before the first release | what an execution is found by: tag 15 |
//!
//! A record of the log holds entries one after the other. How records lie in their files is the store's business.

mod tagged;
pub mod v0;

use crate::FormatError;
use crate::codec::{Reader, Writer};

/// The version that is written.
pub const VERSION: u32 = 2;

/// What a log entry that cannot be read is called.
const NAME: &str = "the log";

/// A part of a record that takes effect as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry<'b> {
    /// Tag 1: how many changes, and they.
    Unit(Vec<Change<'b>>),
    /// Tag 2: a shard was taken under an epoch.
    Acquire { shard: u8, epoch: u64 },
}

/// One change. Keys of executions are the 48 bits of a shard and a sequence number; times are milliseconds since 1970.
///
/// | tag | change | fields |
/// |---|---|---|
/// | 1 | `PutRecord` | kind, key, data?, expect (0 anything, 1 absent, 2 and a revision) |
/// | 2 | `CreateExecution` | key, machine, name, status, start, stop?, head, tail, flags, and what they announce |
/// | 3 | `SetStatus` | key, status, stop?, tail |
/// | 4 | `CountRedrive` | key, time |
/// | 5 | `Append` | key, number, data |
/// | 6, 7 | `SetTimer`, `CancelTimer` | time, key, timer |
/// | 8, 9 | `Dispatched`, `Answered` | key, task |
/// | 10, 11 | `Enqueue`, `Dequeue` | queue, key, task |
/// | 12 | `SetPermit` | key, task, data |
/// | 13 | `DropPermit` | key, task |
/// | 14 | `DeleteExecution` | key |
/// | 15 | `SetTerms` (since version 2) | key, field, how many values, and they |
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change<'b> {
    PutRecord { kind: u8, key: &'b str, data: Option<&'b [u8]>, expect: Expect },
    CreateExecution(Execution<'b>),
    SetStatus { key: u64, status: u8, stop_ms: Option<i64>, tail: &'b [u8] },
    CountRedrive { key: u64, at_ms: i64 },
    Append { key: u64, number: u32, data: &'b [u8] },
    SetTimer { due_ms: i64, key: u64, timer: u32 },
    CancelTimer { due_ms: i64, key: u64, timer: u32 },
    Dispatched { key: u64, task: u32 },
    Answered { key: u64, task: u32 },
    Enqueue { queue: &'b str, key: u64, task: u32 },
    Dequeue { queue: &'b str, key: u64, task: u32 },
    SetPermit { key: u64, task: u32, data: &'b [u8] },
    DropPermit { key: u64, task: u32 },
    DeleteExecution { key: u64 },
    SetTerms { key: u64, field: &'b str, values: Vec<&'b str> },
}

/// What was expected of a record of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    Anything,
    Absent,
    Revision(u64),
}

/// The row of an execution.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Execution<'b> {
    pub key: u64,
    pub machine: &'b str,
    pub name: &'b str,
    pub status: u8,
    pub start_ms: i64,
    pub stop_ms: Option<i64>,
    pub head: &'b [u8],
    pub tail: &'b [u8],
    /// Flag 1.
    pub version: Option<&'b str>,
    /// Flag 2.
    pub alias: Option<&'b str>,
    /// Flag 4.
    pub map_run: Option<&'b str>,
    /// Flag 8.
    pub item_count: Option<u32>,
    /// Flag 16: not 0.
    pub redrives: u32,
    /// Flag 32.
    pub redriven_ms: Option<i64>,
}

/// Writes a unit to the end of `out`.
pub fn write_unit<'c>(out: &mut Vec<u8>, changes: impl ExactSizeIterator<Item = Change<'c>>) {
    tagged::write_unit(&mut Writer(out), changes);
}

/// Writes to the end of `out` that a shard was taken.
pub fn write_acquire(out: &mut Vec<u8>, shard: u8, epoch: u64) {
    tagged::write_acquire(&mut Writer(out), shard, epoch);
}

/// The entries of a record that was written in `version`, in order.
pub fn read(version: u32, bytes: &[u8]) -> Result<Vec<Entry<'_>>, FormatError> {
    match version {
        0 => v0::read(bytes),
        1..=VERSION => tagged::read(&mut Reader::new(bytes), version),
        found => Err(FormatError::Newer { format: NAME, found, known: VERSION }),
    }
}
