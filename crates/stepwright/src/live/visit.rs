//! What the live view remembers of an execution: lines of states, and the visits of states on them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use stepwright_asl::program::StateId;
use stepwright_engine::Counts;
use stepwright_machine::event::StateKind;
use stepwright_machine::{BranchId, Failure};

/// Visits that are remembered of a line below the machine's own; of earlier ones only the number.
const VISITS_MAX: usize = 20;
/// Of a Map with more items than this, iterations that went well are only counted.
pub const ITERATIONS_SHOWN_MAX: u32 = 12;
/// Failed iterations of one Map that are remembered; others are only counted.
pub const FAILED_ITERATIONS_MAX: u32 = 100;

/// The machine's own states, a branch of a Parallel state, or an iteration of a Map state.
#[derive(Debug, Default)]
pub struct Line {
    /// The line whose Parallel or Map state this one belongs to, and the place in it.
    pub parent: Option<(BranchId, u32)>,
    /// In the order in which the states were entered; the last may still be under way.
    pub visits: VecDeque<Visit>,
    /// Visits that are not remembered.
    pub earlier: u64,
    pub end: Option<End>,
}

/// A state from its entry to its exit, retries included.
#[derive(Debug)]
pub struct Visit {
    pub state: StateId,
    pub name: Arc<str>,
    pub kind: StateKind,
    /// What a Task state calls: `lambda greet`.
    pub target: Option<String>,
    pub entered_ms: i64,
    pub ended: Option<(i64, End)>,
    pub doing: Doing,
    pub retries: u32,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
    /// Where it went, where that is worth telling: from a Choice, or with a catcher.
    pub next: Option<Arc<str>>,
    /// Of a Parallel or Map state.
    pub group: Option<Group>,
}

/// How a visit or a line ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Succeeded,
    /// It failed, and a catcher took over.
    Caught,
    Failed,
    Aborted,
}

/// What a visit under way waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doing {
    Working,
    /// An attempt has ended; what that means is being decided.
    Settling,
    Waiting {
        due_ms: i64,
    },
    /// Before the next attempt; `of` is how many retries there may be.
    Retrying {
        due_ms: i64,
        number: u32,
        of: i64,
    },
    /// For an answer with the task's token.
    Callback,
    /// For a worker of an activity.
    Worker,
    /// For the end of a job that was started.
    Job,
}

/// The lines of a Parallel or Map state.
#[derive(Debug, Default)]
pub struct Group {
    /// Those that are remembered, in the order in which they began.
    pub lines: BTreeSet<BranchId>,
    /// Of a distributed Map: the run, whose children are counted only.
    pub run: Option<Arc<str>>,
    pub total: u32,
    pub running: u32,
    pub done: u32,
    pub failed: u32,
}

impl Line {
    pub fn below(parent: BranchId, index: u32) -> Line {
        Line { parent: Some((parent, index)), ..Line::default() }
    }

    /// The visit that is under way.
    pub fn current(&self) -> Option<&Visit> {
        self.visits.back().filter(|visit| visit.ended.is_none())
    }

    pub fn current_mut(&mut self) -> Option<&mut Visit> {
        self.visits.back_mut().filter(|visit| visit.ended.is_none())
    }

    /// Adds a visit; gives back one that is not remembered any more. The machine's own line keeps them all until they are
    /// shown.
    pub fn enter(&mut self, visit: Visit) -> Option<Visit> {
        self.visits.push_back(visit);
        if self.parent.is_none() || self.visits.len() <= VISITS_MAX {
            return None;
        }
        self.earlier += 1;
        self.visits.pop_front()
    }
}

impl Visit {
    pub fn new(state: StateId, name: Arc<str>, kind: StateKind, entered_ms: i64) -> Visit {
        Visit {
            state,
            name,
            kind,
            target: None,
            entered_ms,
            ended: None,
            doing: Doing::Working,
            retries: 0,
            failure: None,
            next: None,
            group: None,
        }
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        self.ended.map(|(_, end)| end)
    }

    /// From entry to exit, or up to now. Milliseconds.
    pub fn took_ms(&self, now_ms: i64) -> i64 {
        self.ended.map_or(now_ms, |(at_ms, _)| at_ms).saturating_sub(self.entered_ms).max(0)
    }
}

impl Group {
    /// Takes over how far a map run is.
    pub fn count(&mut self, items: &Counts) {
        let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        self.total = number(items.total);
        self.running = number(items.running);
        self.done = number(items.succeeded);
        self.failed = number(items.unsuccessful());
    }

    /// Whether a line that has ended like this is still shown.
    pub fn remembers(&self, end: End) -> bool {
        match end {
            End::Succeeded | End::Caught => self.total <= ITERATIONS_SHOWN_MAX,
            End::Failed => self.failed <= FAILED_ITERATIONS_MAX,
            End::Aborted => self.total <= FAILED_ITERATIONS_MAX,
        }
    }
}
