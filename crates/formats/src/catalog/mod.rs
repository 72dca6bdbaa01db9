//! The records of the catalogue: what has a name and outlives executions.
//!
//! A record is JSON, with the names of the types' fields. It says its version in its first byte:
//!
//! | version | since | how |
//! |---|---|---|
//! | 0 | before the first release | JSON without a version: the first byte is `{` |
//! | 1 | before the first release | the byte 1, and the same JSON |
//!
//! Records of map runs have versions too, but are the engine's (`record`), as rows of executions are. What leads from a map run's ARN to
//! its record is that record's key, and the key of page tokens is its bytes: neither has a version.
//!
//! Words of other rooms (types, levels) are kept as texts; who owns their meaning maps them, and refuses those that it does
//! not know.

mod records;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use records::{
    Activity, Alias, Encryption, Limit, LogDestination, LogGroup, Logging, Published, Rate, Revision, Route,
    StateMachine, Tags, Tracing, Version,
};

use crate::FormatError;

/// The version that is written.
const VERSION: u8 = 1;

/// With what a record of version 0 begins.
const BRACE: u8 = b'{';

/// A record of the catalogue.
pub trait Record: Serialize + DeserializeOwned {
    /// What one is called where it cannot be read.
    const NAME: &'static str;
}

/// The bytes of a record, as the newest version has them.
pub fn write(record: &impl Record) -> Vec<u8> {
    let mut out = vec![VERSION];
    // The types have texts as keys and write into memory: nothing can fail.
    let _ = serde_json::to_writer(&mut out, record);
    out
}

/// A record in any of its versions.
pub fn read<R: Record>(bytes: &[u8]) -> Result<R, FormatError> {
    match bytes.split_first() {
        Some((&BRACE, _)) => read_json(bytes),
        Some((&VERSION, json)) => read_json(json),
        Some((&found, _)) if found > VERSION && found < BRACE => {
            Err(FormatError::Newer { format: R::NAME, found: found.into(), known: VERSION.into() })
        }
        Some(_) => Err(FormatError::Malformed { found: "neither a version nor JSON", at: 0 }),
        None => Err(FormatError::Malformed { found: "the end", at: 0 }),
    }
}

fn read_json<R: Record>(json: &[u8]) -> Result<R, FormatError> {
    serde_json::from_slice(json).map_err(|error| FormatError::Malformed {
        found: match error.classify() {
            serde_json::error::Category::Data => "a field that is unknown, missing or of another type",
            serde_json::error::Category::Eof => "the end",
            _ => "what is no JSON",
        },
        // A record is one line.
        at: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a record and writes it again.
    fn again(kind: &str, bytes: &[u8]) -> Result<Vec<u8>, FormatError> {
        Ok(match kind {
            "StateMachine" => write(&read::<StateMachine>(bytes)?),
            "Revision" => write(&read::<Revision>(bytes)?),
            "Activity" => write(&read::<Activity>(bytes)?),
            "Tags" => write(&read::<Tags>(bytes)?),
            "Version" => write(&read::<Version>(bytes)?),
            "Alias" => write(&read::<Alias>(bytes)?),
            "Limit" => write(&read::<Limit>(bytes)?),
            other => panic!("there are no records of kind {other}"),
        })
    }

    #[test]
    fn every_version_is_read_and_nothing_of_it_is_lost() {
        let mut kinds = std::collections::BTreeSet::new();
        for line in include_str!("../../tests/catalog/version-0.txt").lines() {
            let (kind, json) = line.split_once(' ').expect("a kind and a record");
            kinds.insert(kind);
            let newest = [&[VERSION], json.as_bytes()].concat();
            let written = again(kind, json.as_bytes()).expect(line);
            assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&newest), "{kind}");
            assert_eq!(again(kind, &newest), Ok(newest.clone()), "{kind}");
            for cut in 0..newest.len() {
                assert!(again(kind, &newest[..cut]).is_err(), "{kind} cut at {cut}");
            }
        }
        assert_eq!(kinds.len(), 7, "all kinds are there: {kinds:?}");
    }

    #[test]
    fn what_another_release_wrote_is_refused() {
        let said = |bytes: &[u8]| read::<Tags>(bytes).expect_err("nobody wrote this").to_string();
        assert_eq!(
            said(b"\x02{}"),
            "a record of tags has format version 2, and this release reads versions up to 1: open it with the \
             release that wrote it, or a later one"
        );
        assert_eq!(said(b"\x00{}"), "neither a version nor JSON at byte 0");
        assert_eq!(said(b""), "the end at byte 0");
        let unknown = said(br#"{"arn":"a","entries":[],"more":1}"#);
        assert!(
            unknown.starts_with("a field that is unknown, missing or of another type at byte "),
            "{unknown}"
        );
        // What a record did not always have.
        let first = br#"{"arn":"a","name":"n","type":"STANDARD","revision":"r","created_ms":1,"deleting":false,"versions":0}"#;
        assert_eq!(read::<StateMachine>(first).map(|machine| machine.published), Ok(None));
    }
}
