//! Distributed Map: each item, or batch of items, is a child execution. The children run as lines of the same execution
//! whose events AWS's history of the parent does not show.
//!
//! Left out: reading items from elsewhere (`ItemReader`) and writing results elsewhere (`ResultWriter`).

use std::sync::Arc;

use stepwright_asl::program::{Distributed, ItemReader, Kind, Map, State};
use stepwright_types::{error_name, limit};
use stepwright_value::{Document, Object, Value, written_len};

use crate::branch::{Items, MapItem, Phase};
use crate::event::{BranchId, ChildIdentity, EventBody, MapRunStarted, MapStarted};
use crate::fault::{Fault, StateFailure, Trouble};
use crate::outcome::Failure;
use crate::scene::Scene;
use crate::stages;
use crate::states::map::{self, Beginning};
use crate::states::numbers;
use crate::test_state::{at_pointer, read_items};
use crate::turn::Turn;

/// Children at a time, when the definition does not say less: bounds what one execution holds at once.
const CHILDREN_AT_A_TIME_MAX: u32 = 1_000;

/// What the failure of a line means for the Map around it.
pub(crate) enum ChildFailure {
    /// Nothing special: the line is no child of a distributed Map.
    OfInlineLine,
    Tolerated,
    /// The run fails with this.
    TooMany(StateFailure),
}

