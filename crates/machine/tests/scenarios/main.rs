//! Whole executions as tables: definition, input and answers of tasks on one side, the history in short lines on the other.
//!
//! Every scenario runs stepwise (and each step is replayed through the codec), and again with the execution thrown away and
//! rebuilt from its stored events after every step, and in pieces of one state that are interrupted first.

mod budget;
mod damage;
mod end;
mod errors;
mod flow;
#[path = "../harness/mod.rs"]
mod harness;
mod hooks;
mod lines;
mod map;
mod measured;
mod redrive;
mod tasks;

use std::collections::VecDeque;

use harness::{Mode, World};
use stepwright_machine::{ExecutionKind, Input, TaskCall, TaskPhase};
use stepwright_value::Document;

/// How the outside world answers the calls of a task state, in order.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Succeeds at once with this JSON.
    Ok(&'static str),
    /// Succeeds after so many milliseconds.
    Late(i64, &'static str),
    /// Fails with error and cause.
    Fail(&'static str, &'static str),
    /// Is submitted (`.sync`, `.waitForTaskToken`) with this JSON, and no more.
    Submitted(&'static str),
    /// Never answers.
    Never,
}

/// A scenario: what is run, and with which answers.
#[derive(Clone, Copy)]
pub struct Scenario<'a> {
    pub definition: &'a str,
    pub input: &'a str,
    /// By state name, in order.
    pub replies: &'a [(&'static str, Reply)],
    /// What comes from outside while nothing else happens, in order.
    pub inputs: &'a [Input],
}

impl Default for Scenario<'_> {
    fn default() -> Self {
        Scenario { definition: "", input: "{}", replies: &[], inputs: &[] }
    }
}

/// A definition and its input, without tasks.
pub fn plain<'a>(definition: &'a str, input: &'a str) -> Scenario<'a> {
    Scenario { definition, input, ..Scenario::default() }
}

/// Runs the scenario in all ways and compares the history's lines.
#[track_caller]
pub fn check(scenario: Scenario<'_>, expected: &[&str]) {
    for mode in [Mode::Stepwise, Mode::CrashAfterEachStep, Mode::InPieces, Mode::Debugged] {
        let world = run(scenario, mode);
        let found: Vec<String> = lines::of(&world);
        assert_eq!(found, expected, "{mode:?}\nfound:\n    {}", quoted(&found));
    }
}

/// Runs the scenario and returns the world after it.
pub fn run(scenario: Scenario<'_>, mode: Mode) -> World {
    let program = harness::compile(scenario.definition).expect("definition");
    let identity = harness::identity(scenario.input, ExecutionKind::Standard);
    let mut world = World::new(program, identity, mode);
    let mut replies: VecDeque<(&str, Reply)> = scenario.replies.iter().copied().collect();
    let mut answers = |call: &TaskCall| {
        let at = replies.iter().position(|(state, _)| *state == &*call.state_name);
        at.and_then(|at| replies.remove(at)).map_or_else(Vec::new, |(_, reply)| answer(call, reply))
    };
    world.run(&mut answers);
    for input in scenario.inputs {
        world.step(input.clone(), &mut answers);
        world.run_on(&mut answers);
    }
    world
}

fn answer(call: &TaskCall, reply: Reply) -> Vec<(i64, Input)> {
    let task = call.task;
    let document = |text: &str| Document::parse(text).expect("reply");
    match reply {
        Reply::Ok(output) => vec![(0, Input::TaskSucceeded { task, output: document(output) })],
        Reply::Late(delay_ms, output) => {
            vec![(delay_ms, Input::TaskSucceeded { task, output: document(output) })]
        }
        Reply::Fail(error, cause) => {
            let (error, cause) = (error.into(), Some(cause.into()));
            vec![(0, Input::TaskFailed { task, error, cause, phase: TaskPhase::Run })]
        }
        Reply::Submitted(output) => vec![(0, Input::TaskSubmitted { task, output: document(output) })],
        Reply::Never => vec![],
    }
}

fn quoted(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line:?},")).collect::<Vec<_>>().join("\n    ")
}
