//! What has happened, in the terms of somebody who watches an execution.

use std::sync::Arc;

use stepwright_machine::Failure;
use stepwright_value::Value;

use super::duration;
use crate::row::clean;

/// Something that has happened to a state.
#[derive(Clone, PartialEq, Debug)]
pub struct News {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The state, with the Parallel and Map states around it: `ChargeAll[3] > Charge`.
    pub place: String,
    pub what: What,
}

#[derive(Clone, PartialEq, Debug)]
pub enum What {
    Entered {
        kind: &'static str,
        target: Option<String>,
    },
    /// It went well; `next` is told of a Choice.
    Exited {
        took_ms: i64,
        next: Option<Arc<str>>,
    },
    /// It failed, and a catcher leads to `next`.
    Caught {
        took_ms: i64,
        failure: Option<Failure>,
        next: Option<Arc<str>>,
    },
    Failed {
        took_ms: i64,
        failure: Option<Failure>,
    },
    Aborted {
        took_ms: i64,
    },
    Retrying {
        number: u32,
        of: i64,
        delay_ms: i64,
        failure: Option<Failure>,
    },
    Waiting {
        ms: i64,
    },
    /// Something that the user should know.
    Notice {
        text: String,
    },
}

impl News {
    /// One line: time since the start, what, where, more. The first three columns are stable.
    pub fn line(&self, start_ms: i64) -> String {
        let time = duration::since(self.at_ms.saturating_sub(start_ms));
        let place = clean(&self.place);
        let (verb, more) = self.what.told();
        format!("{time:>9}  {verb:<7} {place}{}", clean(&more))
    }
}

impl What {
    /// The verb, and what follows the place.
    fn told(&self) -> (&'static str, String) {
        let took = |ms: i64| duration::short(ms);
        let why = |failure: &Option<Failure>| failure.as_ref().map(|it| format!(": {}", brief(it)));
        match self {
            What::Entered { kind, target: None } => ("enter", format!(" ({kind})")),
            What::Entered { kind, target: Some(target) } => ("enter", format!(" ({kind}, {target})")),
            What::Exited { took_ms, next: None } => ("exit", format!(" after {}", took(*took_ms))),
            What::Exited { took_ms, next: Some(next) } => {
                ("exit", format!(" after {}, next {next}", took(*took_ms)))
            }
            What::Caught { took_ms, failure, next } => {
                let next = next.as_ref().map(|next| format!(", next {next}")).unwrap_or_default();
                ("catch", format!(" after {}{next}{}", took(*took_ms), why(failure).unwrap_or_default()))
            }
            What::Failed { took_ms, failure } => {
                ("fail", format!(" after {}{}", took(*took_ms), why(failure).unwrap_or_default()))
            }
            What::Aborted { took_ms } => ("abort", format!(" after {}", took(*took_ms))),
            What::Retrying { number, of, delay_ms, failure } => {
                let delay = duration::short(*delay_ms);
                ("retry", format!(" {number} of {of} in {delay}{}", why(failure).unwrap_or_default()))
            }
            What::Waiting { ms } => ("wait", format!(" for {}", duration::short(*ms))),
            What::Notice { text } => ("note", format!(" {text}")),
        }
    }
}

/// Error and cause on one line. Of the causes of Lambda functions, which are JSON, the message.
pub fn brief(failure: &Failure) -> String {
    let cause = failure.cause.as_deref().map(message_of).unwrap_or_default();
    let cause = cause.trim().lines().next().unwrap_or_default().to_owned();
    match (failure.name(), cause.as_str()) {
        ("", "") => "no error name".to_owned(),
        ("", cause) => cause.to_owned(),
        (error, "") => error.to_owned(),
        (error, cause) => format!("{error}: {cause}"),
    }
}

/// `errorMessage`, when the cause is the JSON with which a Lambda function fails.
fn message_of(cause: &str) -> String {
    let message = |value: Value| value.get("errorMessage").and_then(Value::as_str).map(str::to_owned);
    let is_object = cause.trim_start().starts_with('{');
    let found = if is_object { stepwright_value::read(cause).ok().and_then(message) } else { None };
    found.unwrap_or_else(|| cause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_on_one_line() {
        let table = [
            (Failure::default(), "no error name"),
            (Failure::new("E", ""), "E"),
            (Failure::new("E", "first\nsecond"), "E: first"),
            (Failure { error: None, cause: Some("c".into()) }, "c"),
            (Failure::new("E", r#"{"errorMessage":"no money","errorType":"E"}"#), "E: no money"),
            (Failure::new("E", r#"{"other":1}"#), r#"E: {"other":1}"#),
            (Failure::new("E", "{broken"), "E: {broken"),
        ];
        for (failure, expected) in table {
            assert_eq!(brief(&failure), expected);
        }
    }

    #[test]
    fn lines() {
        let failure = Some(Failure::new("E", "c"));
        let next: Option<Arc<str>> = Some("Next".into());
        let table = [
            (What::Entered { kind: "Pass", target: None }, "  +1.500s  enter   A (Pass)"),
            (
                What::Entered { kind: "Task", target: Some("lambda f".into()) },
                "  +1.500s  enter   A (Task, lambda f)",
            ),
            (What::Exited { took_ms: 20, next: None }, "  +1.500s  exit    A after 20 ms"),
            (What::Exited { took_ms: 20, next: next.clone() }, "  +1.500s  exit    A after 20 ms, next Next"),
            (
                What::Caught { took_ms: 20, failure: failure.clone(), next },
                "  +1.500s  catch   A after 20 ms, next Next: E: c",
            ),
            (
                What::Failed { took_ms: 20, failure: failure.clone() },
                "  +1.500s  fail    A after 20 ms: E: c",
            ),
            (What::Aborted { took_ms: 20 }, "  +1.500s  abort   A after 20 ms"),
            (
                What::Retrying { number: 1, of: 3, delay_ms: 2000, failure },
                "  +1.500s  retry   A 1 of 3 in 2.0 s: E: c",
            ),
            (What::Waiting { ms: 60_000 }, "  +1.500s  wait    A for 1 m 00 s"),
            (What::Notice { text: "mind this".to_owned() }, "  +1.500s  note    A mind this"),
        ];
        for (what, expected) in table {
            let news = News { at_ms: 2_500, place: "A".to_owned(), what };
            assert_eq!(news.line(1_000), expected);
        }
    }
}
