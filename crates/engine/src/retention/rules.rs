//! How long executions are kept after their end: as it is written in the configuration file, and compiled.

use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;

use crate::glob::Glob;

/// AWS keeps the executions of STANDARD state machines for 90 days (quotas of Step Functions, "Execution history retention time").
const KEEP_MS: i64 = 90 * DAY_MS;

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * SECOND_MS;
/// A hundred years.
const KEEP_MS_MAX: i64 = 36_525 * DAY_MS;

/// Rules that there can be.
const RULES_MAX: usize = 1_000;

/// The section `[retention]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionDefinition {
    /// For all machines without a rule: a number with `s`, `m`, `h` or `d` behind it, or `forever`. 90 days if it is not said.
    #[serde(default)]
    pub keep: Option<String>,
    /// The first that fits a machine decides.
    #[serde(default)]
    pub rules: Vec<RuleDefinition>,
}

/// `[[retention.rules]]`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDefinition {
    /// A pattern (`*`, `?`) for the name or the ARN of a state machine.
    #[serde(default)]
    pub state_machine: Option<String>,
    /// A tag that the state machine has: `key`, or `key=value`.
    #[serde(default)]
    pub tag: Option<String>,
    pub keep: String,
}

/// Why the section cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RetentionError {
    #[error(
        "keep = {0:?}: say a number and a unit, as in \"90d\", \"12h\", \"30m\" or \"10s\", at most 36525d; or \"forever\""
    )]
    Period(String),
    #[error("rule {0}: say whom it concerns, with state_machine, tag, or both")]
    Nobody(usize),
    #[error("there are {0} rules, and at most {RULES_MAX} are possible")]
    TooMany(usize),
}

/// How long executions are kept, ready for use.
#[derive(Debug)]
pub struct Retention {
    keep: Keep,
    rules: Vec<Rule>,
}

/// Milliseconds; `None`: for ever.
type Keep = Option<i64>;

#[derive(Debug)]
struct Rule {
    machine: Option<Glob>,
    tag: Option<(String, Option<String>)>,
    keep: Keep,
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { keep: Some(KEEP_MS), rules: Vec::new() }
    }
}

impl Retention {
    /// Nothing is forgotten while its machine is there.
    pub fn forever() -> Retention {
        Retention { keep: None, rules: Vec::new() }
    }

    pub fn compile(definition: RetentionDefinition) -> Result<Retention, RetentionError> {
        if definition.rules.len() > RULES_MAX {
            return Err(RetentionError::TooMany(definition.rules.len()));
        }
        let keep = definition.keep.map_or(Ok(Some(KEEP_MS)), |text| period(&text))?;
        let rules = (1..).zip(definition.rules).map(|(number, rule)| Rule::compile(number, rule));
        Ok(Retention { keep, rules: rules.collect::<Result<_, _>>()? })
    }

    /// How many milliseconds after their end executions of the machine are kept; `None`: for ever.
    pub fn keep_ms(&self, machine_arn: &str, tags: &[(Arc<str>, Arc<str>)]) -> Option<i64> {
        let name = machine_arn.rsplit(':').next().unwrap_or(machine_arn);
        let rule = self.rules.iter().find(|rule| rule.concerns(machine_arn, name, tags));
        rule.map_or(self.keep, |rule| rule.keep)
    }

    /// The shortest time that anything is kept; `None`: for ever.
    pub fn shortest_ms(&self) -> Option<i64> {
        self.rules.iter().map(|rule| rule.keep).chain([self.keep]).flatten().min()
    }
}

impl Rule {
    fn compile(number: usize, rule: RuleDefinition) -> Result<Rule, RetentionError> {
        if rule.state_machine.is_none() && rule.tag.is_none() {
            return Err(RetentionError::Nobody(number));
        }
        let tag = rule.tag.map(|tag| match tag.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (tag, None),
        });
        Ok(Rule { machine: rule.state_machine.as_deref().map(Glob::new), tag, keep: period(&rule.keep)? })
    }

    fn concerns(&self, arn: &str, name: &str, tags: &[(Arc<str>, Arc<str>)]) -> bool {
        let has = |(key, value): &(String, Option<String>)| {
            tags.iter().any(|(has, is)| **has == **key && value.as_ref().is_none_or(|value| **is == **value))
        };
        self.machine.as_ref().is_none_or(|glob| glob.matches(arn) || glob.matches(name))
            && self.tag.as_ref().is_none_or(has)
    }
}