pub(crate) fn work(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    distributed: &Distributed,
) -> Result<(), Trouble> {
    let beginning = turn.scene_of(id, state).and_then(|mut scene| begin(&mut scene, map, distributed));
    let beginning = match beginning {
        Ok(beginning) => beginning,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    let wished = beginning.max_concurrency.and_then(|wished| u32::try_from(wished).ok()).unwrap_or(0);
    let at_most = limit::DISTRIBUTED_MAP_CONCURRENCY_MAX.min(CHILDREN_AT_A_TIME_MAX);
    let started = MapStarted {
        items: beginning.items.clone(),
        length: map::length_of(&beginning.items),
        concurrency: if wished == 0 { at_most } else { wished.min(at_most) },
        distributed: true,
        input: beginning.input.clone(),
    };
    turn.emit(id, EventBody::MapStarted(Box::new(started)))?;
    let run = match run(turn, id, state, map, distributed, &beginning) {
        Ok(run) => run,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    turn.emit(id, EventBody::MapRunStarted(Box::new(run)))?;
    let staged = turn.execution.staging.is_some();
    if let Some(reader) = distributed.item_reader.as_ref().filter(|_| !staged) {
        let cause = format!("Reading items from {} is not available.", reader.resource.arn);
        return Err(fail_run(turn, id, Failure::new(error_name::ITEM_READER_FAILED, cause))?.into());
    }
    Ok(())
}

/// The run has failed, and the state with it.
fn fail_run(turn: &mut Turn<'_>, id: BranchId, failure: Failure) -> Result<StateFailure, Trouble> {
    turn.emit(id, EventBody::MapRunFailed(Arc::new(failure.clone())))?;
    Ok(StateFailure::plain(failure))
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
    drop(scene);
    let inputs = match (&map.item_selector, &distributed.item_batcher) {
        (None, None) if beginning.items.value().as_array().is_some() => beginning.items.clone(),
        _ => child_inputs(turn, id, state, map, distributed, beginning)?,
    };
    let machine = turn.execution.identity.machine_name.clone();
    let label = match &distributed.label {
        Some(label) => label.to_string(),
        None => uuid(turn.entropy),
    };
    let map_run_arn = turn.execution.identity.account.map_run(&machine, &label, &uuid(turn.entropy)).into();
    Ok(MapRunStarted {
        map_run_arn,
        label: label.into(),
        inputs,
        tolerated_failure_count,
        tolerated_failure_percentage,
    })
}

fn tolerance(
    scene: &mut Scene<'_>,
    distributed: &Distributed,
    input: &Document,
) -> Result<(Option<i64>, Option<f64>), Fault> {
    let count = numbers::integer(scene, distributed.tolerated_failure_count.as_ref(), input.value())?;
    if count.is_some_and(|count| count < 0) {
        return Err(Fault::runtime("ToleratedFailureCount cannot be negative."));
    }
    let percentage =
        numbers::decimal(scene, distributed.tolerated_failure_percentage.as_ref(), input.value())?;
    if percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
        return Err(Fault::runtime("ToleratedFailurePercentage must be between 0 and 100."));
    }
    scene.note(|trace| {
        trace.tolerated_failure_count = count;
        trace.tolerated_failure_percentage = percentage;
    });
    Ok((count, percentage))
}

/// What each child begins with: the selected item, or a batch of them.
fn child_inputs(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    distributed: &Distributed,
    beginning: &Beginning,
) -> Result<Document, Fault> {
    let items = Items(beginning.items.clone());
    let mut selected = Vec::with_capacity(items.len());
    for index in 0..items.len() {
        let Some((key, value)) = items.get(index) else { break };
        let item = MapItem { index: u32::try_from(index).unwrap_or(u32::MAX), key, value };
        selected.push(map::item_input(turn, id, state, map, &beginning.input, item)?.value().clone());
    }
    let Some(batcher) = &distributed.item_batcher else { return Ok(Value::from(selected).into()) };
    let mut scene = turn.scene_of(id, state)?;
    let input = beginning.input.value();
    let items_max = numbers::integer(&mut scene, batcher.max_items_per_batch.as_ref(), input)?;
    let bytes_max = numbers::integer(&mut scene, batcher.max_input_bytes_per_batch.as_ref(), input)?;
    let batch_input = match &batcher.batch_input {
        None => None,
        Some(template) => Some(scene.template(template, input, "ItemBatcher/BatchInput")?),
    };
    let batches = Document::from(batched(selected, batch_input.as_ref(), items_max, bytes_max));
    scene.note(|trace| trace.after_item_batcher = Some(batches.clone()));
    Ok(batches)
}

/// Batches of at most so many items and bytes. An item that is larger than a batch may be is a batch of its own.
fn batched(
    items: Vec<Value>,
    batch_input: Option<&Value>,
    items_max: Option<i64>,
    bytes_max: Option<i64>,
) -> Value {
    let bound = |wished: Option<i64>| wished.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let items_max = bound(items_max).unwrap_or(usize::MAX);
    let bytes_max = bound(bytes_max).unwrap_or(limit::PAYLOAD_BYTES_MAX);
    let frame_bytes = written_len(&batch(Vec::new(), batch_input));
    let (mut batches, mut current, mut bytes) = (Vec::new(), Vec::new(), frame_bytes);
    for item in items {
        let item_bytes = written_len(&item) + 1;
        if !current.is_empty() && (current.len() >= items_max || bytes + item_bytes > bytes_max) {
            batches.push(batch(std::mem::take(&mut current), batch_input));
            bytes = frame_bytes;
        }
        bytes += item_bytes;
        current.push(item);
    }
    if !current.is_empty() {
        batches.push(batch(current, batch_input));
    }
    batches.into()
}

fn batch(items: Vec<Value>, batch_input: Option<&Value>) -> Value {
    let mut batch = Object::with_capacity(2);
    if let Some(batch_input) = batch_input {
        batch.insert("BatchInput", batch_input.clone());
    }
    batch.insert("Items", items);
    batch.into()
}

/// What the child for the next item is called.
pub(crate) fn child_identity(
    turn: &mut Turn<'_>,
    id: BranchId,
    input: Document,
) -> Result<Option<ChildIdentity>, Trouble> {
    let Phase::Joining(join) = &turn.branch(id)?.phase else { return Ok(None) };
    let Some(run) = join.map.as_ref().and_then(|map| map.run.as_ref()) else { return Ok(None) };
    let label = run.label.clone();
    let name = uuid(turn.entropy);
    let identity = &turn.execution.identity;
    let execution_arn =
        identity.account.execution(&format!("{}/{label}", identity.machine_name), &name).into();
    Ok(Some(ChildIdentity { execution_arn, execution_name: name.into(), start_ms: turn.now_ms, input }))
}

/// A line has failed. When it is a child of a distributed Map, that may be tolerated.
pub(crate) fn child_failed(
    turn: &mut Turn<'_>,
    id: BranchId,
    parent: BranchId,
    failure: &Failure,
) -> Result<ChildFailure, Trouble> {
    let program = turn.program.clone();
    let Kind::Map(map) = &program.state(turn.state_of(parent)).kind else {
        return Ok(ChildFailure::OfInlineLine);
    };
    if map.distributed.is_none() {
        return Ok(ChildFailure::OfInlineLine);
    }
    turn.cancel_work_of(id);
    for line in crate::lines::below(turn.execution, id) {
        turn.cancel_work_of(line);
    }
    turn.emit(id, EventBody::ChildFailed(Arc::new(failure.clone())))?;
    let Phase::Joining(join) = &turn.branch(parent)?.phase else { return Ok(ChildFailure::Tolerated) };
    let Some((of_map, run)) = join.map.as_ref().and_then(|map| Some((map, map.run.as_ref()?))) else {
        return Ok(ChildFailure::Tolerated);
    };
    let failed = i64::from(of_map.failed);
    let percentage = 100.0 * failed as f64 / join.outputs.len().max(1) as f64;
    let tolerated = match (run.tolerated_failure_count, run.tolerated_failure_percentage) {
        (None, None) => failed == 0,
        (count, bound) => {
            count.is_none_or(|count| failed <= count) && bound.is_none_or(|bound| percentage <= bound)
        }
    };
    if tolerated {
        return Ok(ChildFailure::Tolerated);
    }
    let last_id = turn.branch_last_id(parent);
    crate::abort::lines_of(turn, parent, None, last_id)?;
    turn.emit(parent, EventBody::JoinFailed)?;
    let failure = Failure::new(
        error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
        "The specified tolerated failure threshold was exceeded",
    );
    fail_run(turn, parent, failure).map(ChildFailure::TooMany)
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
    fn batches() {
        let items = |n: i64| (0..n).map(Value::from).collect::<Vec<_>>();
        let cases = [
            (items(5), None, Some(2), None, r#"[{"Items":[0,1]},{"Items":[2,3]},{"Items":[4]}]"#),
            (items(3), Some(Value::from("x")), None, None, r#"[{"BatchInput":"x","Items":[0,1,2]}]"#),
            (items(3), None, None, Some(14), r#"[{"Items":[0]},{"Items":[1]},{"Items":[2]}]"#),
            (items(3), None, None, Some(16), r#"[{"Items":[0,1]},{"Items":[2]}]"#),
            (items(0), None, Some(2), None, "[]"),
        ];
        for (items, batch_input, items_max, bytes_max, expected) in cases {
            assert_eq!(batched(items, batch_input.as_ref(), items_max, bytes_max).to_json(), expected);
        }
    }

    #[test]
    fn uuids() {
        assert_eq!(uuid(&mut || 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(&mut || u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
