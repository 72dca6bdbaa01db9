//! Bringing executions into memory: from the newest snapshot and the events after it, a few segments at a time.
//!
//! A snapshot is written into the segment of a step whenever so much has gathered since the last one that replaying it would be
//! felt; every segment says where the newest one is. So a step of a long execution costs what one of a short execution
//! costs, and memory holds what the execution still needs, however much has gone through it. The snapshots that were
//! passed on the way stay: [`Engine::execution_at`] begins at the one before the event that is looked for.

use std::sync::Arc;

use stepwright_asl::program::FlowId;
use stepwright_machine::codec::{self, CodecError, Snapshot};
use stepwright_machine::{Event, Execution};
use stepwright_store::{Execution as Row, ExecutionKey, Segment};

use crate::deliver::Loaded;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::history_log::Logging;
use crate::programs::Runnable;
use crate::queries::section;
use crate::record::Head;
use crate::steps::Pace;
use crate::windows::Windows;

/// So much is to be replayed at most before a snapshot is written, as [`Progress::cost`] counts it. A snapshot of an execution
/// that holds much itself has to be worth it: see [`Progress::wants_snapshot`].
pub const SNAPSHOT_AFTER: usize = 256 << 10;

/// What replaying an event costs, in bytes that are read at the same cost.
const EVENT_COST: usize = 1 << 10;

/// The segments that are read first, the newest: of a short history all.
const RECENT: usize = 4;

/// What an execution's stored segments are, as far as the next one depends on it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Progress {
    /// How many there are: the next one's number is one more.
    pub segments: u32,
    /// The number of the one with the newest snapshot; 0: there is none.
    snapshot: u32,
    snapshot_bytes: usize,
    /// What came after it.
    events: usize,
    bytes: usize,
}

impl Progress {
    /// No less than what the execution holds, as bytes.
    pub fn state_bytes(&self) -> usize {
        self.snapshot_bytes + self.bytes
    }

    /// What it takes to replay what came after the snapshot.
    fn cost(&self) -> usize {
        self.bytes + self.events * EVENT_COST
    }

    /// A snapshot takes no more than a fifth of what is written.
    fn wants_snapshot(&self, after: usize) -> bool {
        self.cost() >= after.max(4 * self.snapshot_bytes)
    }

    /// The next segment: the events that led to the execution as it is now.
    pub fn next_segment(&mut self, events: &[Event], execution: &Execution, after: usize) -> Segment {
        let number = self.segments + 1;
        let next = Progress { events: self.events + events.len(), ..*self };
        // One that has ended goes on after a redrive only.
        let snapshot =
            (next.wants_snapshot(after) && execution.outcome().is_none()).then(|| execution.snapshot());
        let newest = match (&snapshot, self.snapshot) {
            (Some(snapshot), _) => Snapshot::Here(snapshot),
            (None, 0) => Snapshot::None,
            (None, at) => Snapshot::Before(number - at),
        };
        let data = codec::encode_segment_with(events, newest);
        *self = match snapshot {
            Some(snapshot) => Progress::at_snapshot(number, snapshot.len()),
            None => Progress { segments: number, bytes: self.bytes + data.len(), ..next },
        };
        Segment { number, data }
    }
}

/// Where a replay ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// After all events.
    End,
    /// After the event with this id in AWS's history.
    Event(u32),
}

impl Engine {
    /// Rebuilds an execution from its row and what is stored of its history.
    pub(crate) async fn load(&self, row: Row) -> Result<Loaded, LoadError> {
        let (mut execution, logging, pace) = self.unstarted(&row).await?;
        let identity = execution.identity().clone();
        let progress = self.replay(row.key, &mut execution, Segment::NUMBER_MAX, Until::End).await?;
        Ok(Loaded { execution, identity, pace, progress, logging, express: None })
    }

    /// The execution as it was right after the event with this id, or after its last one where there is no such; `None` when there is
    /// no such execution. However long the history is, little of it is read.
    pub async fn execution_at(
        &self,
        key: ExecutionKey,
        event_id: u32,
    ) -> Result<Option<Execution>, LoadError> {
        let Some(row) = self.store.execution(key).await? else { return Ok(None) };
        let (mut execution, ..) = self.unstarted(&row).await?;
        let number = self.segment_of(key, event_id).await?;
        self.replay(key, &mut execution, number, Until::Event(event_id)).await?;
        Ok(Some(execution))
    }

    /// The execution of a row before anything has happened to it.
    async fn unstarted(&self, row: &Row) -> Result<(Execution, Option<Arc<Logging>>, Arc<Pace>), LoadError> {
        let head = Head::decode(&row.head)?;
        let machine = self.machine_of(row);
        let Runnable { program, logging, pace } =
            self.programs.get(&machine, &head.revision_id, None).await?;
        let identity = Arc::new(self.identity(row, &head));
        let flags =
            head.flags().map_err(|error| LoadError::Behaviour(identity.execution_arn.clone(), error))?;
        let flow = head.processor.map_or(FlowId(0), |processor| FlowId(processor.flow));
        let execution = Execution::child(program, identity, flags, flow);
        Ok((execution.ok_or(LoadError::NoDefinition(machine))?, logging, pace))
    }

