//! Takes a segment apart. Every length is checked against what is left, so that damaged bytes cost nothing.

use std::sync::Arc;

use stepwright_value::Document;

use super::{CodecError, VERSION};

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    texts: Vec<Arc<str>>,
    documents: Vec<Document>,
}

impl<'a> Reader<'a> {
    /// Reads version and tables.
    pub fn new(bytes: &'a [u8]) -> Result<Reader<'a>, CodecError> {
        let mut reader = Reader { bytes, at: 0, texts: Vec::new(), documents: Vec::new() };
        let version = reader.byte()?;
        if version == 0 || version > VERSION {
            return Err(CodecError::Version { found: version });
        }
        for _ in 0..reader.count()? {
            let text = reader.raw_text()?.into();
            reader.texts.push(text);
        }
        for _ in 0..reader.count()? {
            let document = Document::from_stored_text(reader.raw_text()?);
            reader.documents.push(document);
        }
        Ok(reader)
    }

    pub fn damaged(&self) -> CodecError {
        CodecError::Damaged { at: self.at }
    }

    pub fn byte(&mut self) -> Result<u8, CodecError> {
        let byte = *self.bytes.get(self.at).ok_or(CodecError::Truncated)?;
        self.at += 1;
        Ok(byte)
    }

    pub fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let end = self.at.checked_add(length).ok_or(CodecError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(CodecError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    pub fn number(&mut self) -> Result<u64, CodecError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return Err(self.damaged());
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.damaged())
    }

    /// How many things follow, each of which takes at least one byte.
    pub fn count(&mut self) -> Result<usize, CodecError> {
        let count = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        if count > self.bytes.len() - self.at {
            return Err(CodecError::Truncated);
        }
        Ok(count)
    }

    fn raw_text(&mut self) -> Result<&'a str, CodecError> {
        let length = self.count()?;
        let at = self.at;
        std::str::from_utf8(self.take(length)?).map_err(|_| CodecError::Damaged { at })
    }

    pub fn text(&mut self) -> Result<Arc<str>, CodecError> {
        let place = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        self.texts.get(place).cloned().ok_or(CodecError::Damaged { at: self.at })
    }

    pub fn document(&mut self) -> Result<Document, CodecError> {
        let place = usize::try_from(self.number()?).map_err(|_| self.damaged())?;
        self.documents.get(place).cloned().ok_or(CodecError::Damaged { at: self.at })
    }

    /// Nothing may follow the events.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.damaged()) }
    }
}
