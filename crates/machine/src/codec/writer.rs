//! Collects the tables and the events of a segment.

use std::collections::HashMap;
use std::sync::Arc;

use stepwright_value::Document;

/// Tables are looked up, never walked, so their order does not matter.
#[derive(Default)]
pub(super) struct Writer {
    body: Vec<u8>,
    texts: HashMap<usize, u32>,
    text_table: Vec<u8>,
    documents: HashMap<usize, u32>,
    document_table: Vec<u8>,
}

impl Writer {
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

    /// A text, by its place in the table. Equal texts that are not shared are written twice.
    pub fn text(&mut self, text: &Arc<str>) {
        let next = self.texts.len() as u32;
        let place = *self.texts.entry(text.as_ptr().addr()).or_insert_with(|| {
            push_text(&mut self.text_table, text);
            next
        });
        self.number(u64::from(place));
    }

    /// A payload, by its place in the table.
    pub fn document(&mut self, document: &Document) {
        let next = self.documents.len() as u32;
        let place = *self.documents.entry(document.address()).or_insert_with(|| {
            push_text(&mut self.document_table, document.text());
            next
        });
        self.number(u64::from(place));
    }

    /// The whole segment.
    pub fn finish(self, version: u8) -> Vec<u8> {
        let length = self.text_table.len() + self.document_table.len() + self.body.len() + 16;
        let mut out = Vec::with_capacity(length);
        out.push(version);
        push_number(&mut out, self.texts.len() as u64);
        out.extend_from_slice(&self.text_table);
        push_number(&mut out, self.documents.len() as u64);
        out.extend_from_slice(&self.document_table);
        out.extend_from_slice(&self.body);
        out
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8 & 0x7F) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
