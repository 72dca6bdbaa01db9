//! What the engine writes into an execution's row: [`Head`] at the start, [`Tail`] at the end.
//!
//! A version byte in front, then fields in a fixed order. New fields are added at the end, and an older record reads as if they were
//! absent. Every version is read for ever:
//!
//! 1. Each field is a length of four bytes, lowest first (all bits set: it is absent), and its text.
//! 2. Each field is a number in groups of seven bits, lowest first, the highest bit set in all but the last group, and its bytes. The
//!    number is 0 for an absent field, otherwise 1 more than twice the count of the bytes; 2 more, if these are the 16 bytes of a
//!    UUID whose text (lower case, with hyphens) the field has. Fields that are absent at the end are left out.

use std::fmt::{Display, Formatter};
use std::str::FromStr;
use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, ExecutionKind, UnknownBehaviour};
use thiserror::Error;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The version with lengths of four bytes.
const LONG: u8 = 1;
/// The version that is written.
const VERSION: u8 = 2;

/// What is known of an execution when it starts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// JSON text, as the caller wrote it.
    pub input: Arc<str>,
    /// The revision of the state machine that it runs.
    pub revision_id: Arc<str>,
    pub role_arn: Arc<str>,
    pub trace_header: Option<Arc<str>>,
    pub version_arn: Option<Arc<str>>,
    pub alias_arn: Option<Arc<str>>,
    /// The idempotency token of the task that started it.
    pub started_by: Option<Arc<str>>,
    /// The ARN of that task's execution.
    pub parent_arn: Option<Arc<str>>,
    /// Of a child of a map run: what it runs.
    pub processor: Option<Processor>,
    /// The number of its [`BehaviourFlags`].
    pub behaviour: Option<u32>,
}

/// The processor of a distributed Map, which the children of its runs execute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Processor {
    /// The number of its flow in the program.
    pub flow: u32,
    /// The type of the children.
    pub kind: ExecutionKind,
}

impl Display for Processor {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let kind = if self.kind == ExecutionKind::Express { 'E' } else { 'S' };
        write!(formatter, "{kind}{}", self.flow)
    }
}

impl FromStr for Processor {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Processor, RecordError> {
        let unknown = RecordError("no such processor");
        let (kind, flow) = match text.split_at_checked(1) {
            Some(("S", flow)) => (ExecutionKind::Standard, flow),
            Some(("E", flow)) => (ExecutionKind::Express, flow),
            _ => return Err(unknown),
        };
        Ok(Processor { flow: flow.parse().map_err(|_| unknown)?, kind })
    }
}

/// How an execution ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tail {
    /// JSON text; when it succeeded.
    pub output: Option<Arc<str>>,
    pub error: Option<Arc<str>>,
    pub cause: Option<Arc<str>>,
    /// How many events its history had when it ended.
    pub history_len: u32,
}

