//! What a limit is: as it is written down, and compiled.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stepwright_formats::catalog as format;
use stepwright_jsonata::Expression;
use thiserror::Error;

use crate::glob::Glob;

/// A limit as it is written in the configuration file or sent to the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDefinition {
    /// Unique.
    pub name: String,
    /// Concerns tasks: a pattern (`*`, `?`) for the resource, or for the ARN or name of the Lambda function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Concerns executions: a pattern for the ARN or name of the state machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_machine: Option<String>,
    /// A JSONata expression `{% … %}` over `$states` (`input`, `context`, and of tasks `arguments`): each of its values is
    /// limited by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// At a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Starts in a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// At most `count` starts in any window of `per_s` seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub count: u32,
    pub per_s: u32,
}

impl From<format::Limit> for LimitDefinition {
    fn from(stored: format::Limit) -> LimitDefinition {
        let format::Limit { name, task, state_machine, key, concurrency, rate } = stored;
        let rate = rate.map(|format::Rate { count, per_s }| Rate { count, per_s });
        LimitDefinition { name, task, state_machine, key, concurrency, rate }
    }
}

impl From<LimitDefinition> for format::Limit {
    fn from(definition: LimitDefinition) -> format::Limit {
        let LimitDefinition { name, task, state_machine, key, concurrency, rate } = definition;
        let rate = rate.map(|Rate { count, per_s }| format::Rate { count, per_s });
        format::Limit { name, task, state_machine, key, concurrency, rate }
    }
}

/// Why a limit cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum LimitError {
    #[error("the limit's name {0:?} has to be 1 to {NAME_BYTES_MAX} letters, digits, '-', '_' or '.'")]
    Name(String),
    #[error("limit {0}: say what it concerns, with either task or state_machine")]
    Target(String),
    #[error("limit {0}: say how much is allowed, with concurrency, rate, or both")]
    Nothing(String),
    #[error("limit {0}: concurrency, rate.count and rate.per_s have to be 1 or more")]
    Zero(String),
    #[error("limit {0}: the key has to be a JSONata expression between {{% and %}}")]
    NoExpression(String),
    #[error("limit {0}: the key cannot be compiled: {1}")]
    Key(String, String),
    #[error("limit {0} is there twice")]
    Twice(String),
}

const NAME_BYTES_MAX: usize = 80;

/// A limit, ready for use.
#[derive(Debug)]
pub struct Limit {
    pub definition: LimitDefinition,
    pub(super) name: Arc<str>,
    pub(super) concerns: Concerns,
    pub(super) key: Option<Expression>,
}

/// Whom a limit concerns.
#[derive(Debug)]
pub(super) enum Concerns {
    Tasks(Glob),
    Executions(Glob),
}

impl Limit {
    pub fn compile(definition: LimitDefinition) -> Result<Limit, LimitError> {
        let name = definition.name.clone();
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(is_letter) {
            return Err(LimitError::Name(name));
        }
        let concerns = match (&definition.task, &definition.state_machine) {
            (Some(task), None) => Concerns::Tasks(Glob::new(task)),
            (None, Some(machine)) => Concerns::Executions(Glob::new(machine)),
            _ => return Err(LimitError::Target(name)),
        };
        let counts = [definition.concurrency, definition.rate.map(|rate| rate.count.min(rate.per_s))];
        if counts == [None, None] {
            return Err(LimitError::Nothing(name));
        }
        if counts.contains(&Some(0)) {
            return Err(LimitError::Zero(name));
        }
        let key = match &definition.key {
            None => None,
            Some(text) => {
                let inner = text.trim().strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
                let source = inner.ok_or_else(|| LimitError::NoExpression(name.clone()))?;
                let compiled = Expression::compile(source.trim());
                Some(compiled.map_err(|error| LimitError::Key(name.clone(), error.message))?)
            }
        };
        Ok(Limit { definition, name: name.into(), concerns, key })
    }

    /// All of them; names are unique.
    pub fn compile_all(definitions: Vec<LimitDefinition>) -> Result<Vec<Limit>, LimitError> {
        let mut limits: Vec<Limit> = Vec::with_capacity(definitions.len());
        for definition in definitions {
            if limits.iter().any(|limit| *limit.name == *definition.name) {
                return Err(LimitError::Twice(definition.name));
            }
            limits.push(Limit::compile(definition)?);
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        let table = [
            (r#"{"name":"a","task":"*","concurrency":1}"#, None),
            (
                r#"{"name":"a","state_machine":"*","rate":{"count":1,"per_s":60},"key":"{% $states.input.c %}"}"#,
                None,
            ),
            (r#"{"name":"a b","task":"*","concurrency":1}"#, Some(LimitError::Name("a b".into()))),
            (r#"{"name":"a","concurrency":1}"#, Some(LimitError::Target("a".into()))),
            (
                r#"{"name":"a","task":"*","state_machine":"*","concurrency":1}"#,
                Some(LimitError::Target("a".into())),
            ),
            (r#"{"name":"a","task":"*"}"#, Some(LimitError::Nothing("a".into()))),
            (r#"{"name":"a","task":"*","concurrency":0}"#, Some(LimitError::Zero("a".into()))),
            (r#"{"name":"a","task":"*","rate":{"count":5,"per_s":0}}"#, Some(LimitError::Zero("a".into()))),
            (
                r#"{"name":"a","task":"*","concurrency":1,"key":"customer"}"#,
                Some(LimitError::NoExpression("a".into())),
            ),
        ];
        for (text, expected) in table {
            let definition: LimitDefinition = serde_json::from_str(text).expect(text);
            let written = serde_json::to_string(&definition).expect("JSON");
            assert_eq!(serde_json::from_str::<LimitDefinition>(&written).expect("JSON"), definition);
            assert_eq!(Limit::compile(definition).err(), expected, "{text}");
        }
        let key: LimitDefinition =
            serde_json::from_str(r#"{"name":"a","task":"*","concurrency":1,"key":"{% $states. %}"}"#)
                .expect("JSON");
        assert!(matches!(Limit::compile(key.clone()), Err(LimitError::Key(..))));
        let twice = LimitDefinition { key: None, ..key };
        assert_eq!(Limit::compile_all(vec![twice.clone(), twice]).err(), Some(LimitError::Twice("a".into())));
    }
}
