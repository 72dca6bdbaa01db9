//! How much memory an execution takes: what it holds of payloads and variables, as text and as values.

use std::collections::HashSet;
use std::sync::Arc;

use stepwright_value::{Document, Value};

use crate::branch::{Branch, Phase};
use crate::execution::Execution;
use crate::variables::Frame;

/// What a task or a timer takes besides its payload.
const PENDING_BYTES: usize = 256;

impl Execution {
    /// No less than the bytes of memory that it takes, but for what it shares with others: its program and its account. What several
    /// of its parts share counts once, as far as it is a whole payload or a line's variables.
    pub fn memory_bytes(&self) -> usize {
        let mut count = Count { seen: HashSet::new(), bytes: size_of::<Execution>() };
        count.document(&self.identity.input);
        self.branches.values().for_each(|branch| count.branch(branch));
        for task in self.tasks.values() {
            count.bytes += PENDING_BYTES;
            count.document(&task.parameters);
        }
        count.bytes + PENDING_BYTES * self.timers.len()
    }
}

struct Count {
    /// Addresses of what was counted.
    seen: HashSet<usize>,
    bytes: usize,
}

impl Count {
    fn is_new(&mut self, address: usize) -> bool {
        self.seen.insert(address)
    }

    fn document(&mut self, document: &Document) {
        if self.is_new(document.address()) {
            self.bytes += document.memory_bytes();
        }
    }

    fn value(&mut self, value: &Value) {
        self.bytes += size_of::<Value>() + value.memory_bytes();
    }

    fn branch(&mut self, branch: &Branch) {
        self.bytes += size_of::<Branch>();
        self.document(&branch.input);
        self.frame(&branch.variables);
        if let Some(item) = &branch.item
            && self.is_new(Arc::as_ptr(item).addr())
        {
            self.value(&item.value);
        }
        match &branch.phase {
            Phase::Joining(join) => {
                self.bytes += join.outputs.len() * size_of::<Option<Document>>();
                join.outputs.iter().flatten().for_each(|output| self.document(output));
                if let Some(map) = &join.map {
                    self.document(&map.items.0);
                    self.document(&map.input);
                }
            }
            Phase::Distributed(map) => {
                self.document(&map.items.0);
                self.document(&map.input);
            }
            Phase::Ended(output) => self.document(output),
            _ => {}
        }
    }

    fn frame(&mut self, frame: &Arc<Frame>) {
        let mut next = Some(frame);
        while let Some(frame) = next
            && self.is_new(Arc::as_ptr(frame).addr())
        {
            self.bytes += size_of::<Frame>();
            for (name, value) in &frame.own {
                self.bytes += name.len();
                self.value(value);
            }
            next = frame.outer.as_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_count_as_text_and_as_value() {
        let count = |document: &Document| {
            let mut count = Count { seen: HashSet::new(), bytes: 0 };
            count.document(document);
            // Shared: nothing more.
            count.document(&document.clone());
            count.bytes
        };
        let stored = Document::from_stored_text(format!("[{}1]", "1,".repeat(9_999)));
        assert!((20_001..20_200).contains(&count(&stored)), "{}", count(&stored));
        // Small items take many times their text.
        stored.value();
        assert!(count(&stored) > 20_001 + 10_000 * size_of::<Value>());
        let text = Document::parse(&format!("\"{}\"", "x".repeat(10_000))).expect("JSON");
        assert!((20_000..20_400).contains(&count(&text)), "{}", count(&text));
    }
}
