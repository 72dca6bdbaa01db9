//! The state of an execution as bytes: loaded instead of replaying all events.
//!
//! A snapshot holds what an execution still needs; it is in no history. Equal executions have equal snapshots, to the byte. The
//! input of the execution is not in it: it stands in the execution's row.

use std::collections::HashMap;
use std::sync::Arc;

use stepwright_asl::program::Program;
use stepwright_value::{Document, Value};

use super::CodecError;
use super::reader::Reader;
use super::records::Wire;
use super::writer::Writer;
use crate::branch::{Branch, MapItem, Phase};
use crate::execution::Execution;
use crate::hold::Holders;
use crate::variables::Frame;

/// Version of the format. Snapshots of other versions are passed over: see the module above.
pub(crate) const VERSION: u8 = 2;

/// The execution as bytes.
pub(crate) fn encode(execution: &Execution) -> Vec<u8> {
    let mut writer = Writer::of_snapshot(&execution.identity.input);
    let mut shared = Shared::default();
    let branches = execution.branches.values();
    branches.clone().for_each(|branch| shared.frame(&branch.variables));
    branches.clone().filter_map(|branch| branch.item.as_ref()).for_each(|item| shared.item(item));
    shared.write(&mut writer);
    writer.count(execution.branches.len());
    for branch in branches {
        branch.write(&mut writer);
        shared.frames[&address(&branch.variables)].write(&mut writer);
        branch.item.as_ref().map(|item| shared.items[&address(item)]).write(&mut writer);
    }
    execution.ready.iter().copied().collect::<Vec<_>>().write(&mut writer);
    execution.tasks.clone().into_iter().collect::<Vec<_>>().write(&mut writer);
    execution.timers.clone().into_iter().collect::<Vec<_>>().write(&mut writer);
    for number in [
        execution.next_sequence,
        execution.next_id,
        execution.next_branch,
        execution.next_task,
        execution.next_timer,
        execution.redrive_count,
    ] {
        number.write(&mut writer);
    }
    execution.started.write(&mut writer);
    execution.holders.0.write(&mut writer);
    execution.hold_events.write(&mut writer);
    execution.seed.write(&mut writer);
    execution.redrive_ms.write(&mut writer);
    execution.redrives.write(&mut writer);
    execution.outcome.write(&mut writer);
    writer.finish(vec![VERSION])
}

/// Brings an execution to which nothing has happened yet into the state that the snapshot holds.
pub(crate) fn decode(execution: &mut Execution, bytes: &[u8]) -> Result<(), CodecError> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(CodecError::Version { found: version });
    }
    reader.give(execution.identity.input.clone());
    reader.tables()?;
    let frames = read_frames(&mut reader)?;
    let items: Vec<Arc<MapItem>> = Vec::<MapItem>::read(&mut reader)?.into_iter().map(Arc::new).collect();
    execution.branches.clear();
    for _ in 0..reader.count()? {
        let mut branch = Branch::read(&mut reader)?;
        branch.variables = place(&frames, u32::read(&mut reader)?).ok_or_else(|| reader.damaged())?;
        branch.item = match Option::<u32>::read(&mut reader)? {
            None => None,
            Some(at) => Some(place(&items, at).ok_or_else(|| reader.damaged())?),
        };
        check(&branch, &execution.program).ok_or_else(|| reader.damaged())?;
        execution.branches.insert(branch.id, Box::new(branch));
    }
    execution.ready = Vec::read(&mut reader)?.into_iter().collect();
    execution.tasks = Vec::read(&mut reader)?.into_iter().collect();
    execution.timers = Vec::read(&mut reader)?.into_iter().collect();
    for number in [
        &mut execution.next_sequence,
        &mut execution.next_id,
        &mut execution.next_branch,
        &mut execution.next_task,
        &mut execution.next_timer,
        &mut execution.redrive_count,
    ] {
        *number = u32::read(&mut reader)?;
    }
    execution.started = bool::read(&mut reader)?;
    execution.holders = Holders(u8::read(&mut reader)?);
    execution.hold_events = u32::read(&mut reader)?;
    execution.seed = Option::read(&mut reader)?;
    execution.redrive_ms = i64::read(&mut reader)?;
    execution.redrives = Vec::read(&mut reader)?;
    execution.outcome = Option::read(&mut reader)?;
    reader.finish()
}

/// What lines share: written once, and shared again when it is read.
#[derive(Default)]
struct Shared<'a> {
    frames: HashMap<usize, u32>,
    /// Each after the one around it.
    frames_in_order: Vec<&'a Frame>,
    items: HashMap<usize, u32>,
    items_in_order: Vec<&'a MapItem>,
}

impl<'a> Shared<'a> {
    fn frame(&mut self, frame: &'a Arc<Frame>) {
        let mut new = Vec::new();
        let mut next = Some(frame);
        while let Some(frame) = next.filter(|frame| !self.frames.contains_key(&address(frame))) {
            new.push(frame);
            next = frame.outer.as_ref();
        }
        for frame in new.into_iter().rev() {
            self.frames.insert(address(frame), self.frames_in_order.len() as u32);
            self.frames_in_order.push(frame);
        }
    }

    fn item(&mut self, item: &'a Arc<MapItem>) {
        let next = self.items_in_order.len() as u32;
        if *self.items.entry(address(item)).or_insert(next) == next {
            self.items_in_order.push(item);
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.count(self.frames_in_order.len());
        for frame in &self.frames_in_order {
            frame.outer.as_ref().map(|outer| self.frames[&address(outer)]).write(writer);
            frame.own.write(writer);
        }
        writer.count(self.items_in_order.len());
        self.items_in_order.iter().for_each(|item| item.write(writer));
    }
}

fn read_frames(reader: &mut Reader<'_>) -> Result<Vec<Arc<Frame>>, CodecError> {
    let mut frames: Vec<Arc<Frame>> = Vec::new();
    for _ in 0..reader.count()? {
        let outer = match Option::<u32>::read(reader)? {
            None => None,
            Some(at) => Some(place(&frames, at).ok_or_else(|| reader.damaged())?),
        };
        let own = Vec::read(reader)?;
        frames.push(Arc::new(Frame { outer, own }));
    }
    Ok(frames)
}

fn address<T>(shared: &Arc<T>) -> usize {
    Arc::as_ptr(shared).addr()
}

fn place<T>(known: &[Arc<T>], at: u32) -> Option<Arc<T>> {
    known.get(at as usize).cloned()
}

/// Whether the line is one of the program's.
fn check(branch: &Branch, program: &Program) -> Option<()> {
    program.states.get(branch.state.0 as usize)?;
    let Phase::Joining(join) = &branch.phase else { return Some(()) };
    let items = join.map.as_ref().map(|map| map.items.len());
    items.is_none_or(|items| items == join.outputs.len()).then_some(())
}

/// As JSON text.
impl Wire for Value {
    fn write(&self, writer: &mut Writer) {
        Document::from(self.clone()).write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Value, CodecError> {
        Ok(Document::read(reader)?.value().clone())
    }
}
