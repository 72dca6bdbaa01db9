//! Answers in place of what Task states call: `run --mock STATE=JSON`.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use stepwright_asl::program::Program;
use stepwright_tasks::{
    BoxFuture, Call, CancellationSignal, Failure, Resource, Success, Targets, TaskTarget,
};
use stepwright_value::{Document, Value};

use crate::terminal::Stream;
use crate::{input, suggestions};

/// What states get instead of calling anything, by name; all others call.
pub struct Mocked {
    answers: BTreeMap<String, Answer>,
    targets: Targets,
}

#[derive(Clone)]
enum Answer {
    Result(Document),
    Error { error: String, cause: Option<String> },
}

impl Mocked {
    /// Reads `STATE=JSON`s: the result, or `{"errorOutput": {"error": …, "cause": …}}`. `@FILE` has the JSON in a file.
    pub fn parse(given: &[String], programs: &[&Program], targets: Targets) -> Result<Mocked> {
        let states = programs.iter().flat_map(|program| &program.states);
        let names: Vec<String> = states.map(|state| state.name.to_string()).collect();
        let mut answers = BTreeMap::new();
        for text in given {
            let (state, json) =
                text.split_once('=').ok_or_else(|| anyhow!("--mock {text:?}: it is STATE=JSON"))?;
            if !names.iter().any(|name| name == state) {
                let hint = suggestions::hint(state, names.iter().map(String::as_str));
                return Err(anyhow!("--mock {state}: there is no such state{hint}"));
            }
            let document = input::read_option(&format!("--mock {state}"), json, Stream::Error.ability())
                .map_err(|shown| anyhow!("{}", shown.trim_start_matches("error: ").trim_end()))?;
            answers.insert(state.to_owned(), answer(document));
        }
        Ok(Mocked { answers, targets })
    }

    fn answer(&self, call: &Call) -> Option<Result<Success, Failure>> {
        Some(match self.answers.get(&call.state_name)?.clone() {
            Answer::Result(output) => Ok(Success { output }),
            Answer::Error { error, cause } => Err(Failure { cause, ..Failure::new(error, "") }),
        })
    }
}

fn answer(document: Document) -> Answer {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let only = document.value().as_object().filter(|object| object.len() == 1);
    match only.and_then(|object| object.get("errorOutput")).map(|error| (text(error, "error"), error)) {
        Some((Some(error), output)) => Answer::Error { error, cause: text(output, "cause") },
        _ => Answer::Result(document),
    }
}

impl TaskTarget for Mocked {
    fn call(&self, call: Call, cancel: CancellationSignal) -> BoxFuture<'static, Result<Success, Failure>> {
        match self.answer(&call) {
            Some(answer) => Box::pin(std::future::ready(answer)),
            None => self.targets.call(call, cancel),
        }
    }

    /// The answer of a job that is waited for is what the state gets, too.
    fn await_job(
        &self,
        call: Call,
        submitted: Document,
        cancel: CancellationSignal,
    ) -> BoxFuture<'static, Result<Success, Failure>> {
        match self.answer(&call) {
            Some(answer) => Box::pin(std::future::ready(answer)),
            None => self.targets.await_job(call, submitted, cancel),
        }
    }

    fn stop_job(&self, call: Call, submitted: Option<Document>) -> BoxFuture<'static, Result<(), Failure>> {
        match self.answers.contains_key(&call.state_name) {
            true => Box::pin(std::future::ready(Ok(()))),
            false => self.targets.stop_job(call, submitted),
        }
    }

    fn is_inside(&self, resource: &Resource) -> bool {
        self.targets.is_inside(resource)
    }
}