/// The record is not one that this version, or an earlier one, wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an execution record cannot be read: {0}")]
pub struct RecordError(pub(crate) &'static str);

impl Head {
    pub fn encode(&self) -> Vec<u8> {
        let processor = self.processor.map(|processor| Arc::<str>::from(processor.to_string()));
        let behaviour = self.behaviour.map(|number| Arc::<str>::from(number.to_string()));
        let fields = [
            Some(&self.input),
            Some(&self.revision_id),
            Some(&self.role_arn),
            self.trace_header.as_ref(),
            self.version_arn.as_ref(),
            self.alias_arn.as_ref(),
            self.started_by.as_ref(),
            self.parent_arn.as_ref(),
            processor.as_ref(),
            behaviour.as_ref(),
        ];
        encode(&fields)
    }

    pub fn decode(bytes: &[u8]) -> Result<Head, RecordError> {
        let mut fields = Fields::new(bytes)?;
        Ok(Head {
            input: fields.next()?.ok_or(RecordError("no input"))?,
            revision_id: fields.next()?.ok_or(RecordError("no revision"))?,
            role_arn: fields.next()?.unwrap_or_default(),
            trace_header: fields.next()?,
            version_arn: fields.next()?,
            alias_arn: fields.next()?,
            started_by: fields.next()?,
            parent_arn: fields.next()?,
            processor: fields.number()?,
            behaviour: fields.number()?,
        })
    }

    /// How the execution behaves; those of a later version are refused.
    pub fn flags(&self) -> Result<BehaviourFlags, UnknownBehaviour> {
        self.behaviour.map_or(Ok(BehaviourFlags::FIRST), BehaviourFlags::from_number)
    }
}

impl Tail {
    pub fn encode(&self) -> Vec<u8> {
        let history_len = (self.history_len != 0).then(|| self.history_len.to_string().into());
        encode(&[self.output.as_ref(), self.error.as_ref(), self.cause.as_ref(), history_len.as_ref()])
    }

    /// An empty record is that of an execution that runs.
    pub fn decode(bytes: &[u8]) -> Result<Tail, RecordError> {
        if bytes.is_empty() {
            return Ok(Tail::default());
        }
        let mut fields = Fields::new(bytes)?;
        Ok(Tail {
            output: fields.next()?,
            error: fields.next()?,
            cause: fields.next()?,
            history_len: fields.number()?.unwrap_or(0),
        })
    }
}

/// A length of `u32::MAX` stands for an absent field in the version [`LONG`].
const ABSENT: u32 = u32::MAX;

pub(crate) fn encode(fields: &[Option<&Arc<str>>]) -> Vec<u8> {
    let payload: usize = fields.iter().map(|field| field.map_or(0, |text| text.len())).sum();
    let mut out = Vec::with_capacity(1 + fields.len() * 3 + payload);
    out.push(VERSION);
    let written = fields.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    for field in fields.iter().take(written) {
        match field {
            None => put_number(&mut out, 0),
            Some(text) => match uuid(text) {
                Some(uuid) => {
                    put_number(&mut out, 2 * UUID_BYTES as u64 + 2);
                    out.extend_from_slice(uuid.as_bytes());
                }
                None => {
                    put_number(&mut out, 2 * text.len() as u64 + 1);
                    out.extend_from_slice(text.as_bytes());
                }
            },
        }
    }
    out
}

const UUID_BYTES: usize = 16;

/// The UUID that is written exactly so.
fn uuid(text: &str) -> Option<Uuid> {
    let uuid = Some(text).filter(|text| text.len() == Hyphenated::LENGTH)?.parse::<Uuid>().ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) struct Fields<'a> {
    version: u8,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Fields<'a>, RecordError> {
        match bytes.split_first() {
            Some((version @ (&LONG | &VERSION), rest)) => Ok(Fields { version: *version, rest }),
            Some(_) => Err(RecordError("written by another version")),
            None => Err(RecordError("empty")),
        }
    }

    pub fn next(&mut self) -> Result<Option<Arc<str>>, RecordError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (length, is_uuid) = match self.version {
            LONG => match u32::from_le_bytes(self.array()?) {
                ABSENT => return Ok(None),
                length => (length as usize, false),
            },
            _ => match self.length()?.checked_sub(1) {
                None => return Ok(None),
                Some(number) => {
                    let length = usize::try_from(number / 2).map_err(|_| RecordError("cut short"))?;
                    (length, number % 2 == 1)
                }
            },
        };
        if is_uuid && length != UUID_BYTES {
            return Err(RecordError("not a UUID"));
        }
        if is_uuid {
            let uuid = Uuid::from_bytes(self.array()?);
            return Ok(Some((&*uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer())).into()));
        }
        let (text, rest) = self.rest.split_at_checked(length).ok_or(RecordError("cut short"))?;
        self.rest = rest;
        Ok(Some(std::str::from_utf8(text).map_err(|_| RecordError("not UTF-8"))?.into()))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(RecordError("cut short"))?;
        self.rest = rest;
        Ok(*array)
    }

    /// A number as [`put_number`] writes it.
    fn length(&mut self) -> Result<u64, RecordError> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let [group] = self.array()?;
            number |= u64::from(group & 0x7f) << shift;
            if group < 0x80 {
                return Ok(number);
            }
        }
        Err(RecordError("a length without an end"))
    }

    /// A field that every record has; `missing` says so.
    pub fn needed(&mut self, missing: &'static str) -> Result<Arc<str>, RecordError> {
        self.next()?.ok_or(RecordError(missing))
    }

    /// What is written as text.
    pub fn number<T: FromStr>(&mut self) -> Result<Option<T>, RecordError> {
        let text = self.next()?;
        text.map(|text| text.parse().map_err(|_| RecordError("not a number"))).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_read() {
        let head = Head {
            input: "{}".into(),
            revision_id: "0b0e5b6c-3a54-4e6f-8f0e-6a1d2c3b4a59".into(),
            role_arn: "role".into(),
            behaviour: Some(1),
            ..Head::default()
        };
        let absent = [0xff; 4];
        let first = [
            b"\x01\x02\0\0\0{}\x24\0\0\x000b0e5b6c-3a54-4e6f-8f0e-6a1d2c3b4a59\x04\0\0\0role".as_slice(),
            &absent.repeat(6),
            b"\x01\0\0\x001",
        ];
        let second: [&[u8]; 2] = [
            b"\x02\x05{}\x22\x0b\x0e\x5b\x6c\x3a\x54\x4e\x6f\x8f\x0e\x6a\x1d\x2c\x3b\x4a\x59\x09role",
            b"\0\0\0\0\0\0\x031",
        ];
        assert_eq!(Head::decode(&first.concat()), Ok(head.clone()));
        assert_eq!(Head::decode(&second.concat()), Ok(head.clone()));
        assert_eq!(head.encode(), second.concat());
    }

    #[test]
    fn texts_of_every_length_come_back() {
        let uuid = "0b0e5b6c-3a54-4e6f-8f0e-6a1d2c3b4a59";
        let texts = [0, 1, 15, 16, 36, 62, 63, 64, 8_191, 8_192, 300_000].map(|length| "x".repeat(length));
        let others = [uuid.to_owned(), uuid.to_uppercase(), uuid.replace('-', ""), uuid.replace('-', "0")];
        for text in texts.into_iter().chain(others) {
            let bytes = encode(&[None, Some(&text.as_str().into()), Some(&"after".into()), None]);
            let mut fields = Fields::new(&bytes).expect("a version");
            let read: Vec<_> = (0..5).map(|_| fields.next().expect("a field")).collect();
            assert_eq!(read, [None, Some(text.as_str().into()), Some("after".into()), None, None]);
        }
        for damaged in [b"\x02\xff".as_slice(), &[0xff; 20], b"\x02\x04xxxx", b"\x02\x22short"] {
            assert!(Fields::new(damaged).and_then(|mut fields| fields.next()).is_err(), "{damaged:?}");
        }
        assert!(
            Fields::new(&[[2].as_slice(), &[0xff; 20]].concat())
                .and_then(|mut fields| fields.next())
                .is_err()
        );
    }

    #[test]
    fn both_ways_and_damaged() {
        let head = Head {
            input: r#"{"a": 1}"#.into(),
            revision_id: "r".into(),
            trace_header: Some("t".into()),
            processor: Some(Processor { flow: 3, kind: ExecutionKind::Express }),
            behaviour: Some(BehaviourFlags::CURRENT.number()),
            ..Head::default()
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Ok(head));
        for cut in 1..bytes.len() {
            // A cut between fields reads as absent fields, any other is refused; nothing panics.
            let _ = Head::decode(&bytes[..cut]);
        }
        let first = Head { behaviour: None, ..Head::default() };
        assert_eq!(first.flags(), Ok(BehaviourFlags::FIRST));
        let later = Head { behaviour: Some(BehaviourFlags::CURRENT.number() + 1), ..Head::default() };
        assert!(Head::decode(&later.encode()).expect("it can be listed and described").flags().is_err());
        assert!(Head::decode(&[]).is_err());
        assert_eq!(Head::decode(&[9, 0, 0]), Err(RecordError("written by another version")));
        assert_eq!(Tail::decode(&[]), Ok(Tail::default()));
        let tail = Tail { error: Some("E".into()), ..Tail::default() };
        assert_eq!(Tail::decode(&tail.encode()), Ok(tail));
        let tail = Tail { history_len: 9, ..Tail::default() };
        assert_eq!(Tail::decode(&tail.encode()), Ok(tail));
        let older = encode(&[None, Some(&"E".into()), None]);
        assert_eq!(Tail::decode(&older), Ok(Tail { error: Some("E".into()), ..Tail::default() }));
    }
}
