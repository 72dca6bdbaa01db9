//! Holds, breakpoints, traces and the view: what a debugger stands on. That a run which is stopped everywhere comes out as if it had
//! not been is checked in every scenario (`Mode::Debugged`).

use stepwright_machine::{
    BranchId, Breakpoints, Doing, Effect, Execution, ExecutionKind, Hold, Hooks, Input, Line, Outcome, Owner,
    Point, Status, Step, TaskPhase, Traces,
};
use stepwright_value::Document;

use crate::harness::{self, Mode, START_MS, World};

fn fresh(definition: &str, input: &str) -> Execution {
    let program = harness::compile(definition).expect("definition");
    World::new(program, harness::identity(input, ExecutionKind::Standard), Mode::Stepwise).execution
}

fn step(execution: &mut Execution, input: Input) -> Step {
    execution.step(input, START_MS, &mut || 7).expect("a step")
}

/// Notes where it is asked, and stops where it is told to.
#[derive(Default)]
struct Noting {
    notes: Vec<String>,
    /// With what the note begins at which a line stops.
    stops_at: &'static str,
}

impl Breakpoints for Noting {
    fn owner(&self) -> Owner {
        Owner::Debugger
    }

    fn stop(&mut self, execution: &Execution, line: Line<'_>, at: &Point<'_>) -> Hold {
        let state = match at {
            Point::Left { state, .. } => execution.program().state(*state),
            _ => line.state(),
        };
        let what = match at {
            Point::Entering => format!("entering {}", line.input()),
            Point::Iteration { index } => format!("iteration {index}"),
            Point::Dispatch { parameters, .. } => format!("dispatch {parameters}"),
            Point::Result { result } => format!("result {result}"),
            Point::Failed { failure, then } => format!("failed {} {then:?}", failure.name()),
            Point::Left { output, assigned, .. } => format!("left {output} {}", assigned.len()),
        };
        let note = format!("{} {what}", state.name);
        let stops = !self.stops_at.is_empty() && note.starts_with(self.stops_at);
        self.notes.push(note);
        if stops { Hold::Line } else { Hold::No }
    }
}

fn step_noting(execution: &mut Execution, input: Input, noting: &mut Noting) -> Step {
    let hooks = Hooks { breakpoints: Some(noting), ..Hooks::default() };
    execution.step_with(input, START_MS, &mut || 7, hooks).expect("a step")
}

const PASSES: &str =
    r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","End":true}}}"#;

#[test]
fn letting_one_go_does_not_let_the_other_go() {
    let mut execution = fresh(PASSES, "{}");
    let held = step(&mut execution, Input::StartHeld { owner: Owner::Limits });
    assert_eq!(held.events.len(), 2);
    let of = |owner, line| (Input::Hold { owner, line }, Input::Release { owner, line });
    let (hold, release) = of(Owner::Debugger, None);
    let (hold_line, release_line) = of(Owner::Debugger, Some(BranchId::ROOT));
    for input in [hold.clone(), hold, hold_line, Input::Continue] {
        step(&mut execution, input);
    }
    assert!(execution.is_held_by(Owner::Limits) && execution.is_held_by(Owner::Debugger));
    for input in [release, Input::Release { owner: Owner::Limits, line: None }] {
        assert_eq!(step(&mut execution, input).events.len(), 1, "the line is still held");
    }
    let nobody = Input::Release { owner: Owner::Debugger, line: Some(BranchId(9)) };
    assert_eq!(step(&mut execution, nobody), Step::default());
    assert!(execution.line(BranchId::ROOT).expect("a line").is_held_by(Owner::Debugger));
    step(&mut execution, release_line);
    assert_eq!(execution.status(), Status::Succeeded);
}

#[test]
fn breakpoints_are_asked_wherever_a_line_could_stop() {
    let definition = r#"{"StartAt":"M","States":{
        "M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","Assign":{"x":1},"End":true}}},"Next":"T"},
        "T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Next":"F",
            "Retry":[{"ErrorEquals":["E"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["E"],"Next":"F"}]},
        "F":{"Type":"Fail","Error":"Own"}}}"#;
    let (mut execution, mut noting) = (fresh(definition, "[5]"), Noting::default());
    step_noting(&mut execution, Input::Start, &mut noting);
    for _ in 0..2 {
        let mut calls = execution.outstanding().into_iter();
        let task =
            calls.find_map(|effect| if let Effect::Dispatch(call) = effect { Some(call.task) } else { None });
        let task = task.expect("a task");
        let failed = Input::TaskFailed { task, error: "E".into(), cause: None, phase: TaskPhase::Run };
        let step = step_noting(&mut execution, failed, &mut noting);
        let timer = step.events.iter().find_map(|event| match &event.body {
            stepwright_machine::EventBody::RetryScheduled { timer, .. } => Some(timer.id),
            _ => None,
        });
        if let Some(timer) = timer {
            step_noting(&mut execution, Input::TimerFired { timer }, &mut noting);
        }
    }
    let expected = [
        "M entering [5]",
        "M iteration 0",
        "P entering 5",
        "P left 5 1",
        "M left [5] 0",
        "T entering [5]",
        "T dispatch [5]",
        "T failed E Retry(0)",
        "T dispatch [5]",
        "T failed E Catch(0)",
        r#"T left {"Error":"E","Cause":""} 0"#,
        r#"F entering {"Error":"E","Cause":""}"#,
        "F failed Own End",
    ];
    assert_eq!(noting.notes, expected);
    assert!(matches!(execution.outcome(), Some(Outcome::Failed(_))));
}

