//! JSON: what is read is written so that it reads as the same.

use stepwright_value::{Document, read, read_bytes};

pub fn run(data: &[u8]) {
    let Ok(value) = read_bytes(data) else { return };
    let text = value.to_json();
    assert_eq!(read(&text).as_ref(), Ok(&value), "{text:.200}");
    let document = std::str::from_utf8(data).ok().and_then(|text| Document::parse(text).ok());
    assert!(document.is_some_and(|document| *document.value() == value));
}
