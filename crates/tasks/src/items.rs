//! Where the items of a distributed Map come from, and where the results of its children go.
//!
//! Both are streams: whoever drives a map run holds a page of items at a time, however many there are, and goes on after a
//! restart from a [`Position`]. Items of the state's input and results in its output are the driver's own; readers and
//! writers of objects and files implement the same two traits.

use std::sync::Arc;

use stepwright_value::{Document, Value};

use crate::target::{BoxFuture, Failure};

/// One item of a distributed Map.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its place among all items, from 0.
    pub index: u64,
    /// Of a member of an object: its name.
    pub key: Option<Arc<str>>,
    pub value: Value,
}

/// Where a source goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Position {
    /// The index of the next item.
    pub index: u64,
    /// A mark of the source's own, such as the bytes that it has read. 0 is the beginning.
    pub mark: u64,
}

/// The items of one map run, in order. Opened at a [`Position`] by whoever knows where they are kept.
pub trait ItemSource: Send + Sync {
    /// The next items, at most `max`; none at the end.
    fn next(&mut self, max: usize) -> BoxFuture<'_, Result<Vec<Item>, Failure>>;

    /// Where a source must be opened to yield what follows the items that were taken.
    fn position(&self) -> Position;

    /// How many items there are in all, when that is known before the end.
    fn total(&self) -> Option<u64>;
}

/// How one child of a map run ended.
#[derive(Clone, Debug)]
pub struct ItemResult {
    /// The index of the first of its items.
    pub index: u64,
    /// Its output; `None` when it did not succeed.
    pub output: Option<Document>,
}

/// The results of one map run.
pub trait ResultSink: Send + Sync {
    /// Takes the result of a child. They come in any order, each child's once in the life of a sink; after a restart those that
    /// ended before come first.
    fn put(&mut self, result: ItemResult) -> BoxFuture<'_, Result<(), Failure>>;

    /// Whether the outputs of children that ended before a restart are needed again.
    fn wants_outputs(&self) -> bool;

    /// All children have ended: the result of the Map state.
    fn finish(&mut self) -> BoxFuture<'_, Result<Document, Failure>>;
}
