//! What several tails, one on top of the other, know together.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{Changed, Recent, Tail};
use crate::{CatalogKind, CatalogRecord, Execution, ExecutionKey, Segment};

/// Tails, newest first.
pub(in crate::embedded) struct Layers<'t>(pub &'t [&'t Tail]);

/// What tails know of something.
pub(in crate::embedded) enum Known<T> {
    /// This is it.
    Is(T),
    /// It is not there, whatever the database says.
    Gone,
    /// The database knows.
    Below,
}

impl Layers<'_> {
    /// An execution's row. With [`Known::Below`], what has changed in the one that the database has.
    pub fn execution(&self, key: ExecutionKey) -> (Known<Execution>, Changed) {
        let mut changed = Changed::default();
        for recent in self.recent(key) {
            if let Some(execution) = &recent.created {
                return (Known::Is(changed.into_row(execution.clone())), Changed::default());
            }
            if recent.deleted {
                return (Known::Gone, changed);
            }
            if !recent.changed.is_empty() {
                let newer = std::mem::replace(&mut changed, recent.changed.clone());
                changed.absorb(newer);
            }
        }
        (Known::Below, changed)
    }

    /// The row of the execution that has this name, if it was created here.
    pub fn named(&self, machine: &str, name: &str) -> Option<Execution> {
        let keys = self.0.iter().filter_map(|tail| tail.named(machine, name));
        keys.into_iter().find_map(|key| match self.execution(key).0 {
            // Its key may have been given away since.
            Known::Is(execution) => {
                (&*execution.machine == machine && &*execution.name == name).then_some(execution)
            }
            Known::Gone | Known::Below => None,
        })
    }

    /// Whether the execution has this segment.
    pub fn has_segment(&self, key: ExecutionKey, number: u32) -> Known<()> {
        for recent in self.recent(key) {
            if recent.segments.iter().any(|segment| segment.number == number) {
                return Known::Is(());
            }
            if recent.deleted {
                return Known::Gone;
            }
        }
        Known::Below
    }

    /// The execution's segments in a range of numbers, and whether the database may have others.
    pub fn segments(
        &self,
        key: ExecutionKey,
        numbers: RangeInclusive<u32>,
        newest_first: bool,
        limit: usize,
    ) -> (Vec<Segment>, bool) {
        let mut segments = Vec::new();
        for recent in self.recent(key) {
            let wanted = recent.segments.iter().filter(|segment| numbers.contains(&segment.number));
            // They are there in the order in which they were added, which mostly is that of their numbers.
            let mut wanted: Vec<&Segment> = wanted.collect();
            wanted.sort_by_key(|segment| segment.number);
            if newest_first {
                wanted.reverse();
            }
            segments.extend(wanted.into_iter().take(limit).cloned());
            if recent.deleted {
                return (segments, false);
            }
        }
        (segments, true)
    }

    /// A catalogue record, if it was written or deleted here.
    pub fn record(&self, kind: CatalogKind, key: &Arc<str>) -> Option<Option<CatalogRecord>> {
        let place = (kind, key.clone());
        self.0.iter().find_map(|tail| tail.records.get(&place)).cloned()
    }

    /// What the tails have of an execution, newest first.
    fn recent(&self, key: ExecutionKey) -> impl Iterator<Item = &Recent> {
        self.0.iter().filter_map(move |tail| tail.executions.get(&key))
    }
}
