//! Map: its processor runs once for each item; the result is the array of the outputs. What only a distributed Map does is
//! in `distributed`.

use std::sync::Arc;

use stepwright_asl::program::{Items, Map, QueryLanguage, State};
use stepwright_jsonpath::invalid_path;
use stepwright_types::{error_name, limit};
use stepwright_value::{Document, Kind as ValueKind, Object, Value};

use crate::abort;
use crate::branch::{MapItem, Phase};
use crate::breakpoints::Point;
use crate::event::{BranchId, EventBody, IterationStarted, MapStarted};
use crate::fault::{Fault, Trouble};
use crate::hold::Stop;
use crate::jsonata;
use crate::scene::Scene;
use crate::stages;
use crate::states::{distributed, numbers, parallel};
use crate::turn::Turn;

/// What a Map state begins with.
pub(crate) struct Beginning {
    /// The state's input after `InputPath`.
    pub input: Document,
    pub items: Document,
    pub max_concurrency: Option<i64>,
}

pub(crate) fn work(turn: &mut Turn<'_>, id: BranchId, state: &State, map: &Map) -> Result<(), Trouble> {
    if let Some(distributed) = &map.distributed {
        return distributed::work(turn, id, state, map, distributed);
    }
    if map.asks_too_much {
        let words = "The ItemReader, ItemBatcher and ResultWriter fields are not supported for INLINE maps";
        return Err(turn.fail_in(id, state, Fault::runtime(words)));
    }
    let beginning = turn.scene_of(id, state).and_then(|mut scene| begin(&mut scene, map));
    let beginning = match beginning {
        Ok(beginning) => beginning,
        Err(fault) => return Err(turn.fail_in(id, state, fault)),
    };
    let length = length_of(&beginning.items);
    let wished = beginning.max_concurrency.and_then(|wished| u32::try_from(wished).ok()).unwrap_or(0);
    let started = MapStarted {
        items: beginning.items,
        length,
        concurrency: if wished == 0 { limit::INLINE_MAP_CONCURRENCY } else { wished.min(length.max(1)) },
        distributed: false,
        input: beginning.input,
    };
    turn.emit(id, EventBody::MapStarted(Box::new(started)))
}

/// Items, and how many of them may be processed at a time.
pub(crate) fn begin(scene: &mut Scene<'_>, map: &Map) -> Result<Beginning, Fault> {
    let input = stages::effective_input(scene)?;
    let items = items(scene, map, &input)?;
    let max_concurrency = max_concurrency(scene, map, &input)?;
    Ok(Beginning { input, items, max_concurrency })
}

pub(crate) fn max_concurrency(
    scene: &mut Scene<'_>,
    map: &Map,
    input: &Document,
) -> Result<Option<i64>, Fault> {
    let max_concurrency =
        numbers::count(scene, "MaxConcurrency", map.max_concurrency.as_ref(), input.value())?;
    scene.note(|trace| trace.max_concurrency = max_concurrency.or(Some(0)));
    Ok(max_concurrency)
}

