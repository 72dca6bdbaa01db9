//! What can be said of a unit without looking at the store; the same for all adapters.

use crate::{CommitError, ExecutionKey, Mutation, Segment, Unit};

/// The most that one unit may hold, in bytes as [`bytes`] counts them: 256 MiB. SQLite ends at 1 GB for each value.
pub(crate) const UNIT_BYTES_MAX: usize = 256 << 20;

/// About what a mutation takes besides its texts and blobs.
const MUTATION_BYTES: usize = 64;

/// Refuses a unit that no store can commit.
pub(crate) fn check(unit: &Unit) -> Result<(), CommitError> {
    let size = bytes(unit);
    if size > UNIT_BYTES_MAX {
        return Err(CommitError::Invalid(format!("{size} bytes in one unit, at most {UNIT_BYTES_MAX}")));
    }
    for mutation in &unit.mutations {
        if let Some(key) = key(mutation).filter(|key| key.shard() != unit.shard) {
            let shard = unit.shard.0;
            return Err(CommitError::Invalid(format!("execution {key:?} is not of shard {shard}")));
        }
        if let Mutation::Append { key, segment } = mutation
            && !(1..=Segment::NUMBER_MAX).contains(&segment.number)
        {
            let number = segment.number;
            return Err(CommitError::Invalid(format!("segment number {number} of execution {key:?}")));
        }
    }
    Ok(())
}

/// About how much the unit holds.
pub(crate) fn bytes(unit: &Unit) -> usize {
    unit.mutations.iter().map(|mutation| MUTATION_BYTES + payload_bytes(mutation)).sum()
}

fn payload_bytes(mutation: &Mutation) -> usize {
    match mutation {
        Mutation::Catalog { key, data, .. } => key.len() + data.as_ref().map_or(0, Vec::len),
        Mutation::CreateExecution(execution) => {
            execution.machine.len() + execution.name.len() + execution.head.len() + execution.tail.len()
        }
        Mutation::SetStatus { tail, .. } => tail.len(),
        Mutation::Append { segment, .. } => segment.data.len(),
        Mutation::Enqueue(item) | Mutation::Dequeue(item) => item.queue.len(),
        Mutation::SetPermit(permit) => permit.data.len(),
        Mutation::SetTimer(_)
        | Mutation::CancelTimer(_)
        | Mutation::DropPermit { .. }
        | Mutation::Dispatched(_)
        | Mutation::Answered(_)
        | Mutation::CountRedrive { .. }
        | Mutation::DeleteExecution(_) => 0,
        Mutation::SetTerms { field, values, .. } => {
            field.len() + values.iter().map(|value| MUTATION_BYTES + value.len()).sum::<usize>()
        }
    }
}

fn key(mutation: &Mutation) -> Option<ExecutionKey> {
    match mutation {
        Mutation::Catalog { .. } => None,
        Mutation::CreateExecution(execution) => Some(execution.key),
        Mutation::SetStatus { key, .. } | Mutation::Append { key, .. } => Some(*key),
        Mutation::SetTimer(timer) | Mutation::CancelTimer(timer) => Some(timer.key),
        Mutation::Dispatched(dispatch) | Mutation::Answered(dispatch) => Some(dispatch.key),
        Mutation::Enqueue(item) | Mutation::Dequeue(item) => Some(item.key),
        Mutation::SetPermit(permit) => Some(permit.key),
        Mutation::CountRedrive { key, .. }
        | Mutation::SetTerms { key, .. }
        | Mutation::DropPermit { key, .. }
        | Mutation::DeleteExecution(key) => Some(*key),
    }
}
