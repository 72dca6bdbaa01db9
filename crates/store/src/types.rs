//! What goes into a store and comes out of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

/// A future that any executor can drive.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A part of the executions that one node drives at a time. 256 at most: it is the top byte of an [`ExecutionKey`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ShardId(pub u8);

/// Counts the leases of a shard; only units with the current one are committed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Epoch(pub u64);

/// Identifies an execution in the store: the shard in 8 bits, then a sequence number of 40 bits that the shard's
/// holder counts up. 48 bits in all, so that key and segment number fit one 64-bit row id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionKey(u64);

impl ExecutionKey {
    /// The highest sequence number: 2^40 - 1 executions for each shard.
    pub const SEQUENCE_MAX: u64 = (1 << 40) - 1;

    /// `None` when the sequence number is beyond [`ExecutionKey::SEQUENCE_MAX`].
    pub fn new(shard: ShardId, sequence: u64) -> Option<ExecutionKey> {
        (sequence <= Self::SEQUENCE_MAX).then_some(ExecutionKey(u64::from(shard.0) << 40 | sequence))
    }

    /// The key with the lowest 40 bits of `sequence`.
    pub(crate) fn of(shard: ShardId, sequence: u64) -> ExecutionKey {
        ExecutionKey(u64::from(shard.0) << 40 | (sequence & Self::SEQUENCE_MAX))
    }

    /// The key whose [`ExecutionKey::bits`] these are; `None` when more than 48 bits are used.
    pub fn from_bits(bits: u64) -> Option<ExecutionKey> {
        (bits < 1 << 48).then_some(ExecutionKey(bits))
    }

    pub fn bits(self) -> u64 {
        self.0
    }

    pub fn shard(self) -> ShardId {
        ShardId((self.0 >> 40) as u8)
    }

    pub fn sequence(self) -> u64 {
        self.0 & Self::SEQUENCE_MAX
    }
}

impl std::fmt::Debug for ExecutionKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.shard().0, self.sequence())
    }
}

/// The status of an execution, with the numbers that are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Status {
    Running = 0,
    Succeeded = 1,
    Failed = 2,
    TimedOut = 3,
    Aborted = 4,
    PendingRedrive = 5,
}

impl Status {
    pub const ALL: [Status; 6] = [
        Status::Running,
        Status::Succeeded,
        Status::Failed,
        Status::TimedOut,
        Status::Aborted,
        Status::PendingRedrive,
    ];

    pub fn from_number(number: u8) -> Option<Status> {
        Status::ALL.get(usize::from(number)).copied()
    }
}

/// The row of an execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Execution {
    pub key: ExecutionKey,
    /// The ARN (or other identity) of the state machine under which the execution is listed.
    pub machine: Arc<str>,
    /// Unique within the machine.
    pub name: Arc<str>,
    pub status: Status,
    /// Milliseconds since 1970.
    pub start_ms: i64,
    /// Milliseconds since 1970; `None` while it runs.
    pub stop_ms: Option<i64>,
    /// What its author wrote at the start (input, definition reference, …).
    pub head: Vec<u8>,
    /// What its author wrote at the end (output, error, …); empty while it runs.
    pub tail: Vec<u8>,
    pub listed: Listed,
}

/// What listings know of some executions only; all absent for most.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// The version that it runs, if it was started by a version or an alias; it is listed under it.
    pub version: Option<Arc<str>>,
    /// The alias that it was started by; it is listed under it.
    pub alias: Option<Arc<str>>,
    /// The map run whose child it is; it is listed under it.
    pub map_run: Option<Arc<str>>,
    /// How many items a child of a map run works on.
    pub item_count: Option<u32>,
    /// How often it was redriven.
    pub redrives: u32,
    /// When it was redriven last, in milliseconds since 1970.
    pub redriven_ms: Option<i64>,
}

/// Whose executions to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listing {
    /// Those with this [`Execution::machine`].
    Machine(Arc<str>),
    Version(Arc<str>),
    Alias(Arc<str>),
    /// The children of a map run: all, or only those that were (not) redriven.
    MapRun {
        arn: Arc<str>,
        redriven: Option<bool>,
    },
}

impl Listing {
    /// The ARN that names it.
    pub fn arn(&self) -> &Arc<str> {
        match self {
            Listing::Machine(arn)
            | Listing::Version(arn)
            | Listing::Alias(arn)
            | Listing::MapRun { arn, .. } => arn,
        }
    }
}

/// Which executions to list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutionQuery {
    pub of: Listing,
    pub status: Option<Status>,
    /// The earliest start first, instead of the latest.
    pub oldest_first: bool,
    /// Continue after this (`start_ms`, `key`), exclusive.
    pub after: Option<(i64, ExecutionKey)>,
    pub limit: usize,
}

/// A page of a listing; `more` says whether anything follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub more: bool,
}

/// The events of one commit of one execution, encoded by their author.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its place among the segments of the execution, counted from 1.
    pub number: u32,
    pub data: Vec<u8>,
}

impl Segment {
    /// The highest number of a segment: it shares a 64-bit row id with the execution's key. AWS ends an execution after
    /// 25,000 events.
    pub const NUMBER_MAX: u32 = (1 << 16) - 1;
}

/// Wakes an execution at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Timer {
    /// Milliseconds since 1970.
    pub due_ms: i64,
    pub key: ExecutionKey,
    /// Which timer of the execution.
    pub timer: u32,
}

/// A task that has left, or is about to leave, for the outside world. Found again after a crash and sent again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Dispatch {
    pub key: ExecutionKey,
    /// Which task of the execution.
    pub task: u32,
}