/// How many items a document holds.
pub(crate) fn length_of(items: &Document) -> u32 {
    let length = match items.value() {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn items(scene: &mut Scene<'_>, map: &Map, input: &Document) -> Result<Document, Fault> {
    let may_be_object = map.distributed.is_some();
    let fits = |value: &Value| {
        value.kind() == ValueKind::Array || (may_be_object && value.kind() == ValueKind::Object)
    };
    let items: Document = match &map.items {
        Items::Input if scene.state.language == QueryLanguage::Jsonata && !fits(input.value()) => {
            let detail = format!("Map state input must be an array but was: {}", input.value());
            return Err(Fault::query(None, detail));
        }
        Items::Input if !fits(input.value()) => return Err(not_an_array("$")),
        Items::Input => input.clone(),
        Items::Path(path) => match scene.select(path, input.value()) {
            Ok(value) if fits(&value) => value.into(),
            Ok(_) => return Err(not_an_array(path.text())),
            Err(error) => return Err(Fault::runtime(invalid_path(path.text(), &error))),
        },
        Items::Template(template) => {
            let value = scene.template(template, &Value::Null, "Items")?;
            if !fits(&value) {
                let source = match template {
                    stepwright_asl::program::Template::Jsonata(
                        stepwright_asl::program::JsonataTemplate::Expression(expression),
                    ) => expression.source(),
                    _ => "",
                };
                let detail = jsonata::unexpected_type(source, "Items", "array", &value);
                return Err(Fault::query(Some("Items"), detail));
            }
            value.into()
        }
    };
    scene.note(|trace| trace.after_items_path = Some(items.clone()));
    Ok(items)
}

fn not_an_array(path: &str) -> Fault {
    // AWS shows a path into the context object with one `$`.
    let path = if path.starts_with("$$") { path.get(1..).unwrap_or(path) } else { path };
    Fault::runtime(format!("Reference path \"{path}\" must point to array."))
}

/// Begins as many iterations as may run.
///
/// Where breakpoints have been `asked` about the first one, they are not asked again.
pub(crate) fn begin_iterations(turn: &mut Turn<'_>, id: BranchId, mut asked: bool) -> Result<(), Trouble> {
    let program = turn.program.clone();
    let state = program.state(turn.state_of(id));
    let stepwright_asl::program::Kind::Map(map) = &state.kind else { return Ok(()) };
    let mut has_begun = false;
    loop {
        let Phase::Joining(join) = &turn.branch(id)?.phase else { return Ok(()) };
        if !join.can_begin() || (has_begun && !turn.has_more()) {
            return Ok(());
        }
        let Some(of_map) = &join.map else { return Ok(()) };
        let (index, slot_id, map_input) = (of_map.next, of_map.slot_id, of_map.input.clone());
        let Some((key, value)) = of_map.items.get(index as usize) else { return Ok(()) };
        if !std::mem::take(&mut asked) && turn.stops(id, &Point::Iteration { index }, || Stop::Iteration)? {
            return Ok(());
        }
        let item = MapItem { index, key, value };
        let input = item_input(turn, id, state, map, &map_input, item);
        let input = match input {
            Ok(input) => input,
            Err(fault) => {
                let last_id = turn.branch_last_id(id);
                if fault.error != error_name::RUNTIME {
                    abort::lines_of(turn, id, None, last_id)?;
                }
                return Err(turn.fail_in(id, state, fault));
            }
        };
        let started =
            IterationStarted { parent: id, name: state.name.clone(), index, input, flow: map.processor };
        let line = BranchId(turn.execution.next_branch);
        turn.emit_after(line, slot_id, EventBody::IterationStarted(Box::new(started)))?;
        has_begun = true;
    }
}

/// `ItemSelector`: what an iteration begins with.
pub(crate) fn item_input(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    map_input: &Document,
    item: MapItem,
) -> Result<Document, Fault> {
    if map.item_selector.is_none() {
        return Ok(unselected(item));
    }
    selected(&mut turn.scene_of(id, state)?, map, map_input, item)
}

/// An item as it is; AWS: a member of an object is `{"Key": …, "Value": …}`.
pub(crate) fn unselected(item: MapItem) -> Document {
    let Some(key) = item.key else { return item.value.into() };
    let mut member = Object::with_capacity(2);
    member.insert("Key", key);
    member.insert("Value", item.value);
    Value::from(member).into()
}

/// As [`item_input`], in a scene that is there only for this item.
pub(crate) fn selected(
    scene: &mut Scene<'_>,
    map: &Map,
    map_input: &Document,
    item: MapItem,
) -> Result<Document, Fault> {
    let Some(selector) = &map.item_selector else { return Ok(unselected(item)) };
    scene.context.item = Some(Arc::new(item));
    let selected = scene.payload(selector, map_input.value(), "ItemSelector")?;
    scene.note(|trace| trace.after_item_selector.push(selected.clone()));
    Ok(selected)
}

/// All iterations have ended.
pub(crate) fn join(turn: &mut Turn<'_>, id: BranchId, state: &State, map: &Map) -> Result<(), Trouble> {
    let Phase::Joining(join) = &turn.branch(id)?.phase else { return Ok(()) };
    let last_id = join.last_id;
    let outputs = join.outputs.iter().flatten().map(|output| output.value().clone());
    let result = Value::from_iter(outputs).into();
    finish(turn, id, state, map, last_id, result)
}

/// The iterations have yielded `result`; the last of their events is `last_id`.
pub(crate) fn finish(
    turn: &mut Turn<'_>,
    id: BranchId,
    state: &State,
    map: &Map,
    mut last_id: u32,
    result: Document,
) -> Result<(), Trouble> {
    if map.distributed.is_some() {
        turn.emit(id, EventBody::MapRunSucceeded)?;
        last_id = turn.branch_last_id(id);
    }
    turn.emit_after(id, last_id, EventBody::MapSucceeded)?;
    parallel::joined(turn, id, state, result)
}
