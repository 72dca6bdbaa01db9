//! Searching the store in memory: one execution after the other.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::tables::Tables;
use crate::{Counts, Execution, Found, Search};

impl Tables {
    pub(crate) fn search(&self, search: &Search) -> Found {
        let place = |execution: &Execution| (execution.start_ms, execution.key);
        let has_terms = |execution: &Execution| {
            search.terms.iter().all(|(field, value)| {
                let values = self.terms.get(&(execution.key, field.clone()));
                values.is_some_and(|values| values.contains(value))
            })
        };
        let mut found: Vec<&Execution> = self
            .executions
            .values()
            .filter(|execution| search.fits(execution) && has_terms(execution))
            .filter(|execution| search.after.is_none_or(|after| place(execution) < after))
            .collect();
        found.sort_unstable_by_key(|execution| Reverse(place(execution)));
        let more = found.len() > search.limit;
        found.truncate(search.limit);
        let next = found.last().filter(|_| more).map(|last| place(last));
        let without_blobs =
            |execution: &Execution| Execution { head: vec![], tail: vec![], ..execution.clone() };
        Found { items: found.into_iter().map(without_blobs).collect(), next }
    }

    pub(crate) fn counts(&self, machines: Option<&BTreeSet<Arc<str>>>) -> Counts {
        let mut counts = Counts::new();
        for execution in self.executions.values() {
            if machines.is_none_or(|machines| machines.contains(&execution.machine)) {
                *counts.entry(execution.status).or_default() += 1;
            }
        }
        counts
    }
}
