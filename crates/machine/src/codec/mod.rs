//! Events as bytes: what the engine stores for each step.
//!
//! A segment is a version, a word about snapshots, a table of texts, a table of payloads (JSON text, each written once however
//! many events hold it), and the events, each with its length, whose fields refer to the tables. Numbers are
//! variable-length. Reading is bounded by the segment's length and never panics; payloads are parsed when someone asks for
//! their value.
//!
//! # Rules of change
//!
//! Segments are kept for as long as their execution: every version is read for ever.
//! - Numbers of variants, and the meaning and order of fields, are never changed or used again.
//! - A new event or variant gets a number that no other had.
//! - A new field goes to the end of its record, under a new [`VERSION`]: what reads it asks the reader for the version of the
//!   segment, and takes the default in older ones.
//! - What this version does not know is refused by the version byte, before anything is read.
//!
//! Segments of every version lie in `tests/formats/`, and a test reads them.
//!
//! Snapshots are different: they repeat what the events say. Their format may change at will ([`snapshot::VERSION`]); one of
//! another version is passed over.

mod reader;
mod records;
pub(crate) mod snapshot;
mod writer;

use crate::event::{Event, EventBody};
use reader::Reader;
use records::Wire;
use writer::Writer;

/// Version of the format that is written.
///
/// 1: events without lengths, no word about snapshots.
/// 2: as described above, without seeds; holds have no owners.
/// 3: seeds, and holds by owners.
const VERSION: u8 = 3;

/// Bytes that are not a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The segment was written by a later version.
    #[error(
        "it has format {found}, and formats up to {VERSION} are known: a later version of Stepwright wrote it, and reads it"
    )]
    Version { found: u8 },
    #[error("the segment ends too early")]
    Truncated,
    /// Something that no writer writes.
    #[error("the segment is damaged at byte {at}")]
    Damaged { at: usize },
}

/// Where the newest snapshot of an execution is, as one of its segments knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Snapshot<'s> {
    /// There is none yet.
    None,
    /// In this segment: the execution as it is after the segment's events.
    Here(&'s [u8]),
    /// In the segment that stands so many before this one, 1 or more.
    Before(u32),
}

/// The events of one step as bytes.
pub fn encode_segment(events: &[Event]) -> Vec<u8> {
    encode_segment_with(events, Snapshot::None)
}

/// The events of one step as bytes, with a snapshot or the way to one.
pub fn encode_segment_with(events: &[Event], snapshot: Snapshot<'_>) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.count(events.len());
    let mut timestamp_ms = 0;
    let mut sequence = 0;
    for event in events {
        writer.sized(|writer| {
            (event.sequence.wrapping_sub(sequence)).write(writer);
            event.id.write(writer);
            event.previous_id.write(writer);
            event.timestamp_ms.wrapping_sub(timestamp_ms).write(writer);
            event.branch.write(writer);
            event.body.write(writer);
        });
        sequence = event.sequence;
        timestamp_ms = event.timestamp_ms;
    }
    let mut head = vec![VERSION];
    match snapshot {
        Snapshot::None => writer::push_number(&mut head, 0),
        Snapshot::Here(bytes) => {
            writer::push_number(&mut head, 1);
            writer::push_bytes(&mut head, bytes);
        }
        Snapshot::Before(segments) => writer::push_number(&mut head, u64::from(segments) + 1),
    }
    writer.finish(head)
}

/// The events of a segment.
pub fn decode_segment(bytes: &[u8]) -> Result<Vec<Event>, CodecError> {
    let (mut reader, _) = open(bytes)?;
    reader.tables()?;
    let count = reader.count()?;
    let mut events = Vec::with_capacity(count);
    let mut before = (0, 0);
    for _ in 0..count {
        let event = match reader.version() {
            1 => read_event(&mut reader, before)?,
            _ => reader.sized(|reader| read_event(reader, before))?,
        };
        before = (event.sequence, event.timestamp_ms);
        events.push(event);
    }
    reader.finish()?;
    Ok(events)
}

/// Where the newest snapshot is, as far as the segment knows.
pub fn snapshot_of(segment: &[u8]) -> Result<Snapshot<'_>, CodecError> {
    open(segment).map(|(_, snapshot)| snapshot)
}

/// Reads what stands in front of a segment's tables.
fn open(bytes: &[u8]) -> Result<(Reader<'_>, Snapshot<'_>), CodecError> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte()?;
    if version == 0 || version > VERSION {
        return Err(CodecError::Version { found: version });
    }
    reader.set_version(version);
    if version == 1 {
        return Ok((reader, Snapshot::None));
    }
    let snapshot = match u32::read(&mut reader)? {
        0 => Snapshot::None,
        1 => {
            let length = reader.count()?;
            Snapshot::Here(reader.take(length)?)
        }
        more => Snapshot::Before(more - 1),
    };
    Ok((reader, snapshot))
}

/// An event after the one with this sequence number and time.
fn read_event(reader: &mut Reader<'_>, (sequence, timestamp_ms): (u32, i64)) -> Result<Event, CodecError> {
    Ok(Event {
        sequence: sequence.wrapping_add(u32::read(reader)?),
        id: u32::read(reader)?,
        previous_id: u32::read(reader)?,
        timestamp_ms: timestamp_ms.wrapping_add(i64::read(reader)?),
        branch: Wire::read(reader)?,
        body: EventBody::read(reader)?,
    })
}

#[cfg(test)]
mod tests;