/// A task that waits in a named queue (an activity's ARN) until a worker takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueItem {
    pub queue: Arc<str>,
    pub key: ExecutionKey,
    /// Which task of the execution.
    pub task: u32,
}

/// A place at what several executions share and have to take turns at: that of one task, or (task 0) of the execution itself.
/// Whether it waits or has its turn, and what for, is its author's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permit {
    pub key: ExecutionKey,
    /// Which task of the execution.
    pub task: u32,
    pub data: Vec<u8>,
}

/// What a catalogue record describes; with the numbers that are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum CatalogKind {
    /// A state machine's current revision, by ARN.
    StateMachine = 1,
    /// Every revision of a state machine that an execution refers to, by ARN and revision id.
    Revision = 2,
    /// An activity, by ARN.
    Activity = 3,
    /// The tags of a resource, by ARN.
    Tags = 4,
    /// A published version, by ARN.
    Version = 5,
    /// An alias, by ARN.
    Alias = 6,
    /// A map run, by ARN.
    MapRun = 7,
    /// A secret key of the service's own, by purpose.
    Key = 8,
    /// A limit over executions that was set while the server ran, by name.
    Limit = 9,
}

impl CatalogKind {
    pub const ALL: [CatalogKind; 9] = [
        CatalogKind::StateMachine,
        CatalogKind::Revision,
        CatalogKind::Activity,
        CatalogKind::Tags,
        CatalogKind::Version,
        CatalogKind::Alias,
        CatalogKind::MapRun,
        CatalogKind::Key,
        CatalogKind::Limit,
    ];

    pub fn from_number(number: u8) -> Option<CatalogKind> {
        CatalogKind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A catalogue record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogRecord {
    pub key: Arc<str>,
    pub data: Vec<u8>,
    /// Counts the writes of this record, from 1.
    pub revision: u64,
}

/// What must hold for a catalogue record, or the unit is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    Anything,
    Absent,
    Revision(u64),
}

/// One change. Within a unit, changes that can be refused come first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// Writes (`Some`) or deletes (`None`) a catalogue record. Can be refused: [`CommitError::Conflict`].
    Catalog {
        kind: CatalogKind,
        key: Arc<str>,
        data: Option<Vec<u8>>,
        expect: Expect,
    },
    /// Adds an execution. Can be refused: [`CommitError::NameTaken`].
    CreateExecution(Execution),
    /// Ends (or, with `PendingRedrive`/`Running`, reopens) an execution. Without effect where there is none.
    SetStatus {
        key: ExecutionKey,
        status: Status,
        stop_ms: Option<i64>,
        tail: Vec<u8>,
    },
    /// Counts a redrive of an execution. Its status changes with a [`Mutation::SetStatus`] of its own. Without effect where
    /// there is no such execution.
    CountRedrive {
        key: ExecutionKey,
        /// Milliseconds since 1970.
        at_ms: i64,
    },
    /// Adds a segment of history.
    ///
    /// `number` is from 1 to [`Segment::NUMBER_MAX`] and not yet in use. That the execution exists is not
    /// checked.
    Append {
        key: ExecutionKey,
        segment: Segment,
    },
    /// Timers, dispatches and queued items are sets: adding what is there and removing what is not has no effect.
    SetTimer(Timer),
    CancelTimer(Timer),
    Dispatched(Dispatch),
    Answered(Dispatch),
    /// Puts the item at the end of its queue.
    Enqueue(QueueItem),
    Dequeue(QueueItem),
    /// Writes the permit, over the one that the task has.
    SetPermit(Permit),
    /// Removes the task's permit, if it has one.
    DropPermit {
        key: ExecutionKey,
        task: u32,
    },
    /// Forgets an execution: row, segments, terms and wake-ups. Its key is not handed out again.
    DeleteExecution(ExecutionKey),
    /// By which values of a field the execution is found (see [`Search::terms`]), instead of those that it had. Without effect
    /// where there is no such execution.
    SetTerms {
        key: ExecutionKey,
        field: Arc<str>,
        values: Vec<Arc<str>>,
    },
}

/// Changes that take effect together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    pub shard: ShardId,
    pub epoch: Epoch,
    pub mutations: Vec<Mutation>,
}

/// Why a read failed.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The storage below answered with an error.
    #[error("the store failed: {0}")]
    Failed(String),
    /// What was read is not what this version wrote.
    #[error("the store holds a damaged record: {0}")]
    Corrupt(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a unit was not committed. Nothing of it is there, except as said at `Store`.
#[derive(Debug, Clone, Error)]
pub enum CommitError {
    /// The execution's name is in use within the machine; the row that has it.
    #[error("an execution of this name exists")]
    NameTaken(Box<Execution>),
    /// A catalogue record is not as expected; the record that is there.
    #[error("the record has changed")]
    Conflict { kind: CatalogKind, key: Arc<str>, current: Option<CatalogRecord> },
    /// The shard is held under a newer epoch: its author is no longer the holder and must stop.
    #[error("the shard is held by another node")]
    Fenced,
    /// The unit contradicts itself or what is stored (a key of another shard, a key or a segment number in use, a limit
    /// passed): a defect of its author. The store is unharmed.
    #[error("the unit cannot be committed: {0}")]
    Invalid(String),
    /// The store failed while the unit was under way, or had failed or been closed before. After
    /// [`StoreError::Failed`] the outcome is unknown until the store is opened again: the unit is then there as a
    /// whole or not at all. After [`StoreError::Closed`] the unit was never taken, unless it was under way when the store
    /// was lost. Either way its author must not go on with this store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