#[test]
fn only_the_line_that_hit_stops() {
    let branch =
        |name: &str| format!(r#"{{"StartAt":"{name}","States":{{"{name}":{{"Type":"Pass","End":true}}}}}}"#);
    let definition = format!(
        r#"{{"StartAt":"B","States":{{"B":{{"Type":"Parallel","Branches":[{},{}],"End":true}}}}}}"#,
        branch("X"),
        branch("Y")
    );
    let mut execution = fresh(&definition, "1");
    let mut noting = Noting { stops_at: "X entering", ..Noting::default() };
    step_noting(&mut execution, Input::Start, &mut noting);
    let lines: Vec<(BranchId, bool)> =
        execution.lines().map(|line| (line.id(), line.is_held_by(Owner::Debugger))).collect();
    assert_eq!(lines, [(BranchId(0), false), (BranchId(1), true)], "Y is at its end");
    let root = execution.line(BranchId::ROOT).expect("a line");
    assert_eq!(root.doing(), Doing::Joining { total: 2, running: 1, ended: 1 });
    let stopped = execution.line(BranchId(1)).expect("a line");
    assert_eq!((stopped.parent(), stopped.doing()), (Some((BranchId::ROOT, 0)), Doing::Entering));
    // It is not asked again where it stands.
    step_noting(
        &mut execution,
        Input::Release { owner: Owner::Debugger, line: Some(BranchId(1)) },
        &mut noting,
    );
    assert_eq!(
        execution.outcome(),
        Some(&Outcome::Succeeded { output: Document::parse("[1,1]").expect("JSON") })
    );
}

#[test]
fn what_comes_from_outside_still_arrives_and_nothing_is_dispatched_twice() {
    let definition = r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
        "TimeoutSeconds":5,"End":true}}}"#;
    let calls =
        |step: &Step| step.effects.iter().filter(|effect| matches!(effect, Effect::Dispatch(_))).count();
    let release = Input::Release { owner: Owner::Debugger, line: Some(BranchId::ROOT) };
    let mut execution = fresh(definition, "1");
    let mut noting = Noting { stops_at: "T dispatch", ..Noting::default() };
    assert_eq!(calls(&step_noting(&mut execution, Input::Start, &mut noting)), 0);
    let mut timed_out = execution.clone();
    assert_eq!(calls(&step(&mut execution, release.clone())), 1);
    assert_eq!(calls(&step(&mut execution, release.clone())), 0);
    // Its time is over while it is held: there is nothing to dispatch any more.
    let timer = timed_out.outstanding().into_iter().find_map(|effect| match effect {
        Effect::SetTimer { timer, .. } => Some(timer),
        _ => None,
    });
    let fired = Input::TimerFired { timer: timer.expect("a timer") };
    timed_out.step(fired, START_MS + 5_000, &mut || 7).expect("a step");
    assert_eq!(timed_out.status(), Status::Failed);
    assert_eq!(step(&mut timed_out, release), Step::default());
}

#[test]
fn every_visit_has_its_trace() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n,1)"},"Next":"C"},
        "C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":3,"Next":"A"}],"Default":"E"},
        "E":{"Type":"Succeed"}}}"#;
    let (mut execution, mut traces) = (fresh(definition, r#"{"n":0}"#), Traces::default());
    let hooks = Hooks { traces: Some(&mut traces), ..Hooks::default() };
    execution.step_with(Input::Start, START_MS, &mut || 7, hooks).expect("a step");
    let of_a = traces.0.values().filter_map(|trace| {
        Some((trace.input.as_ref()?.text().to_owned(), trace.after_parameters.as_ref()?.text().to_owned()))
    });
    let json = |n| format!(r#"{{"n":{n}}}"#);
    assert_eq!(of_a.collect::<Vec<_>>(), [(json(0), json(1)), (json(1), json(2)), (json(2), json(3))]);
}
