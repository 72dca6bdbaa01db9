//! Collects the tables and the records of a segment or a snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use stepwright_value::Document;

/// Tables are looked up, never walked, so their order does not matter.
#[derive(Default)]
pub(super) struct Writer {
    body: Vec<u8>,
    /// By address: what is shared is written once.
    texts: HashMap<usize, u32>,
    text_table: Vec<u8>,
    documents: HashMap<usize, u32>,
    document_table: Vec<u8>,
    /// Of a snapshot: what is equal is written once too, so that equal executions have equal snapshots.
    known: Option<Known>,
}

/// What is in the tables, by its content.
#[derive(Default)]
struct Known {
    texts: HashMap<Arc<str>, u32>,
    documents: HashMap<Text, u32>,
}

/// A document, compared as text.
struct Text(Document);

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.text().hash(state);
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.0.ptr_eq(&other.0) || self.0.text() == other.0.text()
    }
}

impl Eq for Text {}

impl Writer {
    /// For a snapshot, whose reader has `given`: it is not written.
    pub fn of_snapshot(given: &Document) -> Writer {
        let mut writer = Writer { known: Some(Known::default()), ..Writer::default() };
        writer.place(given);
        writer.document_table.clear();
        writer
    }

    pub fn byte(&mut self, byte: u8) {
        self.body.push(byte);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }

    pub fn number(&mut self, number: u64) {
        push_number(&mut self.body, number);
    }

    pub fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// What `write` writes, with its length in front.
    pub fn sized(&mut self, write: impl FnOnce(&mut Writer)) {
        let at = self.body.len();
        // Nearly always the length is one byte.
        self.body.push(0);
        write(self);
        let length = self.body.len() - at - 1;
        if length < 0x80 {
            self.body[at] = length as u8;
        } else {
            let mut bytes = Vec::with_capacity(5);
            push_number(&mut bytes, length as u64);
            self.body.splice(at..=at, bytes);
        }
    }

    /// A text, by its place in the table. Equal texts that are not shared are written twice in a segment.
    pub fn text(&mut self, text: &Arc<str>) {
        let next = self.texts.len() as u32;
        let place = match &mut self.known {
            None => *self.texts.entry(text.as_ptr().addr()).or_insert_with(|| {
                push_bytes(&mut self.text_table, text.as_bytes());
                next
            }),
            Some(known) => {
                let next = known.texts.len() as u32;
                *known.texts.entry(text.clone()).or_insert_with(|| {
                    push_bytes(&mut self.text_table, text.as_bytes());
                    next
                })
            }
        };
        self.number(u64::from(place));
    }

    /// A payload, by its place in the table.
    pub fn document(&mut self, document: &Document) {
        let place = self.place(document);
        self.number(u64::from(place));
    }

    fn place(&mut self, document: &Document) -> u32 {
        let next = self.documents.len() as u32;
        if let Some(place) = self.documents.get(&document.address()) {
            return *place;
        }
        let Some(known) = &mut self.known else {
            push_bytes(&mut self.document_table, document.text().as_bytes());
            self.documents.insert(document.address(), next);
            return next;
        };
        let next = known.documents.len() as u32;
        *known.documents.entry(Text(document.clone())).or_insert_with(|| {
            // What the map holds keeps its address.
            self.documents.insert(document.address(), next);
            push_bytes(&mut self.document_table, document.text().as_bytes());
            next
        })
    }

    /// All of it, behind `head`.
    pub fn finish(self, mut head: Vec<u8>) -> Vec<u8> {
        let (texts, documents) = match &self.known {
            None => (self.texts.len(), self.documents.len()),
            Some(known) => (known.texts.len(), known.documents.len() - 1),
        };
        head.reserve_exact(self.text_table.len() + self.document_table.len() + self.body.len() + 16);
        push_number(&mut head, texts as u64);
        head.extend_from_slice(&self.text_table);
        push_number(&mut head, documents as u64);
        head.extend_from_slice(&self.document_table);
        head.extend_from_slice(&self.body);
        head
    }
}

/// With the length in front.
pub(super) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
pub(super) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7F) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
