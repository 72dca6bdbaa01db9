//! The parts of an execution's state: lines of states, what they wait for, tasks and timers.

use std::sync::Arc;

use stepwright_asl::program::{Pattern, Resource, StateId};
use stepwright_value::{Document, Value};

use crate::event::{BranchId, MapRunStarted, RunId, TaskId, TimerId};
use crate::hold::{Holders, Stop};
use crate::variables::Frame;

/// A line of states: the machine's own, a branch of a Parallel state, an iteration of a Map state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    pub id: BranchId,
    /// The line whose Parallel or Map state this one belongs to.
    pub parent: Option<BranchId>,
    /// The branch's or iteration's place in that state.
    pub slot: u32,
    pub phase: Phase,
    /// The state it is in, or about to enter.
    pub state: StateId,
    /// That state's raw input.
    pub input: Document,
    /// The AWS id of the last event on this line: the next one's `previousEventId`.
    pub last_id: u32,
    /// The `previousEventId` of the state's Entered event.
    pub before_entered_id: u32,
    /// The AWS id of the state's Entered event.
    pub entered_id: u32,
    /// The sequence number of the state's Entered event: names this visit of the state.
    pub entered_sequence: u32,
    /// When the state was entered. Milliseconds since 1970.
    pub entered_ms: i64,
    /// `$$.State.RetryCount`.
    pub retry_count: u32,
    /// How often each retrier of the state was used; empty before the first retry.
    pub attempts: Vec<u32>,
    pub variables: Arc<Frame>,
    /// `$$.Map.Item` of the nearest Map around.
    pub item: Option<Arc<MapItem>>,
    /// Who holds it.
    pub holders: Holders,
    /// Where a breakpoint has stopped it.
    pub stop: Option<Box<Stop>>,
}

/// What a line is doing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    /// About to enter `state`.
    Entering,
    /// In `state`, whose work is to be done (again, after a retry's delay).
    Entered,
    /// In a Wait state, until the timer fires.
    Waiting(TimerId),
    /// In a Task state, until the task ends.
    Task(TaskId),
    /// A task has ended, and what it means is being decided: between steps only where a breakpoint has stopped the line.
    Settling,
    /// In a state that will be tried again when the timer fires.
    Retrying(TimerId),
    /// In a Parallel or inline Map state, until its lines end.
    Joining(Box<Join>),
    /// In a distributed Map state, until its run ends.
    Distributed(Box<DistributedMap>),
    /// At its end, with this output. The root's output is the execution's.
    Ended(Document),
    /// Stopped by a failure, its own or another line's. A redrive goes on here.
    Stopped,
}

impl Phase {
    /// Whether the line can go on without anything from outside, unless somebody holds it.
    pub fn is_runnable(&self) -> bool {
        match self {
            Phase::Entering | Phase::Entered | Phase::Ended(_) => true,
            Phase::Joining(join) => !join.stopped && (join.is_complete() || join.can_begin()),
            Phase::Distributed(map) => map.is_redriven,
            _ => false,
        }
    }
}

/// What a Parallel or Map state has of its lines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Join {
    /// By slot; `None` while the line runs.
    pub outputs: Vec<Option<Document>>,
    /// Lines that run now.
    pub running: u32,
    /// Lines that have ended well.
    pub ended: u32,
    /// The AWS id to which the state's Succeeded event points: the last event of the line that ended last.
    pub last_id: u32,
    /// A line has failed, or the execution was stopped: nothing begins or ends here any more. A redrive goes on here.
    pub stopped: bool,
    /// Of a Map.
    pub map: Option<MapJoin>,
}

impl Join {
    /// Whether all lines have ended and no more will begin.
    pub fn is_complete(&self) -> bool {
        self.running == 0 && self.ended as usize >= self.outputs.len()
    }

    /// Whether another iteration may begin now.
    pub fn can_begin(&self) -> bool {
        self.map
            .as_ref()
            .is_some_and(|map| self.running < map.concurrency && (map.next as usize) < self.outputs.len())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapJoin {
    pub items: Items,
    /// The next item to begin with.
    pub next: u32,
    pub concurrency: u32,
    /// The Map state's input after `InputPath`.
    pub input: Document,
    /// The AWS id to which the next iteration's Started event points.
    pub slot_id: u32,
}

/// What a distributed Map state has of its run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DistributedMap {
    pub items: Items,
    /// The Map state's input after `InputPath`.
    pub input: Document,
    /// None while the state begins.
    pub run: Option<Run>,
    /// The run has ended, or the execution was stopped. A redrive goes on here.
    pub stopped: bool,
    /// The execution was redriven, and the run is to be.
    pub is_redriven: bool,
}

/// A run that has started.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub id: RunId,
    pub started: Arc<MapRunStarted>,
    /// The AWS id of its Started (or Redriven) event.
    pub started_id: u32,
    pub redrive_count: u32,
    pub succeeded: bool,
}

