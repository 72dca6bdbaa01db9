//! Reading an execution's segments one after another, so many at a time that memory holds few: a segment has from a few dozen
//! bytes to some megabytes.

use stepwright_store::{ExecutionKey, Segment, Store, StoreError};

/// About so many bytes are read at a time.
const BYTES: usize = 1 << 20;
const FIRST: usize = 4;
const MAX: usize = 256;

/// A place in the segments of an execution.
pub(crate) struct Windows {
    pub key: ExecutionKey,
    /// The number of the next segment.
    pub next: u32,
    newest_first: bool,
    /// How many are read next.
    limit: usize,
}

impl Windows {
    /// From the number `next` upwards, or downwards when `newest_first`.
    pub fn new(key: ExecutionKey, next: u32, newest_first: bool) -> Windows {
        Windows { key, next, newest_first, limit: FIRST }
    }

    /// The next segments; none at the end.
    pub async fn read(&mut self, store: &dyn Store) -> Result<Vec<Segment>, StoreError> {
        self.read_at_most(store, self.limit).await
    }

    pub async fn read_one(&mut self, store: &dyn Store) -> Result<Option<Segment>, StoreError> {
        Ok(self.read_at_most(store, 1).await?.pop())
    }

    async fn read_at_most(&mut self, store: &dyn Store, limit: usize) -> Result<Vec<Segment>, StoreError> {
        // Segments are counted from 1.
        if self.next == 0 {
            return Ok(Vec::new());
        }
        let segments = store.some_segments(self.key, self.next, self.newest_first, limit).await?;
        let bytes: usize = segments.iter().map(|segment| segment.data.len()).sum();
        if bytes < BYTES / 4 {
            self.limit = (self.limit * 4).min(MAX);
        } else if bytes > BYTES {
            self.limit = (self.limit / 4).max(1);
        }
        if let Some(last) = segments.last() {
            self.next = if self.newest_first { last.number - 1 } else { last.number + 1 };
        }
        Ok(segments)
    }
}
