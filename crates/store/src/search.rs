//! What executions are searched for by, over all machines.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Execution, ExecutionKey, Status};

/// Which executions are wanted: those that fit all that is said. Newest start first, the higher key first among equal starts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Search {
    /// Of one of these machines ([`Execution::machine`]).
    pub machines: Option<BTreeSet<Arc<str>>>,
    /// Whose name begins so.
    pub name_prefix: Option<Arc<str>>,
    pub status: Option<Status>,
    /// Started then or later. Milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Started before.
    pub until_ms: Option<i64>,
    /// Fields and values: those that were set with [`crate::Mutation::SetTerms`], all of them.
    pub terms: Vec<(Arc<str>, Arc<str>)>,
    /// Continue after this (`start_ms`, `key`), exclusive.
    pub after: Option<(i64, ExecutionKey)>,
    pub limit: usize,
}

/// A page of what was found. It may have fewer items than were asked for, and none, although others follow: looking ends after a
/// bounded time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// `head` and `tail` are left empty.
    pub items: Vec<Execution>,
    /// Where to go on; `None`: nothing follows.
    pub next: Option<(i64, ExecutionKey)>,
}

impl Search {
    /// Whether an execution fits, apart from its terms.
    pub(crate) fn fits(&self, execution: &Execution) -> bool {
        self.machines.as_ref().is_none_or(|machines| machines.contains(&execution.machine))
            && self.name_prefix.as_ref().is_none_or(|prefix| execution.name.starts_with(&**prefix))
            && self.status.is_none_or(|status| execution.status == status)
            && self.from_ms.is_none_or(|from_ms| execution.start_ms >= from_ms)
            && self.until_ms.is_none_or(|until_ms| execution.start_ms < until_ms)
    }
}