/// The items of a Map: an array, or the members of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Items(pub Document);

impl Items {
    pub fn len(&self) -> usize {
        match self.0.value() {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            _ => 0,
        }
    }

    /// Key (of an object's member) and value of the item.
    pub fn get(&self, index: usize) -> Option<(Option<Arc<str>>, Value)> {
        match self.0.value() {
            Value::Array(items) => items.get(index).map(|item| (None, item.clone())),
            Value::Object(members) => {
                members.iter().nth(index).map(|(key, value)| (Some(key.clone()), value.clone()))
            }
            _ => None,
        }
    }
}

/// `$$.Map.Item`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MapItem {
    pub index: u32,
    pub key: Option<Arc<str>>,
    pub value: Value,
}

/// A task whose answer is awaited.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PendingTask {
    pub branch: BranchId,
    pub resource: Arc<Resource>,
    /// For a call that must be made again after a rebuild.
    pub parameters: Document,
    pub credentials: Option<Arc<str>>,
    pub timeout_s: Option<i64>,
    pub heartbeat_s: Option<i64>,
    pub token_hash: Option<[u8; 32]>,
    pub progress: Progress,
    pub timeout: Option<TimerId>,
    pub heartbeat: Option<TimerId>,
    /// Which visit of which state, and which attempt in it: for the idempotency token.
    pub entered_sequence: u32,
    pub attempt: u32,
    /// When the state gives up. Milliseconds since 1970.
    pub deadline_ms: Option<i64>,
    /// What the call answered that started the job whose end is awaited.
    pub submitted: Option<Document>,
}

impl PendingTask {
    /// Whether the call starts a job, whose end is the end of the task: `.sync`.
    pub fn runs_job(&self) -> bool {
        matches!(&*self.resource, Resource::Integration(integration)
            if matches!(integration.pattern, Pattern::Sync | Pattern::Sync2))
    }
}

/// How far a task has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Progress {
    Scheduled,
    Started,
    Submitted,
}

/// A timer that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PendingTimer {
    pub due_ms: i64,
    pub purpose: Purpose,
}

/// What happens when a timer fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// The machine's `TimeoutSeconds`.
    Execution,
    /// A Wait state ends, or a state is tried again.
    Resume(BranchId),
    TaskTimeout(TaskId),
    TaskHeartbeat(TaskId),
}

impl Branch {
    /// The machine's own line, before anything has happened.
    pub fn root(start_at: StateId, input: Document) -> Branch {
        Branch {
            id: BranchId::ROOT,
            parent: None,
            slot: 0,
            phase: Phase::Stopped,
            state: start_at,
            input,
            last_id: 0,
            before_entered_id: 0,
            entered_id: 0,
            entered_sequence: 0,
            entered_ms: 0,
            retry_count: 0,
            attempts: Vec::new(),
            variables: Frame::empty(),
            item: None,
            holders: Holders::default(),
            stop: None,
        }
    }

    /// Whether the line can go on without anything from outside.
    pub fn is_ready(&self) -> bool {
        self.holders.is_empty() && self.phase.is_runnable()
    }

    /// The map run that its distributed Map waits for.
    pub fn open_run(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Distributed(map) if !map.stopped => map.run.as_ref().filter(|run| !run.succeeded),
            _ => None,
        }
    }

    /// A line of this line's Parallel or Map state.
    pub fn fork(&self, id: BranchId, slot: u32, start_at: StateId, input: Document) -> Branch {
        Branch {
            id,
            parent: Some(self.id),
            slot,
            phase: Phase::Entering,
            state: start_at,
            input,
            last_id: self.last_id,
            before_entered_id: 0,
            entered_id: 0,
            entered_sequence: 0,
            entered_ms: 0,
            retry_count: 0,
            attempts: Vec::new(),
            variables: Frame::inside(&self.variables),
            item: self.item.clone(),
            holders: Holders::default(),
            stop: None,
        }
    }
}
