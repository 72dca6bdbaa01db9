//! Runs an execution to its end in memory: a clock that jumps to the next timer, tasks that are answered by a function. Every
//! step is checked: replaying all events (through the codec) gives an equal execution.

#![allow(dead_code)]

mod runs;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use stepwright_asl::CompileOptions;
use stepwright_asl::program::Program;
use stepwright_machine::{
    BehaviourFlags, Breakpoints, Budget, Effect, Event, Execution, ExecutionKind, Hold, Hooks, Identity,
    Input, Line, Owner, Point, QueuedActivity, StepError, TaskCall, TaskId, TimerId, Traces, codec, history,
};
use stepwright_types::arn::Account;
use stepwright_value::Document;

pub const START_MS: i64 = 1_730_000_000_000;

/// How the execution is treated between its steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It lives on.
    Stepwise,
    /// After every step it is thrown away and rebuilt from its stored events.
    CrashAfterEachStep,
    /// Each step has a budget of one state, and is interrupted wherever it evaluates something before it is taken.
    InPieces,
    /// A debugger stops it wherever it can, it is thrown away and rebuilt, and let go on.
    Debugged,
}

/// Stops always, and sees to it that what can be looked at is there.
struct Everywhere {
    stops: bool,
}

impl Breakpoints for Everywhere {
    fn owner(&self) -> Owner {
        Owner::Debugger
    }

    fn stop(&mut self, execution: &Execution, line: Line<'_>, _: &Point<'_>) -> Hold {
        assert!(line.context().get("Execution").is_some());
        assert!(execution.lines().any(|other| other.id() == line.id() && other.doing() == line.doing()));
        if self.stops { Hold::Execution } else { Hold::No }
    }
}

/// What a step may use in [`Mode::InPieces`]; elsewhere all that it wants.
struct Piece {
    states_left: Cell<usize>,
    is_interrupted: bool,
}

impl Piece {
    fn of(mode: Mode) -> Piece {
        let states = if mode == Mode::InPieces { 1 } else { usize::MAX };
        Piece { states_left: Cell::new(states), is_interrupted: false }
    }
}

impl Budget for Piece {
    fn has_more(&self) -> bool {
        let left = self.states_left.get();
        self.states_left.set(left.saturating_sub(1));
        left > 0
    }

    fn goes_on(&self) -> bool {
        !self.is_interrupted
    }
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed ^ (*seed >> 29)
}

/// What the outside world does with a task.
pub type Answers<'a> = dyn FnMut(&TaskCall) -> Vec<(i64, Input)> + 'a;

/// An execution and the world around it.
pub struct World {
    pub execution: Execution,
    pub events: Vec<Event>,
    pub queue: Vec<QueuedActivity>,
    pub effects: Vec<Effect>,
    mode: Mode,
    segments: Vec<Vec<u8>>,
    pub now_ms: i64,
    seed: u64,
    timers: BTreeMap<TimerId, i64>,
    /// By due time, then in order.
    inbox: Vec<(i64, Input)>,
}

pub fn compile(definition: &str) -> Result<Arc<Program>, String> {
    let compilation = stepwright_asl::compile(definition, &CompileOptions::default());
    compilation.program.clone().ok_or_else(|| format!("{:?}", compilation.diagnostics))
}

