//! Events as bytes: what the engine stores for each step.
//!
//! A segment is a version, a table of texts, a table of payloads (JSON text, each written once however many events hold it),
//! and the events, whose fields refer to the tables. Numbers are variable-length. Reading is bounded by the segment's
//! length and never panics; payloads are parsed when someone asks for their value.

mod reader;
mod records;
mod writer;

use crate::event::{Event, EventBody};
use reader::Reader;
use records::Wire;
use writer::Writer;

/// Version of the format. Readers know all versions up to theirs.
const VERSION: u8 = 1;

/// Bytes that are not a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The segment was written by a later version.
    #[error("the segment has format {found}; formats up to {VERSION} are known")]
    Version { found: u8 },
    #[error("the segment ends too early")]
    Truncated,
    /// Something that no writer writes.
    #[error("the segment is damaged at byte {at}")]
    Damaged { at: usize },
}

/// The events of one step as bytes.
pub fn encode_segment(events: &[Event]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.count(events.len());
    let mut timestamp_ms = 0;
    let mut sequence = 0;
    for event in events {
        (event.sequence.wrapping_sub(sequence)).write(&mut writer);
        sequence = event.sequence;
        event.id.write(&mut writer);
        event.previous_id.write(&mut writer);
        event.timestamp_ms.wrapping_sub(timestamp_ms).write(&mut writer);
        timestamp_ms = event.timestamp_ms;
        event.branch.write(&mut writer);
        event.body.write(&mut writer);
    }
    writer.finish(VERSION)
}

/// The events of a segment.
pub fn decode_segment(bytes: &[u8]) -> Result<Vec<Event>, CodecError> {
    let mut reader = Reader::new(bytes)?;
    let count = reader.count()?;
    let mut events = Vec::with_capacity(count);
    let mut timestamp_ms: i64 = 0;
    let mut sequence: u32 = 0;
    for _ in 0..count {
        sequence = sequence.wrapping_add(u32::read(&mut reader)?);
        let id = u32::read(&mut reader)?;
        let previous_id = u32::read(&mut reader)?;
        timestamp_ms = timestamp_ms.wrapping_add(i64::read(&mut reader)?);
        let branch = Wire::read(&mut reader)?;
        let body = EventBody::read(&mut reader)?;
        events.push(Event { sequence, id, previous_id, timestamp_ms, branch, body });
    }
    reader.finish()?;
    Ok(events)
}

#[cfg(test)]
mod tests;
