//! Items of the state's input as a source, results in the state's output as a sink.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_machine::MapRun;
use stepwright_tasks::{BoxFuture, Failure, Item, ItemResult, ItemSource, Position, ResultSink};
use stepwright_types::{error_name, limit};
use stepwright_value::{Document, Value, written_len};

/// The items of the state's input, which the Map state's execution holds anyway.
pub(crate) struct InputItems {
    run: Arc<MapRun>,
    next: usize,
}

impl InputItems {
    pub fn open(run: Arc<MapRun>, at: Position) -> InputItems {
        InputItems { run, next: usize::try_from(at.index).unwrap_or(usize::MAX) }
    }
}

impl ItemSource for InputItems {
    fn next(&mut self, max: usize) -> BoxFuture<'_, Result<Vec<Item>, Failure>> {
        let from = self.next;
        let items: Vec<Item> = (from..self.run.len().min(from.saturating_add(max)))
            .filter_map(|index| self.run.item(index))
            .map(|item| Item { index: item.index, key: item.key, value: item.value })
            .collect();
        self.next += items.len();
        Box::pin(std::future::ready(Ok(items)))
    }

    fn position(&self) -> Position {
        Position { index: self.next as u64, mark: 0 }
    }

    fn total(&self) -> Option<u64> {
        Some(self.run.len() as u64)
    }
}

/// The outputs of the children as one array in the order of their items. Once that is too large for the output of a state
/// nothing of it is kept.
pub(crate) struct CollectedResults {
    state_name: Arc<str>,
    outputs: BTreeMap<u64, Value>,
    /// Of the array, brackets and commas included.
    bytes: usize,
}

impl CollectedResults {
    pub fn new(state_name: &str) -> CollectedResults {
        CollectedResults { state_name: state_name.into(), outputs: BTreeMap::new(), bytes: 2 }
    }
}

impl ResultSink for CollectedResults {
    fn put(&mut self, result: ItemResult) -> BoxFuture<'_, Result<(), Failure>> {
        if let Some(output) = result.output.filter(|_| self.wants_outputs()) {
            let comma = usize::from(!self.outputs.is_empty());
            self.bytes += output.len_bytes() + comma;
            // A child that is redriven gives its result again.
            if let Some(former) = self.outputs.insert(result.index, output.value().clone()) {
                self.bytes = self.bytes.saturating_sub(written_len(&former) + 1);
            }
            if !self.wants_outputs() {
                self.outputs.clear();
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn wants_outputs(&self) -> bool {
        self.bytes <= limit::PAYLOAD_BYTES_MAX
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<Document, Failure>> {
        let result = match self.wants_outputs() {
            true => Ok(Value::from_iter(std::mem::take(&mut self.outputs).into_values()).into()),
            false => Err(Failure::new(
                error_name::DATA_LIMIT_EXCEEDED,
                format!(
                    "The state/task '{}' returned a result with a size exceeding the maximum number of bytes service limit.",
                    self.state_name
                ),
            )),
        };
        Box::pin(std::future::ready(result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_are_in_the_order_of_their_items_and_bounded() {
        let mut sink = CollectedResults::new("M");
        for (index, output) in [(2, Some("2")), (0, Some("0")), (1, None)] {
            let output = output.map(Document::from_stored_text);
            sink.put(ItemResult { index, output }).await.expect("room");
        }
        assert_eq!(sink.bytes, "[0,2]".len());
        assert_eq!(sink.finish().await.map(|result| result.text().to_owned()).ok(), Some("[0,2]".to_owned()));
        let large = format!("\"{}\"", "x".repeat(150 << 10));
        let mut sink = CollectedResults::new("M");
        for index in 0..3 {
            let output = Some(Document::from_stored_text(large.as_str()));
            sink.put(ItemResult { index, output }).await.expect("no error yet");
        }
        assert!(sink.outputs.is_empty());
        assert_eq!(
            sink.finish().await.map_err(|failure| failure.error).err(),
            Some(error_name::DATA_LIMIT_EXCEEDED.to_owned())
        );
    }
}
