//! What must hold of map runs and their children.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_asl::program::Program;
use stepwright_engine::{Counts, RunKey, RunRecord, span_of};
use stepwright_machine::{Event, EventBody, ExecutionKind};
use stepwright_store::{CatalogKind, Execution as Row, Listing, Status, Store};
use stepwright_types::arn::MapRunArn;

use crate::disk::now;
use crate::history;
use crate::simulation::checks;
use crate::simulation::world::World;

/// All map runs.
fn all(store: &dyn Store) -> Vec<(RunKey, RunRecord)> {
    let records = now(store.records(CatalogKind::MapRun, "", None, usize::MAX)).and_then(Result::ok);
    let records = records.unwrap_or_default().into_iter();
    let run = |record: stepwright_store::CatalogRecord| {
        Some((RunKey::of_record_key(&record.key)?, RunRecord::decode(&record.data).ok()?))
    };
    records.filter_map(run).collect()
}

/// The rows of all children.
pub fn children(store: &dyn Store) -> Vec<Row> {
    all(store).iter().flat_map(|(_, record)| children_of(store, record)).collect()
}

fn children_of(store: &dyn Store, record: &RunRecord) -> Vec<Row> {
    checks::rows(store, Listing::MapRun { arn: record.map_run_arn.clone(), redriven: None })
}

/// The runs that have not ended.
pub fn open(store: &dyn Store) -> Vec<String> {
    let open = all(store).into_iter().filter(|(_, record)| record.status == Status::Running);
    open.map(|(_, record)| record.map_run_arn.to_string()).collect()
}

/// After a life: children that had succeeded have the same result still. Others may have been redriven.
pub fn after_life(store: &dyn Store, world: &World) -> Result<(), String> {
    let mut state = world.lock();
    for row in children(store).into_iter().filter(|row| row.status == Status::Succeeded) {
        let now = (row.status, row.tail);
        let known =
            state.children.entry((row.machine.clone(), row.name.clone())).or_insert_with(|| now.clone());
        if *known != now {
            return Err(format!("{} of {} had ended as {known:?}, and is {now:?}", row.name, row.machine));
        }
    }
    Ok(())
}

/// At the end: every run has ended as its execution tells it, its children have ended, and its counts are theirs. How many
/// children there are.
pub fn check(
    store: &dyn Store,
    mut check_child: impl FnMut(&Row, Arc<Program>) -> Result<(), String>,
    world: &World,
) -> Result<u64, String> {
    let mut count = 0;
    for (key, record) in all(store) {
        let told = |reason: String| format!("{}: {reason}", record.map_run_arn);
        let rows = children_of(store, &record);
        check_end(store, key, &record).map_err(told)?;
        check_items(&record, &rows).map_err(told)?;
        if record.kind == ExecutionKind::Standard {
            let program = program(&record, world).map_err(told)?;
            rows.iter().try_for_each(|row| check_child(row, program.clone()))?;
        }
        count += rows.len() as u64;
    }
    Ok(count)
}

fn program(record: &RunRecord, world: &World) -> Result<Arc<Program>, String> {
    let name = MapRunArn::parse(&record.map_run_arn).map_or("", |arn| arn.machine);
    let machine = world.machines.iter().find(|machine| machine.name == name).ok_or("no such machine")?;
    let compilation = stepwright_asl::compile(&machine.definition, &Default::default());
    compilation.program.clone().ok_or_else(|| "it does not compile".to_owned())
}

/// The execution tells the end of the run once, and as the record does.
fn check_end(store: &dyn Store, key: RunKey, record: &RunRecord) -> Result<(), String> {
    let segments = now(store.segments(key.parent, 1)).and_then(Result::ok).unwrap_or_default();
    let events: Vec<Event> = history::events(&segments)?;
    let started = events.iter().find(|event| event.sequence == key.run).ok_or("its start is not told")?;
    if !matches!(&started.body, EventBody::MapRunStarted(it) if it.map_run_arn == record.map_run_arn) {
        return Err("another start is told".to_owned());
    }
    let after = events.iter().filter(|event| event.sequence > key.run && event.branch == started.branch);
    let (mut is_open, mut last) = (true, Status::Aborted);
    for event in after.take_while(|event| !matches!(event.body, EventBody::MapRunStarted(_))) {
        let status = match event.body {
            EventBody::MapRunSucceeded => Status::Succeeded,
            EventBody::MapRunFailed(_) => Status::Failed,
            EventBody::MapRunAborted => Status::Aborted,
            EventBody::MapRunRedriven { .. } => {
                // One whose execution ended without a word was aborted with it.
                (is_open, last) = (true, Status::Aborted);
                continue;
            }
            _ => continue,
        };
        if !std::mem::replace(&mut is_open, false) {
            return Err(format!("it has ended, and then {status:?}"));
        }
        last = status;
    }
    match last == record.status {
        true => Ok(()),
        false => Err(format!("it is {:?}, and {last:?} in the history", record.status)),
    }
}

/// No item has two children; of a run that went well every item has one; the counts are right.
fn check_items(record: &RunRecord, rows: &[Row]) -> Result<(), String> {
    let mut items = BTreeMap::new();
    let mut counts = Counts { total: record.items.total, ..Counts::default() };
    for row in rows {
        let span = span_of(&row.name).ok_or("a child that says no items")?;
        counts.add(row.status, u64::from(span.count));
        for index in span.first..span.first + u64::from(span.count) {
            if items.insert(index, &row.name).is_some() {
                return Err(format!("item {index} has two children"));
            }
        }
    }
    if counts != record.items {
        return Err(format!("its children are {counts:?}, it says {:?}", record.items));
    }
    let all: Vec<u64> = (0..record.items.total).collect();
    if record.status == Status::Succeeded && items.into_keys().collect::<Vec<u64>>() != all {
        return Err("an item has no child".to_owned());
    }
    Ok(())
}
