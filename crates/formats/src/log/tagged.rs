//! Version 1 and later: tags and fields with the numbers that are written at the types.

use super::{Change, Entry, Execution, Expect};
use crate::FormatError;
use crate::codec::{Reader, Writer};

const UNIT: u8 = 1;
const ACQUIRE: u8 = 2;

pub(super) fn write_unit<'c>(out: &mut Writer<'_>, changes: impl ExactSizeIterator<Item = Change<'c>>) {
    out.u8(UNIT);
    out.u64(changes.len() as u64);
    for change in changes {
        write_change(out, &change);
    }
}

pub(super) fn write_acquire(out: &mut Writer<'_>, shard: u8, epoch: u64) {
    out.u8(ACQUIRE);
    out.u8(shard);
    out.u64(epoch);
}

pub(super) fn read<'b>(reader: &mut Reader<'b>, version: u32) -> Result<Vec<Entry<'b>>, FormatError> {
    let mut entries = Vec::new();
    while !reader.is_at_end() {
        entries.push(match reader.u8()? {
            UNIT => {
                let count = reader.u64()?;
                // A change takes two bytes at least: nothing is reserved for more than there can be.
                let mut changes = Vec::with_capacity((count as usize).min(reader.left() / 2));
                for _ in 0..count {
                    changes.push(read_change(reader, version)?);
                }
                Entry::Unit(changes)
            }
            ACQUIRE => Entry::Acquire { shard: reader.u8()?, epoch: reader.u64()? },
            _ => return Err(reader.malformed("an entry of an unknown kind")),
        });
    }
    Ok(entries)
}

fn write_change(out: &mut Writer<'_>, change: &Change<'_>) {
    match change {
        Change::PutRecord { kind, key, data, expect } => {
            out.u8(1);
            out.u8(*kind);
            out.text(key);
            out.option(*data, Writer::bytes);
            match expect {
                Expect::Anything => out.u8(0),
                Expect::Absent => out.u8(1),
                Expect::Revision(revision) => {
                    out.u8(2);
                    out.u64(*revision);
                }
            }
        }
        Change::CreateExecution(execution) => {
            out.u8(2);
            write_execution(out, execution);
        }
        Change::SetStatus { key, status, stop_ms, tail } => {
            out.u8(3);
            out.u64(*key);
            out.u8(*status);
            out.option(*stop_ms, Writer::i64);
            out.bytes(tail);
        }
        Change::CountRedrive { key, at_ms } => {
            out.u8(4);
            out.u64(*key);
            out.i64(*at_ms);
        }
        Change::Append { key, number, data } => {
            out.u8(5);
            out.u64(*key);
            out.u32(*number);
            out.bytes(data);
        }
        Change::SetTimer { due_ms, key, timer } => write_timer(out, 6, *due_ms, *key, *timer),
        Change::CancelTimer { due_ms, key, timer } => write_timer(out, 7, *due_ms, *key, *timer),
        Change::Dispatched { key, task } => write_task(out, 8, *key, *task),
        Change::Answered { key, task } => write_task(out, 9, *key, *task),
        Change::Enqueue { queue, key, task } => write_queued(out, 10, queue, *key, *task),
        Change::Dequeue { queue, key, task } => write_queued(out, 11, queue, *key, *task),
        Change::SetPermit { key, task, data } => {
            write_task(out, 12, *key, *task);
            out.bytes(data);
        }
        Change::DropPermit { key, task } => write_task(out, 13, *key, *task),
        Change::DeleteExecution { key } => {
            out.u8(14);
            out.u64(*key);
        }
        Change::SetTerms { key, field, values } => {
            out.u8(15);
            out.u64(*key);
            out.text(field);
            out.u64(values.len() as u64);
            values.iter().for_each(|value| out.text(value));
        }
    }
}

