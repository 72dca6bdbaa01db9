//! What is to be started next: items become inputs of children, one after another, alone or in batches.

use std::collections::VecDeque;
use std::sync::Arc;

use stepwright_machine::{Batch, Budget, Failure, MapRun, RunItem};
use stepwright_tasks::{Item, ItemSource, Position};
use stepwright_types::error_name;
use stepwright_value::Document;

use super::items::InputItems;
use super::marks::Marks;
use super::naming::{BATCH_ITEMS_MAX, ITEMS_MAX, Span};
use crate::compute::{Moment, Slice};
use crate::engine::Engine;

/// Items that are held at a time before they are started.
const PAGE: usize = 1_024;
/// Bytes of input after which a group is full.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// A child to start.
pub(crate) struct Plan {
    pub span: Span,
    pub input: Document,
}

pub(crate) struct Planner {
    work: Arc<MapRun>,
    source: Box<dyn ItemSource>,
    page: VecDeque<Item>,
    /// Items that have children already.
    pub marks: Marks,
    is_exhausted: bool,
    /// Items that came out of the source.
    taken: u64,
}

impl Planner {
    pub fn open(work: Arc<MapRun>, marks: Marks) -> Result<Planner, Failure> {
        if let Some(reader) = work.item_reader() {
            let cause = format!("Reading items from {} is not available.", reader.resource.arn);
            return Err(Failure::new(error_name::ITEM_READER_FAILED, cause));
        }
        let source = Box::new(InputItems::open(work.clone(), Position::default()));
        Ok(Planner { work, source, page: VecDeque::new(), marks, is_exhausted: false, taken: 0 })
    }

    /// Whether all items have been planned.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted && self.page.is_empty()
    }

    /// How many items there are, as far as that is known.
    pub fn total(&self) -> u64 {
        self.source.total().unwrap_or(self.taken)
    }

    /// The next children, at most `max`; fewer when their inputs are large, none at the end.
    pub async fn next(&mut self, max: usize, engine: &Engine) -> Result<Vec<Plan>, Failure> {
        let (mut plans, mut bytes) = (Vec::new(), 0);
        let moment = Moment::new(&*engine.clock);
        while plans.len() < max && bytes < GROUP_BYTES_MAX && (plans.is_empty() || moment.goes_on()) {
            let plan = match self.work.batch() {
                Some(batch) => self.batch(batch, engine, &moment).await?,
                None => self.single(engine, &moment).await?,
            };
            let Some(plan) = plan else { break };
            bytes += plan.input.len_bytes();
            plans.push(plan);
        }
        Ok(plans)
    }

    async fn single(&mut self, engine: &Engine, moment: &Moment<'_>) -> Result<Option<Plan>, Failure> {
        while let Some(item) = self.item().await? {
            if self.marks.is_marked(item.index) {
                continue;
            }
            let span = Span { first: item.index, count: 1 };
            return Ok(Some(Plan { span, input: self.select(item, engine, moment).await? }));
        }
        Ok(None)
    }

    /// A batch holds items that follow one another: what has a child already ends it.
    async fn batch(
        &mut self,
        mut batch: Batch,
        engine: &Engine,
        moment: &Moment<'_>,
    ) -> Result<Option<Plan>, Failure> {
        let mut first = 0;
        while let Some(item) = self.item().await? {
            if self.marks.is_marked(item.index) {
                if batch.is_empty() {
                    continue;
                }
                break;
            }
            let (index, again) = (item.index, item.clone());
            let selected = self.select(item, engine, moment).await?;
            if !batch.has_room_for(selected.value()) || batch.len() >= BATCH_ITEMS_MAX {
                self.page.push_front(again);
                break;
            }
            if batch.is_empty() {
                first = index;
            }
            batch.push(selected.value().clone());
        }
        if batch.is_empty() {
            return Ok(None);
        }
        let span = Span { first, count: u32::try_from(batch.len()).unwrap_or(u32::MAX) };
        Ok(Some(Plan { span, input: batch.value().into() }))
    }

    async fn item(&mut self) -> Result<Option<Item>, Failure> {
        if self.page.is_empty() && !self.is_exhausted {
            let items = self.source.next(PAGE).await.map_err(|failure| Failure {
                error: Some(failure.error.into()),
                cause: failure.cause.map(Into::into),
            })?;
            self.taken = self.taken.saturating_add(items.len() as u64);
            self.is_exhausted = items.len() < PAGE;
            if self.taken > ITEMS_MAX {
                let cause = format!("A map run can have {ITEMS_MAX} items.");
                return Err(Failure::new(error_name::ITEM_READER_FAILED, cause));
            }
            self.page.extend(items);
        }
        Ok(self.page.pop_front())
    }

    /// `ItemSelector`, here as long as it takes a moment only.
    async fn select(&self, item: Item, engine: &Engine, moment: &Moment<'_>) -> Result<Document, Failure> {
        let item = RunItem { index: item.index, key: item.key, value: item.value };
        let (work, now_ms) = (self.work.clone(), engine.clock.now_ms());
        if moment.goes_on() {
            let selected = work.select(item.clone(), now_ms, &mut || engine.entropy.next(), moment);
            if moment.goes_on() {
                return selected;
            }
        }
        let entropy = engine.entropy.clone();
        let select = move |slice: &Slice| work.select(item, now_ms, &mut || entropy.next(), slice);
        match engine.computer.ask(None, select).await {
            Some(selected) => selected,
            // The process ends, and the run goes on after the next start.
            None => std::future::pending().await,
        }
    }
}
