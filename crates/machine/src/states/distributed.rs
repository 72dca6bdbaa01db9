//! Distributed Map: each item, or batch of items, is an execution of its own. Here are the beginning and the end of the run as
//! the Map state sees them; in between it waits. Who drives the run asks [`MapRun`](crate::MapRun) for the children.

use std::sync::Arc;

use stepwright_asl::program::{Distributed, ItemReader, Kind, Map, State};
use stepwright_types::error_name;
use stepwright_value::{Document, Value};

use crate::branch::{Items, MapItem, Phase};
use crate::effect::Effect;
use crate::event::{Batching, BranchId, EventBody, MapRunStarted, MapStarted, RunId};
use crate::fault::{Fault, StateFailure, Trouble};
use crate::identity::ExecutionKind;
use crate::map_run::{self, MapRun};
use crate::outcome::Failure;
use crate::scene::Scene;
use crate::stages;
use crate::states::map::{self, Beginning};
use crate::states::numbers;
use crate::test_state::{at_pointer, read_items};
use crate::turn::Turn;

pub(crate) fn work(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    distributed: &Distributed,
) -> Result<(), Trouble> {
    if turn.execution.identity.kind == ExecutionKind::Express && turn.execution.staging.is_none() {
        let fault = Fault::runtime("A Map in DISTRIBUTED mode is not supported inside EXPRESS executions.");
        return Err(turn.fail_in(id, state, fault));
    }
    let beginning = turn.scene_of(id, state).and_then(|mut scene| begin(&mut scene, map, distributed));
    let beginning = match beginning {
        Ok(beginning) => beginning,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    let wished = beginning.max_concurrency.map(|wished| u32::try_from(wished).unwrap_or(u32::MAX));
    let started = MapStarted {
        items: beginning.items.clone(),
        length: map::length_of(&beginning.items),
        concurrency: wished.unwrap_or(0),
        distributed: true,
        input: beginning.input.clone(),
    };
    turn.emit(id, EventBody::MapStarted(Box::new(started)))?;
    let run = match run(turn, id, state, map, distributed, &beginning) {
        Ok(run) => run,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    turn.emit(id, EventBody::MapRunStarted(Box::new(run)))?;
    want_run(turn, id)
}

/// Asks for the run that the line waits for.
fn want_run(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    // In a test of the state nothing runs.
    if turn.execution.staging.is_some() {
        return Ok(());
    }
    let run = MapRun::of(turn.execution, turn.branch(id)?);
    if let Some(run) = run {
        turn.want(Effect::StartMapRun(Box::new(run)));
    }
    Ok(())
}

/// The execution was redriven: what did not succeed in the run goes on.
pub(crate) fn redrive(turn: &mut Turn<'_>, id: BranchId) -> Result<(), Trouble> {
    let Phase::Distributed(map) = &turn.branch(id)?.phase else { return Ok(()) };
    let Some(run) = &map.run else { return Ok(()) };
    let (map_run_arn, count) = (run.started.map_run_arn.clone(), run.redrive_count.saturating_add(1));
    turn.emit(id, EventBody::MapRunRedriven { map_run_arn, count })?;
    want_run(turn, id)
}

/// The run has ended. One that nobody waits for any more changes nothing.
pub(crate) fn finished(
    turn: &mut Turn<'_>,
    run: RunId,
    result: Result<Document, Failure>,
) -> Result<(), Trouble> {
    let lines = turn.execution.branches.values();
    let mut waiting = lines.filter(|line| line.open_run().is_some_and(|open| open.id == run));
    let Some(id) = waiting.next().map(|line| line.id) else { return Ok(()) };
    let result = end(turn, id, result);
    turn.settle(id, result)
}

fn end(turn: &mut Turn<'_>, id: BranchId, result: Result<Document, Failure>) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let Kind::Map(map) = &state.kind else { return Ok(()) };
    let last_id = turn.branch_last_id(id);
    match result {
        Ok(output) => map::finish(turn, id, state, map, last_id, output),
        Err(failure) => {
            turn.emit(id, EventBody::MapRunFailed(Arc::new(failure.clone())))?;
            let mut failure = StateFailure::plain(failure);
            // As everywhere: only a catcher that names the error catches it.
            failure.wildcard &= failure.failure.name() != error_name::DATA_LIMIT_EXCEEDED;
            Err(failure.into())
        }
    }
}

fn begin(scene: &mut Scene<'_>, map: &Map, distributed: &Distributed) -> Result<Beginning, Fault> {
    let Some(reader) = &distributed.item_reader else { return map::begin(scene, map) };
    let input = stages::effective_input(scene)?;
    let max_concurrency = map::max_concurrency(scene, map, &input)?;
    // AWS: a state that reads its items shows a length of 0.
    let items = staged_items(scene, reader)?.unwrap_or_else(|| Value::from(Vec::new()).into());
    Ok(Beginning { input, items, max_concurrency })
}

/// What a test of the state says that was read.
fn staged_items(scene: &mut Scene<'_>, reader: &ItemReader) -> Result<Option<Document>, Fault> {
    let Some(text) = scene.staging.and_then(|staging| staging.reader_data.as_deref()) else {
        return Ok(None);
    };
    let failed = |cause: String| Fault::named(error_name::ITEM_READER_FAILED, cause);
    let data = read_items(reader, text).map_err(failed)?;
    let Some(pointer) = &reader.items_pointer else { return Ok(Some(data)) };
    let items = at_pointer(data.value(), pointer);
    let items = items.ok_or_else(|| failed(format!("There is nothing at {pointer} in the data.")))?;
    let items = Document::from(items.clone());
    scene.note(|trace| trace.after_items_pointer = Some(items.clone()));
    Ok(Some(items))
}

/// AWS looks at the tolerances, and at each item, after the state has started.
fn run(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    distributed: &Distributed,
    beginning: &Beginning,
) -> Result<MapRunStarted, Fault> {
    let mut scene = turn.scene_of(id, state)?;
    let (tolerated_failure_count, tolerated_failure_percentage) =
        tolerance(&mut scene, distributed, &beginning.input)?;
    let batching = batching(&mut scene, distributed, &beginning.input)?;
    if let Some(reader) = &distributed.item_reader {
        // One that is negative is the reader's to refuse.
        numbers::integer(&mut scene, reader.max_items.as_ref(), beginning.input.value())?;
    }
    drop(scene);
    if turn.execution.staging.is_some() {
        note_children(turn, id, state, map, batching.as_ref(), beginning)?;
    }
    let identity = turn.execution.identity.clone();
    // A child of a map run shows the label of its own Map behind the machine's name.
    let machine = identity.machine_name.split('/').next().unwrap_or_default();
    let label = match &distributed.label {
        Some(label) => label.to_string(),
        None => uuid(turn.entropy),
    };
    let map_run_arn = identity.account.map_run(machine, &label, &uuid(turn.entropy)).into();
    Ok(MapRunStarted {
        map_run_arn,
        label: label.into(),
        max_concurrency: beginning
            .max_concurrency
            .map_or(0, |wished| u32::try_from(wished).unwrap_or(u32::MAX)),
        tolerated_failure_count,
        tolerated_failure_percentage,
        batching,
    })
}

fn tolerance(
    scene: &mut Scene<'_>,
    distributed: &Distributed,
    input: &Document,
) -> Result<(Option<i64>, Option<f64>), Fault> {
    let count = distributed.tolerated_failure_count.as_ref();
    let count = numbers::count(scene, "ToleratedFailureCount", count, input.value())?;
    let percentage =
        numbers::decimal(scene, distributed.tolerated_failure_percentage.as_ref(), input.value())?;
    if percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
        let field = "ToleratedFailurePercentage";
        return Err(scene.refused(field, format!("{field} must be between 0 and 100.")));
    }
    scene.note(|trace| {
        trace.tolerated_failure_count = count;
        trace.tolerated_failure_percentage = percentage;
    });
    Ok((count, percentage))
}

/// `ItemBatcher`.
fn batching(
    scene: &mut Scene<'_>,
    distributed: &Distributed,
    input: &Document,
) -> Result<Option<Batching>, Fault> {
    let Some(batcher) = &distributed.item_batcher else { return Ok(None) };
    let (items, bytes) = (batcher.max_items_per_batch.as_ref(), batcher.max_input_bytes_per_batch.as_ref());
    let items_max = numbers::count(scene, "MaxItemsPerBatch", items, input.value())?;
    let bytes_max = numbers::count(scene, "MaxInputBytesPerBatch", bytes, input.value())?;
    let batch_input = match &batcher.batch_input {
        None => None,
        Some(template) => Some(scene.payload(template, input.value(), "ItemBatcher/BatchInput")?),
    };
    Ok(Some(Batching { items_max, bytes_max, batch_input }))
}

/// In a test of the state: what all children would begin with.
fn note_children(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    batching: Option<&Batching>,
    beginning: &Beginning,
) -> Result<(), Fault> {
    let items = Items(beginning.items.clone());
    let mut selected = Vec::with_capacity(items.len());
    for index in 0..items.len() {
        let Some((key, value)) = items.get(index) else { break };
        let item = MapItem { index: u32::try_from(index).unwrap_or(u32::MAX), key, value };
        selected.push(map::item_input(turn, id, state, map, &beginning.input, item)?.value().clone());
    }
    if let Some(batching) = batching {
        let batches = Document::from(map_run::batched(selected, batching));
        turn.scene_of(id, state)?.note(|trace| trace.after_item_batcher = Some(batches));
    }
    Ok(())
}

/// A random UUID (version 4).
fn uuid(entropy: &mut dyn FnMut() -> u64) -> String {
    let bits = (u128::from(entropy()) << 64) | u128::from(entropy());
    let bits = (bits & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [hex.get(..8), hex.get(8..12), hex.get(12..16), hex.get(16..20), hex.get(20..)];
    parts.map(Option::unwrap_or_default).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids() {
        assert_eq!(uuid(&mut || 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(&mut || u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
