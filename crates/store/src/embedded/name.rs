//! Names of executions as the database has them: a UUID, as most are, as its 16 bytes, anything else as text.

use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::types::{FromSqlError, FromSqlResult, ToSqlOutput, Value, ValueRef};

/// Where the hyphens are in the text of a UUID.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const TEXT_BYTES: usize = 36;
const DIGITS: usize = 32;

/// The column of a name.
pub(super) fn column(name: &str) -> ToSqlOutput<'_> {
    match digits_of(name).filter(|_| name.len() == TEXT_BYTES) {
        Some(digits) => ToSqlOutput::Owned(Value::Blob(bytes(&digits, 0).to_vec())),
        None => ToSqlOutput::Borrowed(ValueRef::Text(name.as_bytes())),
    }
}

/// The name in a column.
pub(super) fn name(column: ValueRef<'_>) -> FromSqlResult<Arc<str>> {
    match column {
        ValueRef::Text(text) => {
            std::str::from_utf8(text).map(Arc::from).map_err(|error| FromSqlError::Other(error.into()))
        }
        ValueRef::Blob(bytes) if bytes.len() == DIGITS / 2 => {
            let mut text = String::with_capacity(TEXT_BYTES);
            for byte in bytes {
                if HYPHENS.contains(&text.len()) {
                    text.push('-');
                }
                // A String takes everything.
                let _ = write!(text, "{byte:02x}");
            }
            Ok(text.into())
        }
        _ => Err(FromSqlError::InvalidType),
    }
}

/// The first and the last UUID that begin with the prefix; `None`: none does.
pub(super) fn uuids(prefix: &str) -> Option<([u8; 16], [u8; 16])> {
    let digits = digits_of(prefix)?;
    Some((bytes(&digits, 0), bytes(&digits, 0xf)))
}

/// The digits of what the text of a UUID begins with, or of one.
fn digits_of(text: &str) -> Option<Vec<u8>> {
    if text.len() > TEXT_BYTES {
        return None;
    }
    let mut digits = Vec::with_capacity(DIGITS);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'-' if HYPHENS.contains(&place) => {}
            b'0'..=b'9' if !HYPHENS.contains(&place) => digits.push(byte - b'0'),
            b'a'..=b'f' if !HYPHENS.contains(&place) => digits.push(byte - b'a' + 10),
            _ => return None,
        }
    }
    Some(digits)
}

/// The digits as bytes, filled up.
fn bytes(digits: &[u8], fill: u8) -> [u8; 16] {
    let digit = |place: usize| digits.get(place).copied().unwrap_or(fill);
    std::array::from_fn(|place| digit(2 * place) << 4 | digit(2 * place + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for (text, is_short) in [
            (uuid, true),
            ("00000000-0000-0000-0000-000000000000", true),
            ("0F8FAD5B-d9cb-469f-a165-70867728950e", false),
            ("0f8fad5b-d9cb-469f-a165-70867728950", false),
            ("0f8fad5b-d9cb-469f-a165-70867728950e0", false),
            ("0f8fad5bd-9cb-469f-a165-70867728950e", false),
            ("0f8fad5b0d9cb0469f0a165070867728950e", false),
            ("", false),
            ("order-1", false),
            ("\u{e9}", false),
        ] {
            let written = column(text);
            let value = match &written {
                ToSqlOutput::Owned(Value::Blob(bytes)) => {
                    assert!(is_short, "{text}");
                    ValueRef::Blob(bytes)
                }
                ToSqlOutput::Borrowed(value) => *value,
                _ => panic!("{text}"),
            };
            assert_eq!(&*name(value).unwrap(), text);
        }
        assert!(name(ValueRef::Blob(&[1; 15])).is_err() && name(ValueRef::Integer(1)).is_err());
    }

    #[test]
    fn prefixes() {
        let range = |first: u8, last: u8| {
            Some(([&[first][..], &[0; 15]].concat(), [&[last][..], &[255; 15]].concat()))
        };
        let found = |prefix| uuids(prefix).map(|(first, last)| (first.to_vec(), last.to_vec()));
        assert_eq!(found(""), range(0, 255));
        assert_eq!(found("a"), range(0xa0, 0xaf));
        assert_eq!(found("a5"), range(0xa5, 0xa5));
        assert_eq!(found("x"), None);
        assert_eq!(
            found("0f8fad5b-").map(|(first, _)| first[..5].to_vec()),
            Some(vec![0x0f, 0x8f, 0xad, 0x5b, 0])
        );
        assert_eq!(found("0f8fad5bd"), None);
    }
}
