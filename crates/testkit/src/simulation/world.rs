//! What outlives the process: who was told what, which answers are owed, and what must therefore be found at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwright_machine::{TaskId, TaskToken};
use stepwright_store::Status;
use stepwright_value::Document;

use crate::dice::Dice;
use crate::machines::Machine;
use crate::simulation::shared::Shared;

/// Everything outside the process.
pub struct World {
    pub machines: Vec<Machine>,
    /// The limits that executions share.
    pub shared: Shared,
    state: Mutex<State>,
}

/// Of an execution: its machine's ARN and its name.
pub type Name = (Arc<str>, Arc<str>);

#[derive(Default)]
pub struct Known {
    /// Input and start of an execution that was acknowledged.
    pub started: Option<(Arc<str>, i64)>,
    /// Somebody has asked, perhaps in vain, to stop it.
    pub may_be_stopped: bool,
    /// A stop was acknowledged.
    pub stopped: bool,
    /// Somebody has asked, perhaps in vain, to redrive it: an end without success need not be the last.
    pub may_be_redriven: bool,
    /// An end that somebody was told of.
    pub ended: Option<(Status, Option<Arc<str>>)>,
}

/// How a task is answered by somebody who holds its token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    Success(String),
    Failure(&'static str),
}

/// A token that somebody outside holds.
#[derive(Clone, Debug)]
pub struct Held {
    pub heartbeats: u32,
    pub pause_ms: u64,
    /// `None`: the holder disappears.
    pub reply: Option<Reply>,
    /// The engine has taken the reply.
    pub accepted: bool,
    /// No more is to come.
    pub settled: bool,
}

/// A redrive that somebody has asked for.
#[derive(Clone, Debug)]
pub struct Redrive {
    pub execution: Name,
    /// What the engine has answered: milliseconds since 1970.
    pub at_ms: Option<i64>,
    /// It was refused, or is not asked for any more.
    pub settled: bool,
}

pub struct State {
    pub dice: Dice,
    pub executions: BTreeMap<Name, Known>,
    pub tokens: BTreeMap<String, Held>,
    /// By idempotency token: execution, state, parameters.
    pub calls: BTreeMap<String, (String, String, String)>,
    /// Numbers of the answers that functions have given.
    pub answers: BTreeSet<u64>,
    pub next_answer: u64,
    pub next_name: u64,
    /// By client token.
    pub redrives: BTreeMap<String, Redrive>,
    /// How children of map runs have ended.
    pub children: BTreeMap<Name, (Status, Vec<u8>)>,
    /// When heartbeats were sent that the engine has taken. By token.
    pub heartbeats: BTreeMap<String, Vec<i64>>,
    /// How many may have a place at each limit, at most.
    pub allowed: BTreeMap<String, usize>,
    trace: Trace,
    violation: Option<String>,
}

struct Trace {
    hash: std::hash::DefaultHasher,
    entries: u64,
    /// What happened, when somebody wants to read it.
    lines: Option<Vec<String>>,
}

