//! A whole payload: text, value, or both.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::reader::read_stored;
use crate::{ReadError, Value, read};

/// A JSON payload: an execution's input, a state's output. Holds the text, the value, or both; the missing one is made
/// on first use and kept. Clones share everything, so an unchanged payload costs nothing on its way through states.
#[derive(Clone)]
pub struct Document(Arc<Inner>);

struct Inner {
    text: OnceLock<Box<str>>,
    value: OnceLock<Value>,
}

impl Document {
    /// Reads `text` and keeps it as it is written.
    pub fn parse(text: &str) -> Result<Document, ReadError> {
        let value = read(text)?;
        Ok(Document(Arc::new(Inner { text: OnceLock::from(Box::from(text)), value: OnceLock::from(value) })))
    }

    /// A document whose text is known to be JSON because [`Document::text`] once gave it: one that comes back from the
    /// store, which checks its records. It is read when first asked for its value; text that is not JSON after all
    /// reads as `null`.
    pub fn from_stored_text(text: impl Into<Box<str>>) -> Document {
        Document(Arc::new(Inner { text: OnceLock::from(text.into()), value: OnceLock::new() }))
    }

    /// The JSON text: as the user wrote it where the document was parsed, else compact.
    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| self.0.value.get().map(Value::to_json).unwrap_or_default().into())
    }

    /// The value.
    pub fn value(&self) -> &Value {
        self.0
            .value
            .get_or_init(|| self.0.text.get().and_then(|text| read_stored(text).ok()).unwrap_or_default())
    }

    /// The length of the text in bytes.
    pub fn len_bytes(&self) -> usize {
        self.text().len()
    }

    /// The bytes of memory that it takes now.
    pub fn memory_bytes(&self) -> usize {
        let text_bytes = self.0.text.get().map_or(0, |text| text.len());
        size_of::<Inner>() + text_bytes + self.0.value.get().map_or(0, Value::memory_bytes)
    }

    /// Whether both are the very same document in memory.
    pub fn ptr_eq(&self, other: &Document) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// An address that is equal for clones of one document while any of them lives. For interning.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Document {
        Document(Arc::new(Inner { text: OnceLock::new(), value: OnceLock::from(value) }))
    }
}

impl Default for Document {
    fn default() -> Document {
        Value::Null.into()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.ptr_eq(other) || self.value() == other.value()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_and_value_is_derived() {
        let document = Document::parse("[1,  2.0]").expect("valid");
        assert_eq!(document.text(), "[1,  2.0]");
        assert_eq!(Document::from(document.value().clone()).text(), "[1,2.0]");
        assert_eq!(Document::from_stored_text("{\"a\":1}").value().get("a"), Some(&Value::from(1)));
        assert!(Document::parse("[1").is_err());
    }
}
