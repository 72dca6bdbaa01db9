//! What the engine writes into an execution's row: [`Head`] at the start, [`Tail`] at the end.
//!
//! Fields in a fixed order, each with its length; a version byte in front. New fields are added at the end, and an older
//! record reads as if they were empty.

use std::fmt::{Display, Formatter};
use std::str::FromStr;
use std::sync::Arc;

use stepwright_machine::{BehaviourFlags, ExecutionKind, UnknownBehaviour};
use thiserror::Error;

const VERSION: u8 = 1;

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

/// A length of `u32::MAX` stands for an absent field.
const ABSENT: u32 = u32::MAX;

pub(crate) fn encode(fields: &[Option<&Arc<str>>]) -> Vec<u8> {
    let payload: usize = fields.iter().map(|field| field.map_or(0, |text| text.len())).sum();
    let mut out = Vec::with_capacity(1 + fields.len() * 4 + payload);
    out.push(VERSION);
    for field in fields {
        match field {
            // Payloads are far below 4 GiB: the API refuses bodies over 1 MB.
            Some(text) => {
                out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(ABSENT - 1).to_le_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            None => out.extend_from_slice(&ABSENT.to_le_bytes()),
        }
    }
    out
}

pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Fields<'a>, RecordError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Fields(rest)),
            Some(_) => Err(RecordError("written by another version")),
            None => Err(RecordError("empty")),
        }
    }

    pub fn next(&mut self) -> Result<Option<Arc<str>>, RecordError> {
        let Some((length, rest)) = self.0.split_first_chunk::<4>() else {
            return if self.0.is_empty() { Ok(None) } else { Err(RecordError("cut short")) };
        };
        self.0 = rest;
        let length = u32::from_le_bytes(*length);
        if length == ABSENT {
            return Ok(None);
        }
        let (text, rest) = rest.split_at_checked(length as usize).ok_or(RecordError("cut short"))?;
        self.0 = rest;
        Ok(Some(std::str::from_utf8(text).map_err(|_| RecordError("not UTF-8"))?.into()))
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
        assert!(Head::decode(&[9, 0, 0]).is_err());
        assert_eq!(Tail::decode(&[]), Ok(Tail::default()));
        let tail = Tail { error: Some("E".into()), ..Tail::default() };
        assert_eq!(Tail::decode(&tail.encode()), Ok(tail));
        let tail = Tail { history_len: 9, ..Tail::default() };
        assert_eq!(Tail::decode(&tail.encode()), Ok(tail));
        let older = encode(&[None, Some(&"E".into()), None]);
        assert_eq!(Tail::decode(&older), Ok(Tail { error: Some("E".into()), ..Tail::default() }));
    }
}
