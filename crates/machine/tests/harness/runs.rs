//! Map runs in memory: the children one after another, each a world of its own.

use std::sync::Arc;

use stepwright_machine::{
    BehaviourFlags, Execution, Failure, Identity, Input, MapRun, Outcome, RunItem, Unbounded, child_result,
    exceeds_tolerance,
};
use stepwright_types::arn::MapRunArn;
use stepwright_types::{error_name, limit};
use stepwright_value::{Document, Value};

use super::{Answers, World};

/// How a run went.
pub struct Ran {
    pub input: Input,
    pub end_ms: i64,
}

/// Runs all children; `None` when one of them waits for something that never comes.
pub fn run(world: &World, run: &MapRun, answers: &mut Answers<'_>) -> Option<Ran> {
    let mut end_ms = world.now_ms;
    let result = match inputs(run, world.now_ms) {
        Ok(inputs) => children(world, run, inputs, &mut end_ms, answers)?,
        Err(failure) => Err(failure),
    };
    Some(Ran { input: Input::MapRunFinished { run: run.run, result }, end_ms })
}

/// What the children begin with, and how many items each has.
fn inputs(run: &MapRun, now_ms: i64) -> Result<Vec<(Document, usize)>, Failure> {
    if let Some(reader) = run.item_reader() {
        let cause = format!("Reading items from {} is not available.", reader.resource.arn);
        return Err(Failure::new(error_name::ITEM_READER_FAILED, cause));
    }
    let mut inputs = Vec::new();
    let mut batch = run.batch();
    for item in (0..run.len()).filter_map(|index| run.item(index)) {
        let selected = select(run, item, now_ms)?;
        let Some(open) = &mut batch else {
            inputs.push((selected, 1));
            continue;
        };
        if !open.has_room_for(selected.value()) {
            inputs.push((open.value().into(), open.len()));
            *open = run.batch().expect("a run with batches");
        }
        open.push(selected.value().clone());
    }
    if let Some(rest) = batch.filter(|batch| !batch.is_empty()) {
        inputs.push((rest.value().into(), rest.len()));
    }
    Ok(inputs)
}

fn select(run: &MapRun, item: RunItem, now_ms: i64) -> Result<Document, Failure> {
    run.select(item, now_ms, &mut || 7, &Unbounded)
}

fn children(
    world: &World,
    run: &MapRun,
    inputs: Vec<(Document, usize)>,
    end_ms: &mut i64,
    answers: &mut Answers<'_>,
) -> Option<Result<Document, Failure>> {
    let (total, mut failed) = (inputs.iter().map(|(_, items)| items).sum::<usize>(), 0);
    let mut outputs = Vec::new();
    for (number, (input, items)) in inputs.into_iter().enumerate() {
        let identity = Arc::new(identity(run, number, input, *end_ms));
        let program = run.program().clone();
        let child = Execution::child(program, identity, BehaviourFlags::CURRENT, run.processor)?;
        let mut child = World::of(child, world.mode);
        child.now_ms = *end_ms;
        child.run(answers);
        *end_ms = child.now_ms;
        let outcome = child.execution.outcome()?;
        outputs.push(child_result(outcome).value().clone());
        if !matches!(outcome, Outcome::Succeeded { .. }) {
            failed += items;
        }
        if exceeds(run, failed, total) {
            let cause = "The specified tolerated failure threshold was exceeded";
            return Some(Err(Failure::new(error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD, cause)));
        }
    }
    let result = Document::from(Value::from(outputs));
    if result.len_bytes() > limit::PAYLOAD_BYTES_MAX {
        return Some(Err(Failure::new(error_name::DATA_LIMIT_EXCEEDED, "too large")));
    }
    Some(Ok(result))
}

fn exceeds(run: &MapRun, failed: usize, total: usize) -> bool {
    let (count, percentage) = (run.started.tolerated_failure_count, run.started.tolerated_failure_percentage);
    exceeds_tolerance(count, percentage, failed as u64, total as u64)
}

fn identity(run: &MapRun, number: usize, input: Document, start_ms: i64) -> Identity {
    let parent = run.parent();
    let labelled = MapRunArn::parse(&run.started.map_run_arn).expect("the ARN of a map run").labelled;
    let name = format!("child-{number}");
    Identity {
        execution_arn: parent.account.execution(labelled, &name).into(),
        execution_name: name.into(),
        machine_arn: parent.account.state_machine(labelled).into(),
        machine_name: labelled.into(),
        start_ms,
        input,
        kind: run.kind,
        ..(**parent).clone()
    }
}