fn read_change<'b>(reader: &mut Reader<'b>, version: u32) -> Result<Change<'b>, FormatError> {
    Ok(match reader.u8()? {
        1 => Change::PutRecord {
            kind: reader.u8()?,
            key: reader.text()?,
            data: reader.option(Reader::bytes)?,
            expect: match reader.u8()? {
                0 => Expect::Anything,
                1 => Expect::Absent,
                2 => Expect::Revision(reader.u64()?),
                _ => return Err(reader.malformed("an unknown expectation")),
            },
        },
        2 => Change::CreateExecution(read_execution(reader)?),
        3 => Change::SetStatus {
            key: reader.u64()?,
            status: reader.u8()?,
            stop_ms: reader.option(Reader::i64)?,
            tail: reader.bytes()?,
        },
        4 => Change::CountRedrive { key: reader.u64()?, at_ms: reader.i64()? },
        5 => Change::Append { key: reader.u64()?, number: reader.u32()?, data: reader.bytes()? },
        6 => Change::SetTimer { due_ms: reader.i64()?, key: reader.u64()?, timer: reader.u32()? },
        7 => Change::CancelTimer { due_ms: reader.i64()?, key: reader.u64()?, timer: reader.u32()? },
        8 => Change::Dispatched { key: reader.u64()?, task: reader.u32()? },
        9 => Change::Answered { key: reader.u64()?, task: reader.u32()? },
        10 => Change::Enqueue { queue: reader.text()?, key: reader.u64()?, task: reader.u32()? },
        11 => Change::Dequeue { queue: reader.text()?, key: reader.u64()?, task: reader.u32()? },
        12 => Change::SetPermit { key: reader.u64()?, task: reader.u32()?, data: reader.bytes()? },
        13 => Change::DropPermit { key: reader.u64()?, task: reader.u32()? },
        14 => Change::DeleteExecution { key: reader.u64()? },
        15 if version >= 2 => {
            let (key, field, count) = (reader.u64()?, reader.text()?, reader.u64()?);
            let mut values = Vec::with_capacity((count as usize).min(reader.left()));
            for _ in 0..count {
                values.push(reader.text()?);
            }
            Change::SetTerms { key, field, values }
        }
        _ => return Err(reader.malformed("a change of an unknown kind")),
    })
}

fn write_timer(out: &mut Writer<'_>, tag: u8, due_ms: i64, key: u64, timer: u32) {
    out.u8(tag);
    out.i64(due_ms);
    out.u64(key);
    out.u32(timer);
}

fn write_task(out: &mut Writer<'_>, tag: u8, key: u64, task: u32) {
    out.u8(tag);
    out.u64(key);
    out.u32(task);
}

fn write_queued(out: &mut Writer<'_>, tag: u8, queue: &str, key: u64, task: u32) {
    out.u8(tag);
    out.text(queue);
    out.u64(key);
    out.u32(task);
}

const VERSION: u8 = 1;
const ALIAS: u8 = 2;
const MAP_RUN: u8 = 4;
const ITEM_COUNT: u8 = 8;
const REDRIVES: u8 = 16;
const REDRIVEN: u8 = 32;

fn write_execution(out: &mut Writer<'_>, execution: &Execution<'_>) {
    out.u64(execution.key);
    out.text(execution.machine);
    out.text(execution.name);
    out.u8(execution.status);
    out.i64(execution.start_ms);
    out.option(execution.stop_ms, Writer::i64);
    out.bytes(execution.head);
    out.bytes(execution.tail);
    let Execution { version, alias, map_run, item_count, redrives, redriven_ms, .. } = execution;
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.u8(flag(version.is_some(), VERSION)
        | flag(alias.is_some(), ALIAS)
        | flag(map_run.is_some(), MAP_RUN)
        | flag(item_count.is_some(), ITEM_COUNT)
        | flag(*redrives > 0, REDRIVES)
        | flag(redriven_ms.is_some(), REDRIVEN));
    for name in [version, alias, map_run].into_iter().flatten() {
        out.text(name);
    }
    if let Some(item_count) = item_count {
        out.u32(*item_count);
    }
    if *redrives > 0 {
        out.u32(*redrives);
    }
    if let Some(redriven_ms) = redriven_ms {
        out.i64(*redriven_ms);
    }
}

