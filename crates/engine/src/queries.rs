//! Reading executions.

use std::collections::VecDeque;
use std::sync::Arc;

use stepwright_machine::{Event, Execution, Input, codec};
use stepwright_store::{Execution as Row, ExecutionKey, ExecutionQuery, Page, Segment, Store, StoreError};

use crate::deliver::Drive;
use crate::engine::{Engine, to_its_end};
use crate::error::{DeliverError, LoadError};
use crate::programs::Runnable;
use crate::record::{Head, Tail};
use crate::windows::Windows;

/// Everything about one execution but its events.
#[derive(Clone, Debug)]
pub struct Described {
    pub row: Row,
    pub head: Head,
    pub tail: Tail,
}

/// The events of one commit of an execution.
pub struct Section {
    /// The number of the segment that holds them.
    pub number: u32,
    /// In order.
    pub events: Vec<Event>,
}

/// Goes through the sections of an execution; holds few at a time.
pub struct Sections<'e> {
    store: &'e dyn Store,
    windows: Windows,
    read: VecDeque<Segment>,
}

impl Sections<'_> {
    /// The next section; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Section>, LoadError> {
        if self.read.is_empty() {
            self.read = self.windows.read(self.store).await?.into();
        }
        self.read.pop_front().map(|segment| section(self.windows.key, &segment)).transpose()
    }
}

/// The events of one execution, in order.
pub struct History {
    pub events: Vec<Event>,
}

impl Engine {
    /// The execution `name` of a state machine.
    pub async fn find(&self, machine_arn: &str, name: &str) -> Result<Option<Described>, LoadError> {
        self.store.execution_by_name(machine_arn, name).await?.map(described).transpose()
    }

    /// Where in its machine's definition the state stands whose processor a child of a map run executes.
    pub async fn processor_owner(
        &self,
        child: &Described,
        machine_arn: &Arc<str>,
    ) -> Result<Option<Box<str>>, LoadError> {
        let Some(processor) = child.head.processor else { return Ok(None) };
        let Runnable { program, .. } = self.programs.get(machine_arn, &child.head.revision_id, None).await?;
        let owner = program.flows.get(processor.flow as usize).and_then(|flow| flow.owner);
        Ok(owner.map(|state| program.state(state).pointer.clone()))
    }

    /// The execution with this key.
    pub async fn describe(&self, key: ExecutionKey) -> Result<Option<Described>, LoadError> {
        self.store.execution(key).await?.map(described).transpose()
    }

    /// Executions of a state machine, newest first.
    pub async fn list(&self, query: ExecutionQuery) -> Result<Page<Row>, StoreError> {
        self.store.executions(query).await
    }

    /// All events of an execution.
    pub async fn history(&self, key: ExecutionKey) -> Result<History, LoadError> {
        let mut events = Vec::new();
        let mut sections = self.sections(key, 1, false);
        while let Some(section) = sections.next().await? {
            events.extend(section.events);
        }
        Ok(History { events })
    }

    /// An execution's events, section by section, from the number `from` upwards, or downwards when `newest_first`.
    pub fn sections(&self, key: ExecutionKey, from: u32, newest_first: bool) -> Sections<'_> {
        Sections {
            store: &*self.store,
            windows: Windows::new(key, from, newest_first),
            read: VecDeque::new(),
        }
    }

    /// Aborts an execution that runs. `Refused` when it has ended.
    pub async fn stop(
        self: &Arc<Self>,
        key: ExecutionKey,
        error: Option<Arc<str>>,
        cause: Option<Arc<str>>,
    ) -> Result<i64, DeliverError> {
        let runs = move |execution: &Execution| {
            execution.outcome().is_none().then_some(Input::Stop { error, cause })
        };
        let stopped_ms =
            |_: &Execution, drive: &mut Drive| drive.events.last().map(|event| event.timestamp_ms);
        let engine = self.clone();
        let delivered = async move {
            let _stopping = engine.computer.stopping(key);
            engine.deliver(key, runs, Vec::new(), stopped_ms).await
        };
        let stopped_ms = to_its_end(delivered).await?;
        Ok(stopped_ms.unwrap_or_else(|| self.clock.now_ms()))
    }
}

pub(crate) fn section(key: ExecutionKey, segment: &Segment) -> Result<Section, LoadError> {
    let events = codec::decode_segment(&segment.data)
        .map_err(|error| LoadError::History(format!("{key:?}").into(), error.to_string()))?;
    Ok(Section { number: segment.number, events })
}

fn described(mut row: Row) -> Result<Described, LoadError> {
    let head = Head::decode(&std::mem::take(&mut row.head))?;
    let tail = Tail::decode(&std::mem::take(&mut row.tail))?;
    Ok(Described { row, head, tail })
}