impl World {
    pub fn new(machines: Vec<Machine>, shared: Shared, dice: Dice, verbose: bool) -> Arc<World> {
        let trace = Trace { hash: Default::default(), entries: 0, lines: verbose.then(Vec::new) };
        let state = State {
            dice,
            executions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            calls: BTreeMap::new(),
            answers: BTreeSet::new(),
            next_answer: 1,
            next_name: 1,
            redrives: BTreeMap::new(),
            children: BTreeMap::new(),
            heartbeats: BTreeMap::new(),
            allowed: shared.allowed(),
            trace,
            violation: None,
        };
        Arc::new(World { machines, shared, state: Mutex::new(state) })
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what happened.
    pub fn note(&self, now_ms: i64, what: std::fmt::Arguments<'_>) {
        let mut line = String::new();
        let _ = write!(line, "{:>9} {what}", now_ms - super::ORIGIN_MS);
        let trace = &mut self.lock().trace;
        trace.hash.write(line.as_bytes());
        trace.entries += 1;
        if let Some(lines) = &mut trace.lines {
            lines.push(line);
        }
    }

    /// Whether somebody reads the notes.
    pub fn is_verbose(&self) -> bool {
        self.lock().trace.lines.is_some()
    }

    /// Something is there that must not be. The first one counts.
    pub fn violated(&self, what: impl Into<String>) {
        let what = what.into();
        self.lock().violation.get_or_insert(what);
    }

    pub fn violation(&self) -> Option<String> {
        self.lock().violation.clone()
    }

    /// A number that is equal for equal runs, how much it is made of, and the notes.
    pub fn trace(&self) -> (u64, u64, Vec<String>) {
        let trace = &self.lock().trace;
        (trace.hash.finish(), trace.entries, trace.lines.clone().unwrap_or_default())
    }

    /// A start was acknowledged.
    pub fn started(&self, name: Name, input: &str, start_ms: i64) {
        let mut state = self.lock();
        let known = state.executions.entry(name.clone()).or_default();
        let started = (Arc::from(input), start_ms);
        match &known.started {
            None => known.started = Some(started),
            Some(earlier) if *earlier == started => {}
            Some(earlier) => {
                let what = format!("{} was acknowledged as {earlier:?} and as {started:?}", name.1);
                state.violation.get_or_insert(what);
            }
        }
    }

    /// Somebody was told how an execution stands.
    pub fn described(&self, name: &Name, status: Status, output: Option<Arc<str>>) {
        let mut state = self.lock();
        let known = state.executions.entry(name.clone()).or_default();
        let told = (status != Status::Running).then_some((status, output));
        match (&known.ended, told) {
            (None, told) => known.ended = told,
            (Some(earlier), Some(now)) if *earlier == now => {}
            (Some((status, _)), now) if known.may_be_redriven && *status != Status::Succeeded => {
                known.ended = now;
            }
            (Some(earlier), now) => {
                let what = format!("{} had ended as {earlier:?}, and is now {now:?}", name.1);
                state.violation.get_or_insert(what);
            }
        }
    }

    /// A redrive was answered.
    pub fn redriven(&self, token: &str, at_ms: i64) {
        let mut state = self.lock();
        let Some(redrive) = state.redrives.get_mut(token) else { return };
        let earlier_ms = redrive.at_ms.replace(at_ms);
        if let Some(earlier_ms) = earlier_ms.filter(|earlier_ms| *earlier_ms != at_ms) {
            let what = format!("redrive {token} was answered with {earlier_ms} and with {at_ms}");
            state.violation.get_or_insert(what);
        }
    }

    /// The machines that callers start, and the one that their executions start.
    pub fn all_machines(&self) -> impl Iterator<Item = Machine> {
        self.machines.clone().into_iter().chain([crate::machines::child()])
    }

    /// A target or a worker has got a token: says whether it is new.
    pub fn hold(&self, token: &str, held: Held) -> bool {
        let mut state = self.lock();
        if state.tokens.contains_key(token) {
            return false;
        }
        state.tokens.insert(token.to_owned(), held);
        true
    }

    /// Changes what is known of a token.
    pub fn token<R>(&self, token: &str, change: impl FnOnce(&mut Held) -> R) -> Option<R> {
        self.lock().tokens.get_mut(token).map(change)
    }

    /// The tokens whose holders have more to say.
    pub fn open_tokens(&self) -> Vec<String> {
        let state = self.lock();
        state.tokens.iter().filter(|(_, held)| !held.settled).map(|(token, _)| token.clone()).collect()
    }

    /// The client tokens of redrives that were not answered, and of some that were: their callers ask again.
    pub fn open_redrives(&self) -> Vec<String> {
        let mut state = self.lock();
        let mut open = Vec::new();
        let State { redrives, dice, .. } = &mut *state;
        for (token, redrive) in redrives {
            if !redrive.settled && (redrive.at_ms.is_none() || dice.percent(30)) {
                open.push(token.clone());
            }
        }
        open
    }

    /// Replies that the engine has taken, with the execution (its locator) and the task.
    pub fn accepted(&self) -> Vec<(TaskToken, Reply)> {
        let state = self.lock();
        let accepted = state.tokens.iter().filter(|(_, held)| held.accepted);
        accepted.filter_map(|(token, held)| Some((TaskToken::parse(token)?, held.reply.clone()?))).collect()
    }

    /// When the heartbeats of a task were sent that the engine has taken.
    pub fn heartbeats_of(&self, locator: &str, task: TaskId) -> Vec<i64> {
        let state = self.lock();
        let of_task = |text: &str| {
            TaskToken::parse(text).is_some_and(|token| token.locator == locator && token.task == task)
        };
        let sent = state.heartbeats.iter().filter(|(token, _)| of_task(token));
        sent.flat_map(|(_, sent)| sent.clone()).collect()
    }

    /// A result as functions and workers give it, with a number that no other has.
    pub fn answer(&self, parameters: &Document) -> String {
        let number = |value: &stepwright_value::Value| {
            let n = value.get("n").or_else(|| value.get("Payload")?.get("n"))?;
            n.as_number()?.as_whole_i64()
        };
        let n = number(parameters.value()).unwrap_or_default();
        let mut state = self.lock();
        let answer = state.next_answer;
        state.next_answer += 1;
        state.answers.insert(answer);
        format!(r#"{{"n":{},"answer":{answer}}}"#, n + 1)
    }
}