fn read_execution<'b>(reader: &mut Reader<'b>) -> Result<Execution<'b>, FormatError> {
    let mut execution = Execution {
        key: reader.u64()?,
        machine: reader.text()?,
        name: reader.text()?,
        status: reader.u8()?,
        start_ms: reader.i64()?,
        stop_ms: reader.option(Reader::i64)?,
        head: reader.bytes()?,
        tail: reader.bytes()?,
        ..Execution::default()
    };
    let flags = reader.u8()?;
    if flags >= 64 {
        return Err(reader.malformed("an unknown flag"));
    }
    let has = |flag: u8| flags & flag != 0;
    if has(VERSION) {
        execution.version = Some(reader.text()?);
    }
    if has(ALIAS) {
        execution.alias = Some(reader.text()?);
    }
    if has(MAP_RUN) {
        execution.map_run = Some(reader.text()?);
    }
    if has(ITEM_COUNT) {
        execution.item_count = Some(reader.u32()?);
    }
    if has(REDRIVES) {
        execution.redrives = reader.u32()?;
    }
    if has(REDRIVEN) {
        execution.redriven_ms = Some(reader.i64()?);
    }
    Ok(execution)
}

#[cfg(test)]
mod tests {
    use super::super::{read, write_acquire, write_unit};
    use super::*;

    fn every_change() -> Vec<Change<'static>> {
        let least =
            Execution { key: 3 << 40 | 1, machine: "m", name: "n", start_ms: -1, ..Execution::default() };
        let most = Execution {
            status: 5,
            stop_ms: Some(i64::MAX),
            head: b"head",
            tail: b"tail",
            version: Some("v"),
            alias: Some("a"),
            map_run: Some("r"),
            item_count: Some(0),
            redrives: 7,
            redriven_ms: Some(9),
            ..least.clone()
        };
        let put = |data, expect| Change::PutRecord { kind: 9, key: "key", data, expect };
        vec![
            put(None, Expect::Anything),
            put(Some(b""), Expect::Absent),
            put(Some(b"data"), Expect::Revision(u64::MAX)),
            Change::CreateExecution(least),
            Change::CreateExecution(most),
            Change::SetStatus { key: 1, status: 2, stop_ms: None, tail: b"" },
            Change::CountRedrive { key: 1, at_ms: 2 },
            Change::Append { key: 1, number: 65_535, data: b"events" },
            Change::SetTimer { due_ms: 1, key: 2, timer: 3 },
            Change::CancelTimer { due_ms: 1, key: 2, timer: 3 },
            Change::Dispatched { key: 1, task: 2 },
            Change::Answered { key: 1, task: 2 },
            Change::Enqueue { queue: "q", key: 1, task: 2 },
            Change::Dequeue { queue: "q", key: 1, task: 2 },
            Change::SetPermit { key: 1, task: 0, data: b"permit" },
            Change::DropPermit { key: 1, task: 0 },
            Change::DeleteExecution { key: u64::MAX >> 16 },
        ]
    }

    #[test]
    fn every_change_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        write_unit(&mut bytes, every_change().into_iter());
        write_acquire(&mut bytes, 255, 12);
        write_unit(&mut bytes, [].into_iter());
        let expected =
            [Entry::Unit(every_change()), Entry::Acquire { shard: 255, epoch: 12 }, Entry::Unit(vec![])];
        assert_eq!(read(1, &bytes).unwrap(), expected);
        let whole = [bytes.len() - 2, bytes.len() - 5];
        for cut in (1..bytes.len()).filter(|cut| !whole.contains(cut)) {
            assert!(read(1, &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    /// What is written may not change: these are the bytes of version 1.
    #[test]
    fn the_bytes_of_a_version_stay() {
        let mut bytes = Vec::new();
        write_unit(&mut bytes, every_change().into_iter());
        let written: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, include_str!("version-1.hex").trim());
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        for bytes in [&[0][..], &[3], &[1, 1, 0], &[1, 1, 15], &[1, 0xff, 0xff, 0xff, 0xff, 0x7f], &[2, 1]] {
            assert!(matches!(read(1, bytes), Err(FormatError::Malformed { .. })), "{bytes:?}");
        }
        let newer = read(3, &[]).unwrap_err().to_string();
        assert!(newer.starts_with("the log has format version 3, and this release reads versions up to 2"));
    }

    #[test]
    fn terms_came_with_version_2() {
        let change = || Change::SetTerms { key: 1, field: "error", values: vec!["a", ""] };
        let mut bytes = Vec::new();
        write_unit(&mut bytes, [change()].into_iter());
        assert_eq!(bytes, b"\x01\x01\x0f\x01\x05error\x02\x01a\x00");
        assert_eq!(read(2, &bytes).unwrap(), [Entry::Unit(vec![change()])]);
        assert!(read(1, &bytes).is_err());
        for cut in 1..bytes.len() {
            assert!(read(2, &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
