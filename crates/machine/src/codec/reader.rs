//! Takes a segment apart. Every length is checked against what is left, so that damaged bytes cost nothing.

use std::sync::Arc;

use stepwright_value::Document;

use super::CodecError;

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    version: u8,
    texts: Vec<Arc<str>>,
    documents: Vec<Document>,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0, version: 0, texts: Vec::new(), documents: Vec::new() }
    }

    /// Of the format that is read.
    pub fn version(&self) -> u8 {
        self.version
    }

    pub fn set_version(&mut self, version: u8) {
        self.version = version;
    }

    /// A document that is in the table before any that were written.
    pub fn give(&mut self, document: Document) {
        self.documents.push(document);
    }

    /// Reads the tables.
    pub fn tables(&mut self) -> Result<(), CodecError> {
        for _ in 0..self.count()? {
            let text = self.raw_text()?.into();
            self.texts.push(text);
        }
        for _ in 0..self.count()? {
            let document = Document::from_stored_text(self.raw_text()?);
            self.documents.push(document);
        }
        Ok(())
    }

    /// What `read` reads of a record that has its length in front. All of it is to be read.
    pub fn sized<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        let length = self.count()?;
        let end = self.at + length;
        let value = read(self)?;
        if self.at == end { Ok(value) } else { Err(self.damaged()) }
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

    /// Nothing may follow.
    pub fn finish(self) -> Result<(), CodecError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.damaged()) }
    }
}
