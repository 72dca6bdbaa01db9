//! Finds the lines that belong to a line's Parallel or Map state.

use crate::event::BranchId;
use crate::execution::Execution;

/// The lines directly below `id`, in order of their ids.
pub(crate) fn directly_below(execution: &Execution, id: BranchId) -> Vec<BranchId> {
    let after = BranchId(id.0.saturating_add(1));
    let lines = execution.branches.range(after..);
    lines.filter(|(_, line)| line.parent == Some(id)).map(|(line, _)| *line).collect()
}

/// All lines below `id`, in order of their ids. A line's id is greater than that of the line it belongs to.
pub(crate) fn below(execution: &Execution, id: BranchId) -> Vec<BranchId> {
    let after = BranchId(id.0.saturating_add(1));
    let mut found: Vec<BranchId> = Vec::new();
    for (line, branch) in execution.branches.range(after..) {
        if branch.parent.is_some_and(|parent| parent == id || found.binary_search(&parent).is_ok()) {
            found.push(*line);
        }
    }
    found
}
