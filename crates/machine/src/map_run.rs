//! A map run, as whoever drives it sees it: what its children begin with, one after another.
//!
//! Nothing here changes anything: the items, and what the fields of the Map state are evaluated against, are those of the
//! moment when the state began.

use std::sync::Arc;

use stepwright_asl::program::{ExecutionType, FlowId, ItemReader, Kind, Map, Program, ResultWriter, State};
use stepwright_types::limit;
use stepwright_value::{Document, Object, Value, written_len};

use crate::branch::{Branch, Items, MapItem, Phase};
use crate::budget::{Asked, Budget};
use crate::event::{Batching, BranchId, MapRunStarted, RunId};
use crate::execution::Execution;
use crate::identity::{BehaviourFlags, ExecutionKind, Identity};
use crate::outcome::{Failure, Outcome};
use crate::scene::Scene;
use crate::states::map;

/// A run to start, or to redrive.
#[derive(Clone, Debug, PartialEq)]
pub struct MapRun {
    pub run: RunId,
    /// ARN, label, limits.
    pub started: Arc<MapRunStarted>,
    /// The type of the children.
    pub kind: ExecutionKind,
    /// The flow that the children run.
    pub processor: FlowId,
    /// The children behave as their parent does.
    pub flags: BehaviourFlags,
    /// 0 before the first redrive.
    pub redrive_count: u32,
    /// What the items are evaluated against: the execution with the Map state's line alone.
    execution: Execution,
    line: BranchId,
    items: Items,
    /// The members of an object, which cannot be reached by number.
    members: Vec<(Arc<str>, Value)>,
}

/// An item of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunItem {
    pub index: u64,
    /// Of a member of an object.
    pub key: Option<Arc<str>>,
    pub value: Value,
}

