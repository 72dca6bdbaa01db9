//! The pieces that formats are written with: numbers in as few bytes as they need, texts and blobs with their length.
//!
//! Unsigned numbers are written in groups of seven bits, the lowest first, with the highest bit set in all but the last
//! byte. Signed ones are folded first, so that small negative ones are short too.

use crate::FormatError;

/// Writes to the end of a vector.
pub struct Writer<'v>(pub &'v mut Vec<u8>);

impl Writer<'_> {
    pub fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    pub fn u64(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub fn u32(&mut self, number: u32) {
        self.u64(u64::from(number));
    }

    pub fn i64(&mut self, number: i64) {
        self.u64((number << 1 ^ number >> 63) as u64);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// 0 for `None`; else 1 and what `write` writes.
    pub fn option<T>(&mut self, option: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match option {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                write(self, value);
            }
        }
    }
}

/// Reads from the beginning of a slice. Nothing is allocated, whatever a length says.
#[derive(Clone)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader { bytes, at: 0 }
    }

    /// Whether everything has been read.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// An error at the place that was reached.
    pub fn malformed(&self, found: &'static str) -> FormatError {
        FormatError::Malformed { found, at: self.at }
    }

    pub fn u8(&mut self) -> Result<u8, FormatError> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| self.malformed("the end"))?;
        self.at += 1;
        Ok(byte)
    }

    pub fn u64(&mut self) -> Result<u64, FormatError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            if group << shift >> shift != group {
                break;
            }
            number |= group << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.malformed("a number that is too large"))
    }

    pub fn u32(&mut self) -> Result<u32, FormatError> {
        let number = self.u64()?;
        u32::try_from(number).map_err(|_| self.malformed("a number that is too large"))
    }

    pub fn i64(&mut self) -> Result<i64, FormatError> {
        let folded = self.u64()?;
        Ok((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }

    pub fn bytes(&mut self) -> Result<&'b [u8], FormatError> {
        let length = self.u64()?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let bytes = usize::try_from(length).ok().and_then(|length| rest.get(..length));
        let bytes = bytes.ok_or_else(|| self.malformed("a length beyond the end"))?;
        self.at += bytes.len();
        Ok(bytes)
    }

    pub fn text(&mut self) -> Result<&'b str, FormatError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text that is not UTF-8"))
    }

    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FormatError>,
    ) -> Result<Option<T>, FormatError> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(self.malformed("neither something nor nothing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for number in numbers.chain([u64::MAX]) {
            let mut bytes = Vec::new();
            Writer(&mut bytes).u64(number);
            Writer(&mut bytes).i64(number as i64);
            Writer(&mut bytes).i64(-(number as i64 >> 1));
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.u64(), Ok(number));
            assert_eq!(reader.i64(), Ok(number as i64));
            assert_eq!(reader.i64(), Ok(-(number as i64 >> 1)));
            assert!(reader.is_at_end());
        }
        assert!(Reader::new(&[0xff; 12]).u64().is_err());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]).u64().is_err());
        assert!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).u32().is_err());
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let mut bytes = Vec::new();
        let mut writer = Writer(&mut bytes);
        writer.text("häuser");
        writer.option(Some(7), Writer::u32);
        writer.option(None, Writer::u32);
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let text = reader.text()?.to_owned();
            Ok::<_, FormatError>((text, reader.option(Reader::u32)?, reader.option(Reader::u32)?))
        };
        assert_eq!(read(&bytes), Ok(("häuser".into(), Some(7), None)));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0];
        assert!(Reader::new(&huge).bytes().is_err());
        assert!(Reader::new(&[2, b'\xc3', b'(']).text().is_err());
    }
}