pub fn identity(input: &str, kind: ExecutionKind) -> Identity {
    Identity {
        execution_arn: "arn:aws:states:us-east-1:111111111111:execution:machine:run".into(),
        execution_name: "run".into(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:machine".into(),
        machine_name: "machine".into(),
        role_arn: "arn:aws:iam::111111111111:role/role".into(),
        start_ms: START_MS,
        input: Document::parse(input).expect("input"),
        kind,
        account: Arc::new(Account::new("us-east-1", "111111111111")),
        locator: "machine/run".into(),
    }
}

impl World {
    pub fn new(program: Arc<Program>, identity: Identity, mode: Mode) -> World {
        World::of(Execution::new(program, Arc::new(identity), BehaviourFlags::CURRENT), mode)
    }

    fn of(execution: Execution, mode: Mode) -> World {
        World {
            execution,
            events: Vec::new(),
            queue: Vec::new(),
            effects: Vec::new(),
            mode,
            segments: Vec::new(),
            now_ms: START_MS,
            seed: 42,
            timers: BTreeMap::new(),
            inbox: Vec::new(),
        }
    }

    /// One step, with all that must hold after it.
    pub fn step(&mut self, input: Input, answers: &mut Answers<'_>) {
        self.one_step(input, answers);
        while self.mode == Mode::Debugged && self.execution.is_held_by(Owner::Debugger) {
            self.one_step(Input::Release { owner: Owner::Debugger, line: None }, answers);
        }
    }

    fn one_step(&mut self, input: Input, answers: &mut Answers<'_>) {
        let before = self.execution.clone();
        let interrupted = (self.mode == Mode::InPieces).then(|| {
            let (mut seed, piece) = (self.seed, Piece { is_interrupted: true, ..Piece::of(self.mode) });
            let mut entropy = || random(&mut seed);
            before.clone().step_within(input.clone(), self.now_ms, &mut entropy, &piece)
        });
        let seed = &mut self.seed;
        let mut entropy = || random(seed);
        let piece = Piece::of(self.mode);
        let (mut everywhere, mut traces) =
            (Everywhere { stops: self.mode == Mode::Debugged }, Traces::default());
        let mut hooks = Hooks { budget: &piece, ..Hooks::default() };
        if self.mode != Mode::Stepwise {
            hooks.breakpoints = Some(&mut everywhere);
            hooks.traces = Some(&mut traces);
        }
        let again = input.clone();
        let step = self.execution.step_with(input, self.now_ms, &mut entropy, hooks).expect("legal step");
        if self.mode == Mode::CrashAfterEachStep && !matches!(again, Input::Start) {
            let step_again = before.clone().step(again, self.now_ms, &mut || 7);
            assert_eq!(step_again, Ok(step.clone()), "taken again, the step comes out otherwise");
        }
        match interrupted {
            None | Some(Err(StepError::Interrupted)) => {}
            Some(other) => {
                assert_eq!(other, Ok(step.clone()), "what was to be interrupted did something else")
            }
        }
        self.check_replay(before, &step.events);
        self.events.extend(step.events);
        if matches!(self.mode, Mode::CrashAfterEachStep | Mode::Debugged) {
            self.rebuild();
        }
        for effect in step.effects {
            self.effects.push(effect.clone());
            self.perform(effect, answers);
        }
        self.check_outstanding();
    }

    /// The events, stored and read again, lead from the execution before to the one after.
    fn check_replay(&mut self, mut before: Execution, events: &[Event]) {
        let stored = codec::encode_segment(events);
        let read = codec::decode_segment(&stored).expect("own segment");
        assert_eq!(read, events, "events change when they are stored");
        for event in &read {
            before.evolve(event).expect("own event");
        }
        assert!(before == self.execution, "replay differs\n{before:#?}\n{:#?}", self.execution);
        let snapshot = self.execution.snapshot();
        assert_eq!(before.snapshot(), snapshot, "equal executions have equal snapshots");
        let mut restored = self.execution.unstarted();
        restored.restore(&snapshot).expect("own snapshot");
        assert!(restored == self.execution, "a snapshot differs\n{restored:#?}\n{:#?}", self.execution);
        assert_eq!(restored.snapshot(), snapshot);
        self.segments.push(codec::encode_segment_with(events, codec::Snapshot::Here(&snapshot)));
    }

    /// From all events, or from one of the snapshots and what came after it: both give the same.
    fn rebuild(&mut self) {
        let (mut execution, mut from) = (self.execution.unstarted(), 0);
        if self.segments.len().is_multiple_of(2) {
            let at = self.segments.len() / 2;
            from = at + 1;
            match codec::snapshot_of(&self.segments[at]) {
                Ok(codec::Snapshot::Here(snapshot)) => execution.restore(snapshot).expect("own snapshot"),
                other => panic!("{other:?}"),
            }
        }
        for segment in &self.segments[from..] {
            for event in codec::decode_segment(segment).expect("own segment") {
                execution.evolve(&event).expect("own event");
            }
        }
        self.execution = execution;
    }

    fn perform(&mut self, effect: Effect, answers: &mut Answers<'_>) {
        match effect {
            Effect::Dispatch(call) => {
                for (delay_ms, input) in answers(&call) {
                    self.inbox.push((self.now_ms + delay_ms, input));
                }
            }
            Effect::Queue(activity) => self.queue.push(*activity),
            Effect::Dequeue { task, .. } => self.queue.retain(|activity| activity.task != task),
            Effect::SetTimer { timer, due_ms } => {
                self.timers.insert(timer, due_ms);
            }
            Effect::CancelTimer { timer, .. } => {
                self.timers.remove(&timer);
            }
            Effect::CancelTask { task, .. } => self.inbox.retain(|(_, input)| task_of(input) != Some(task)),
            Effect::Continue => self.inbox.insert(0, (self.now_ms, Input::Continue)),
            Effect::StartMapRun(run) => {
                if let Some(ran) = runs::run(self, &run, answers) {
                    self.inbox.push((ran.end_ms, ran.input));
                }
            }
            Effect::CancelMapRun { run } => self.inbox.retain(
                |(_, input)| !matches!(input, Input::MapRunFinished { run: ended, .. } if *ended == run),
            ),
            Effect::Finished(_) => {}
        }
    }

    /// What a rebuilt execution asks for is what was asked for and not taken back.
    fn check_outstanding(&self) {
        let mut wanted: BTreeMap<TimerId, i64> = self
            .execution
            .outstanding()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::SetTimer { timer, due_ms } => Some((timer, due_ms)),
                _ => None,
            })
            .collect();
        for (timer, due_ms) in &mut wanted {
            // Only the driver knows where heartbeats have moved it.
            if timer.is_heartbeat() {
                *due_ms = self.timers.get(timer).copied().unwrap_or_default();
            }
        }
        assert_eq!(wanted, self.timers, "timers that are set are not those that are outstanding");
    }

    /// Goes on until the execution has ended or nothing will ever happen.
    pub fn run(&mut self, answers: &mut Answers<'_>) {
        self.step(Input::Start, answers);
        self.run_on(answers);
    }

    pub fn run_on(&mut self, answers: &mut Answers<'_>) {
        for _ in 0..200_000 {
            if self.execution.outcome().is_some() {
                return;
            }
            let message =
                self.inbox.iter().enumerate().min_by_key(|(_, (due, _))| *due).map(|(at, m)| (at, m.0));
            let timer = self.timers.iter().min_by_key(|(id, due)| (**due, **id)).map(|(id, due)| (*id, *due));
            let input = match (message, timer) {
                (Some((at, due)), timer) if timer.is_none_or(|(_, timer_due)| due <= timer_due) => {
                    self.now_ms = self.now_ms.max(due);
                    self.inbox.remove(at).1
                }
                (_, Some((timer, due))) => {
                    self.now_ms = self.now_ms.max(due);
                    self.timers.remove(&timer);
                    Input::TimerFired { timer }
                }
                _ => return,
            };
            self.step(input, answers);
        }
        panic!("the execution does not end");
    }

    /// AWS's history, as JSON text.
    pub fn history(&self) -> String {
        let mut out = String::from("[");
        for event in &self.events {
            let length = out.len();
            if length > 1 {
                out.push(',');
            }
            if !history::to_aws(event, true, &mut out) {
                out.truncate(length);
            }
        }
        out.push(']');
        out
    }
}

fn task_of(input: &Input) -> Option<TaskId> {
    match input {
        Input::TaskStarted { task }
        | Input::TaskSubmitted { task, .. }
        | Input::TaskSucceeded { task, .. }
        | Input::TaskFailed { task, .. } => Some(*task),
        _ => None,
    }
}