impl MapRun {
    /// The run that the line waits for.
    pub(crate) fn of(execution: &Execution, line: &Branch) -> Option<MapRun> {
        let run = line.open_run()?;
        let Phase::Distributed(of_map) = &line.phase else { return None };
        let Kind::Map(map) = &execution.program.state(line.state).kind else { return None };
        let distributed = map.distributed.as_ref()?;
        let mut alone =
            Execution::new(execution.program.clone(), execution.identity.clone(), execution.flags);
        (alone.redrive_count, alone.redrive_ms) = (execution.redrive_count, execution.redrive_ms);
        alone.branches.clear();
        alone.branches.insert(line.id, Box::new(line.clone()));
        let members = of_map.items.0.value().as_object();
        let members =
            members.map(|object| object.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        Some(MapRun {
            run: run.id,
            started: run.started.clone(),
            kind: match distributed.execution_type {
                ExecutionType::Standard => ExecutionKind::Standard,
                ExecutionType::Express => ExecutionKind::Express,
            },
            processor: map.processor,
            flags: execution.flags,
            redrive_count: run.redrive_count,
            execution: alone,
            line: line.id,
            items: of_map.items.clone(),
            members: members.unwrap_or_default(),
        })
    }

    /// How many items the state's input holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An item of the state's input.
    pub fn item(&self, index: usize) -> Option<RunItem> {
        let number = index as u64;
        match self.items.0.value() {
            Value::Array(items) => {
                items.get(index).map(|value| RunItem { index: number, key: None, value: value.clone() })
            }
            _ => self.members.get(index).map(|(key, value)| RunItem {
                index: number,
                key: Some(key.clone()),
                value: value.clone(),
            }),
        }
    }

    /// Where the items come from, when not from the state's input.
    pub fn item_reader(&self) -> Option<&ItemReader> {
        self.map()?.distributed.as_ref()?.item_reader.as_ref()
    }

    /// Where the results go, when not into the state's output.
    pub fn result_writer(&self) -> Option<&ResultWriter> {
        self.map()?.distributed.as_ref()?.result_writer.as_ref()
    }

    /// `ItemSelector`: what the item is for its child (or in its batch). A fault in it fails the run; where the budget
    /// interrupts it, what comes out is not to be used.
    pub fn select(
        &self,
        item: RunItem,
        now_ms: i64,
        entropy: &mut dyn FnMut() -> u64,
        budget: &dyn Budget,
    ) -> Result<Document, Failure> {
        let index = u32::try_from(item.index).unwrap_or(u32::MAX);
        let item = MapItem { index, key: item.key, value: item.value };
        let (Some(map), Some(branch)) = (self.map(), self.branch()) else { return Ok(map::unselected(item)) };
        let Phase::Distributed(of_map) = &branch.phase else { return Ok(map::unselected(item)) };
        if map.item_selector.is_none() {
            return Ok(map::unselected(item));
        }
        let state = self.state(branch);
        let asked = Asked::new(budget);
        let mut scene = Scene::new(&self.execution, branch, state, now_ms, entropy, &asked, None);
        let selected = map::selected(&mut scene, map, &of_map.input, item);
        selected.map_err(|fault| fault.in_state(&state.name, branch.entered_id).failure)
    }

    /// An empty batch; `None` when every item has a child of its own.
    pub fn batch(&self) -> Option<Batch> {
        self.started.batching.as_ref().map(Batch::new)
    }

    /// The name of the Map state.
    pub fn state_name(&self) -> &str {
        self.branch().map_or("", |branch| &self.state(branch).name)
    }

    /// The execution that has the Map state.
    pub fn parent(&self) -> &Arc<Identity> {
        &self.execution.identity
    }

    /// The program that the children run.
    pub fn program(&self) -> &Arc<Program> {
        &self.execution.program
    }

    fn branch(&self) -> Option<&Branch> {
        self.execution.branches.get(&self.line).map(|branch| &**branch)
    }

    fn state(&self, branch: &Branch) -> &State {
        self.execution.program.state(branch.state)
    }

    fn map(&self) -> Option<&Map> {
        match &self.state(self.branch()?).kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// What a child gives to the result of its run: its output, or how it failed where that is tolerated.
pub fn child_result(outcome: &Outcome) -> Document {
    let (status, failure) = match outcome {
        Outcome::Succeeded { output } => return output.clone(),
        Outcome::Failed(failure) => ("FAILED", failure),
        Outcome::TimedOut(failure) => ("TIMED_OUT", failure),
        Outcome::Aborted(failure) => ("ABORTED", failure),
    };
    let mut result = Object::with_capacity(3);
    result.insert("Status", status);
    for (name, text) in [("Error", &failure.error), ("Cause", &failure.cause)] {
        if let Some(text) = text {
            result.insert(name, text.clone());
        }
    }
    Value::from(result).into()
}

/// Whether so many failed items of so many are more than the run tolerates. AWS: without a limit none may fail; a limit of 0 beside the
/// other one does not count.
pub fn exceeds_tolerance(count: Option<i64>, percentage: Option<f64>, failed: u64, total: u64) -> bool {
    let count = count.filter(|count| *count > 0 || percentage.is_none());
    let percentage = percentage.filter(|percentage| *percentage > 0.0 || count.is_none());
    let share = 100.0 * failed as f64 / total.max(1) as f64;
    match (count, percentage) {
        (None, None) => failed > 0,
        (count, percentage) => {
            count.is_some_and(|count| failed > u64::try_from(count).unwrap_or(0))
                || percentage.is_some_and(|percentage| share > percentage)
        }
    }
}

/// Items on their way into one child: at most so many, and so many bytes. An item that is larger than a batch may be is a
/// batch of its own.
#[derive(Clone, Debug)]
pub struct Batch {
    items: Vec<Value>,
    batch_input: Option<Value>,
    bytes: usize,
    items_max: usize,
    bytes_max: usize,
}

impl Batch {
    pub(crate) fn new(batching: &Batching) -> Batch {
        let bound = |wished: Option<i64>| wished.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let batch_input = batching.batch_input.as_ref().map(|input| input.value().clone());
        let mut batch = Batch {
            items: Vec::new(),
            batch_input,
            bytes: 0,
            items_max: bound(batching.items_max).unwrap_or(usize::MAX),
            bytes_max: bound(batching.bytes_max).unwrap_or(limit::PAYLOAD_BYTES_MAX),
        };
        batch.bytes = written_len(&batch.value());
        batch
    }

    /// Whether the item belongs into this batch; the first one always does.
    pub fn has_room_for(&self, item: &Value) -> bool {
        self.items.is_empty()
            || (self.items.len() < self.items_max && self.bytes + written_len(item) < self.bytes_max)
    }

    pub fn push(&mut self, item: Value) {
        self.bytes += written_len(&item) + 1;
        self.items.push(item);
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What the child begins with: `{"BatchInput": …, "Items": […]}`.
    pub fn value(&self) -> Value {
        let mut batch = Object::with_capacity(2);
        if let Some(batch_input) = &self.batch_input {
            batch.insert("BatchInput", batch_input.clone());
        }
        batch.insert("Items", self.items.clone());
        batch.into()
    }
}

/// All batches of the items at once: for a test of the state.
pub(crate) fn batched(items: Vec<Value>, batching: &Batching) -> Value {
    let (mut batches, mut batch) = (Vec::new(), Batch::new(batching));
    for item in items {
        if !batch.has_room_for(&item) {
            batches.push(std::mem::replace(&mut batch, Batch::new(batching)).value());
        }
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch.value());
    }
    batches.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches() {
        let batching = |batch_input: Option<&str>, items_max, bytes_max| Batching {
            items_max,
            bytes_max,
            batch_input: batch_input.map(|text| Value::from(text).into()),
        };
        let cases = [
            (5, batching(None, Some(2), None), r#"[{"Items":[0,1]},{"Items":[2,3]},{"Items":[4]}]"#),
            (3, batching(Some("x"), None, None), r#"[{"BatchInput":"x","Items":[0,1,2]}]"#),
            (3, batching(None, None, Some(14)), r#"[{"Items":[0]},{"Items":[1]},{"Items":[2]}]"#),
            (3, batching(None, None, Some(16)), r#"[{"Items":[0,1]},{"Items":[2]}]"#),
            (0, batching(None, Some(2), None), "[]"),
        ];
        for (count, batching, expected) in cases {
            let items: Vec<Value> = (0..count).map(Value::from).collect();
            assert_eq!(batched(items, &batching).to_json(), expected);
        }
    }
}