fn period(text: &str) -> Result<Keep, RetentionError> {
    if text == "forever" {
        return Ok(None);
    }
    let unit_ms = match text.bytes().last() {
        Some(b's') => SECOND_MS,
        Some(b'm') => 60 * SECOND_MS,
        Some(b'h') => 60 * 60 * SECOND_MS,
        Some(b'd') => DAY_MS,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1)).filter(|number| !number.starts_with('+'));
    let number = number.and_then(|number| number.parse::<u32>().ok()).filter(|number| *number > 0);
    let keep_ms = number.map(|number| i64::from(number) * unit_ms);
    let keep_ms = keep_ms.filter(|keep_ms| (1..=KEEP_MS_MAX).contains(keep_ms));
    keep_ms.map(Some).ok_or_else(|| RetentionError::Period(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(state_machine: Option<&str>, tag: Option<&str>, keep: &str) -> RuleDefinition {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        RuleDefinition { state_machine: owned(state_machine), tag: owned(tag), keep: keep.to_owned() }
    }

    #[test]
    fn periods() {
        for (text, expected) in [
            ("90d", Some(Some(90 * DAY_MS))),
            ("12h", Some(Some(DAY_MS / 2))),
            ("30m", Some(Some(1_800_000))),
            ("1s", Some(Some(1_000))),
            ("forever", Some(None)),
            ("36525d", Some(Some(KEEP_MS_MAX))),
            ("36526d", None),
            ("0d", None),
            ("-1d", None),
            ("+1d", None),
            ("90", None),
            ("d", None),
            ("", None),
            ("1.5d", None),
            ("1 d", None),
            ("1é", None),
        ] {
            assert_eq!(period(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let definition = RetentionDefinition {
            keep: None,
            rules: vec![
                rule(Some("import-*"), Some("stage=test"), "1s"),
                rule(Some("import-*"), None, "2s"),
                rule(None, Some("stage=test"), "3s"),
                rule(None, Some("audited"), "forever"),
                rule(Some("arn:*:exact"), None, "4s"),
            ],
        };
        let retention = Retention::compile(definition).expect("compiles");
        let tag = |key: &str, value: &str| (Arc::from(key), Arc::from(value));
        let arn = |name: &str| format!("arn:aws:states:us-east-1:123456789012:stateMachine:{name}");
        for (name, tags, expected) in [
            ("import-a", vec![tag("x", "y"), tag("stage", "test")], Some(1_000)),
            ("import-a", vec![tag("stage", "live")], Some(2_000)),
            ("other", vec![tag("stage", "test"), tag("audited", "yes")], Some(3_000)),
            ("other", vec![tag("audited", "")], None),
            ("exact", vec![], Some(4_000)),
            ("other", vec![], Some(KEEP_MS)),
        ] {
            assert_eq!(retention.keep_ms(&arn(name), &tags), expected, "{name} {tags:?}");
        }
        assert_eq!(retention.shortest_ms(), Some(1_000));
        assert_eq!(Retention::forever().shortest_ms(), None);
    }

    #[test]
    fn what_is_refused() {
        let refused =
            |rules: Vec<RuleDefinition>| Retention::compile(RetentionDefinition { keep: None, rules }).err();
        assert_eq!(
            refused(vec![rule(None, Some("a"), "1d"), rule(None, None, "1d")]),
            Some(RetentionError::Nobody(2))
        );
        assert_eq!(refused(vec![rule(Some("a"), None, "soon")]), Some(RetentionError::Period("soon".into())));
        assert_eq!(refused(vec![rule(Some("a"), None, "1d"); 1_001]), Some(RetentionError::TooMany(1_001)));
    }
}