    /// Takes an execution to which nothing has happened as far as its segments up to the number `last`, and `until`, go.
    async fn replay(
        &self,
        key: ExecutionKey,
        execution: &mut Execution,
        last: u32,
        until: Until,
    ) -> Result<Progress, LoadError> {
        let mut recent = self.store.some_segments(key, last, true, RECENT).await?;
        recent.reverse();
        let mut progress = Progress::default();
        let (Some(first), Some(newest)) = (recent.first(), recent.last()) else { return Ok(progress) };
        if let Some((number, snapshot)) = self.snapshot_before(key, newest, until == Until::End).await? {
            let unstarted = execution.unstarted();
            match execution.restore(&snapshot) {
                Ok(()) => progress = Progress::at_snapshot(number, snapshot.len()),
                // Of another version: all events are replayed.
                Err(error) => {
                    tracing::debug!(execution = ?key, %error, "a snapshot is passed over");
                    *execution = unstarted;
                }
            }
        }
        let mut windows = Windows::new(key, progress.segments + 1, false);
        while windows.next < first.number {
            let older = windows.read(&*self.store).await?;
            if older.is_empty() {
                break;
            }
            for segment in older.iter().filter(|segment| segment.number < first.number) {
                if progress.replay(execution, segment, until)? {
                    return Ok(progress);
                }
            }
        }
        for segment in &recent {
            if segment.number > progress.segments && progress.replay(execution, segment, until)? {
                break;
            }
        }
        Ok(progress)
    }

    /// The newest snapshot that `segment` knows, its own only if `with_own`, and the number of the segment that has it.
    async fn snapshot_before(
        &self,
        key: ExecutionKey,
        segment: &Segment,
        with_own: bool,
    ) -> Result<Option<(u32, Vec<u8>)>, LoadError> {
        let damaged = |error: CodecError| LoadError::History(format!("{key:?}").into(), error.to_string());
        let mut earlier: Option<Segment> = None;
        loop {
            let at = earlier.as_ref().unwrap_or(segment);
            let number = match codec::snapshot_of(&at.data).map_err(damaged)? {
                Snapshot::None => return Ok(None),
                Snapshot::Here(snapshot) if with_own || earlier.is_some() => {
                    return Ok(Some((at.number, snapshot.to_vec())));
                }
                Snapshot::Here(_) => at.number.saturating_sub(1),
                Snapshot::Before(back) => at.number.saturating_sub(back),
            };
            earlier = self.store.some_segments(key, number, true, 1).await?.pop();
            if earlier.is_none() {
                return Ok(None);
            }
        }
    }

    /// The number of the segment that has the event with this id, if any has.
    async fn segment_of(&self, key: ExecutionKey, event_id: u32) -> Result<u32, LoadError> {
        let newest = self.store.some_segments(key, Segment::NUMBER_MAX, true, 1).await?.pop();
        let mut first = 1;
        let mut last = newest.map_or(0, |newest| newest.number);
        while first < last {
            let middle = last - (last - first) / 2;
            // AWS's history does not show the events of every segment.
            let mut windows = Windows::new(key, middle, true);
            let begins = loop {
                let section = windows.read_one(&*self.store).await?.map(|found| section(key, &found));
                let Some(section) = section.transpose()? else { break 1 };
                if let Some(event) = section.events.iter().find(|event| event.id > 0) {
                    break event.id;
                }
            };
            if begins <= event_id { first = middle } else { last = middle - 1 }
        }
        Ok(first)
    }
}

impl Progress {
    fn at_snapshot(segment: u32, snapshot_bytes: usize) -> Progress {
        Progress { segments: segment, snapshot: segment, snapshot_bytes, events: 0, bytes: 0 }
    }

    /// Applies a segment's events; whether it got to `until`.
    fn replay(
        &mut self,
        execution: &mut Execution,
        segment: &Segment,
        until: Until,
    ) -> Result<bool, LoadError> {
        let arn = execution.identity().execution_arn.clone();
        let damaged = |reason: String| LoadError::History(arn.clone(), reason);
        let events = codec::decode_segment(&segment.data).map_err(|error| damaged(error.to_string()))?;
        self.segments = segment.number;
        self.events += events.len();
        self.bytes += segment.data.len();
        for event in &events {
            if matches!(until, Until::Event(id) if event.id > id) {
                return Ok(true);
            }
            execution.evolve(event).map_err(|error| damaged(error.to_string()))?;
            if until == Until::Event(event.id) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
