//! Definitions are executed by the interpreter with a fake clock and made-up answers; what is checked is the text.

use std::sync::Arc;

use stepwright_asl::{CompileOptions, compile};
use stepwright_engine::Counts;
use stepwright_machine::{
    BehaviourFlags, BranchId, Effect, Execution, ExecutionKind, Identity, Input, RunId, TaskCall, TaskPhase,
};
use stepwright_types::arn::Account;
use stepwright_value::Document;

use super::terminal_model::TerminalModel;
use super::*;

const THEME: Theme = Theme { colour: false, unicode: true };
const START_MS: i64 = 1_000_000_000_000;

/// An execution, and what is shown of it.
struct Run {
    execution: Execution,
    shown: Shown,
    /// What a pipe would show.
    lines: String,
    calls: Vec<TaskCall>,
    timers: Vec<(stepwright_machine::TimerId, i64)>,
    now_ms: i64,
    terminal: TerminalModel,
    size: Size,
}

impl Run {
    fn new(definition: &str, input: &str) -> Run {
        let compilation = compile(definition, &CompileOptions::default());
        let program = compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
        let identity = Identity {
            execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m:run".into(),
            execution_name: "run".into(),
            machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:m".into(),
            machine_name: "m".into(),
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            start_ms: START_MS,
            input: Document::parse(input).expect("JSON"),
            kind: ExecutionKind::Standard,
            account: Arc::new(Account::new("us-east-1", "123456789012")),
            locator: "l".into(),
        };
        let execution = Execution::new(program.clone(), Arc::new(identity), BehaviourFlags::CURRENT);
        let form = Form::Tree(THEME);
        let picture = Picture::new(program, START_MS);
        let screen = Some(Screen::new(THEME));
        let shown = Shown { picture, form, screen, notes: Vec::new(), is_stopping: false, unwritten: None };
        let mut run = Run {
            execution,
            shown,
            lines: String::new(),
            calls: Vec::new(),
            timers: Vec::new(),
            now_ms: START_MS,
            terminal: TerminalModel::new(100),
            size: Size { columns: 100, rows: 40 },
        };
        run.step(Input::Start);
        run
    }

    fn step(&mut self, input: Input) {
        let mut entropy = || 7;
        let step = self.execution.step(input, self.now_ms, &mut entropy).expect("a step");
        for event in &step.events {
            for news in self.shown.picture.apply(event) {
                self.shown.tell(&news, &mut self.lines);
                self.lines.push_str(&news.line(START_MS));
                self.lines.push('\n');
            }
        }
        for effect in step.effects {
            match effect {
                Effect::Dispatch(call) => {
                    let task = call.task;
                    self.calls.push(*call);
                    self.step(Input::TaskStarted { task });
                }
                Effect::SetTimer { timer, due_ms } => self.timers.push((timer, due_ms)),
                Effect::CancelTimer { timer, .. } => self.timers.retain(|(other, _)| *other != timer),
                _ => {}
            }
        }
    }

    /// Time goes by; timers fire.
    fn wait(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        while let Some(at) = self.timers.iter().position(|(_, due_ms)| *due_ms <= end_ms) {
            let (timer, due_ms) = self.timers.remove(at);
            self.now_ms = due_ms;
            self.step(Input::TimerFired { timer });
        }
        self.now_ms = end_ms;
    }

    /// The one map run that the execution waits for.
    fn map_run_arn(&self) -> Arc<str> {
        let mut effects = self.execution.outstanding().into_iter();
        let run = effects.find_map(|effect| match effect {
            Effect::StartMapRun(run) => Some(run.started.map_run_arn.clone()),
            _ => None,
        });
        run.expect("an open map run")
    }

    /// The oldest call of a state that has no answer.
    fn call(&mut self, state: &str) -> TaskCall {
        let at = self.calls.iter().position(|call| &*call.state_name == state);
        self.calls.remove(at.unwrap_or_else(|| panic!("{state} does not call")))
    }

    fn succeed(&mut self, state: &str) {
        let task = self.call(state).task;
        self.step(Input::TaskSucceeded { task, output: Document::parse("{}").expect("JSON") });
    }

    fn fail(&mut self, state: &str, error: &str, cause: &str) {
        let task = self.call(state).task;
        self.step(Input::TaskFailed {
            task,
            error: error.into(),
            cause: Some(cause.into()),
            phase: TaskPhase::Run,
        });
    }

    /// What the terminal shows after the next frame.
    fn screen(&mut self) -> String {
        let frame = self.shown.frame(self.now_ms, self.size);
        self.terminal.feed(&frame);
        self.terminal.text()
    }

    fn ending(&self) -> String {
        let ended = self.shown.picture.outcome.as_ref().expect("it has ended");
        let rows = ending::rows(&self.shown.picture, ended, THEME);
        rows.iter().map(|row| row.draw(200, THEME) + "\n").collect()
    }
}

fn task(name: &str, rest: &str) -> String {
    format!(
        r#""{name}": {{"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:{}", {rest}}}"#,
        name.to_lowercase()
    )
}

fn machine(start_at: &str, states: &[String]) -> String {
    format!(r#"{{"StartAt": "{start_at}", "States": {{{}}}}}"#, states.join(", "))
}

#[test]
fn a_retry_a_catcher_and_a_wait() {
    let definition = machine(
        "Prepare",
        &[
            r#""Prepare": {"Type": "Pass", "Next": "Charge"}"#.to_owned(),
            task(
                "Charge",
                r#""Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 4, "MaxAttempts": 2}],
                   "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Cool down"}], "End": true"#,
            ),
            r#""Cool down": {"Type": "Wait", "Seconds": 90, "Next": "Which"}"#.to_owned(),
            r#""Which": {"Type": "Choice", "Choices": [{"Variable": "$.Error", "IsPresent": true, "Next": "Give up"}],
                "Default": "Give up"}"#
                .to_owned(),
            r#""Give up": {"Type": "Fail", "Error": "NoMoney", "Cause": "The card was refused."}"#.to_owned(),
        ],
    );
    let mut run = Run::new(&definition, "{}");
    run.wait(1_500);
    assert_eq!(
        run.screen(),
        "✔ Prepare    Pass           0 ms\n\
         ⠇ Charge     Task          1.5 s   lambda charge\n  1.5 s, 6 events, Ctrl-C stops"
    );
    run.fail("Charge", "Busy", r#"{"errorMessage": "try again", "errorType": "Busy"}"#);
    run.wait(500);
    assert_eq!(
        run.screen(),
        "✔ Prepare    Pass           0 ms\n\
         ↻ Charge     Task          2.0 s   retry 1 of 2 in 4 s after Busy: try again\n  \
         2.0 s, 7 events, Ctrl-C stops"
    );
    run.wait(4_000);
    run.fail("Charge", "Broken", "for good");
    run.wait(30_000);
    assert_eq!(
        run.screen(),
        "✔ Prepare    Pass           0 ms\n\
         ↷ Charge     Task          6.0 s   Broken: for good → Cool down\n\
         ○ Cool down  Wait           30 s   1 m 00 s left\n  36 s, 12 events, Ctrl-C stops"
    );
    run.wait(60_000);
    assert_eq!(
        run.screen(),
        "✔ Prepare    Pass           0 ms\n\
         ↷ Charge     Task          6.0 s   Broken: for good → Cool down\n\
         ✔ Cool down  Wait       1 m 30 s\n\
         ✔ Which      Choice         0 ms   → Give up\n\
         ✘ Give up    Fail           0 ms   NoMoney: The card was refused."
    );
    assert_eq!(
        run.ending(),
        "✘ FAILED after 1 m 36 s, 17 events\n  state  Give up\n         /States/Give up\n  error  NoMoney\n  \
         cause  The card was refused.\n"
    );
    assert_eq!(
        run.lines,
        "  +0.000s  enter   Prepare (Pass)\n  \
         +0.000s  exit    Prepare after 0 ms\n  \
         +0.000s  enter   Charge (Task, lambda charge)\n  \
         +1.500s  retry   Charge 1 of 2 in 4.0 s: Busy: try again\n  \
         +6.000s  catch   Charge after 6.0 s, next Cool down: Broken: for good\n  \
         +6.000s  enter   Cool down (Wait)\n  \
         +6.000s  wait    Cool down for 1 m 30 s\n \
         +96.000s  exit    Cool down after 1 m 30 s\n \
         +96.000s  enter   Which (Choice)\n \
         +96.000s  exit    Which after 0 ms, next Give up\n \
         +96.000s  enter   Give up (Fail)\n \
         +96.000s  fail    Give up after 0 ms: NoMoney: The card was refused.\n"
    );
}

const PARALLEL: &str = r#""Enrich": {"Type": "Parallel", "End": true, "Branches": [
    {"StartAt": "Price", "States": {"Price": {"Type": "Pass", "Next": "Tax"},
        "Tax": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:tax", "End": true}}},
    {"StartAt": "Stock", "States": {
        "Stock": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:stock", "End": true}}}
    ]CATCH}"#;

#[test]
fn parallel_branches() {
    let mut run = Run::new(&machine("Enrich", &[PARALLEL.replace("CATCH", "")]), "{}");
    run.wait(200);
    run.succeed("Stock");
    run.wait(1_000);
    assert_eq!(
        run.screen(),
        "⠴ Enrich     Parallel      1.2 s   1/2 done\n\
         ├ 0 ✔ Price  Pass           0 ms\n\
         │   ⠴ Tax    Task          1.2 s   lambda tax\n\
         └ 1 ✔ Stock  Task         200 ms   lambda stock\n  1.2 s, 13 events, Ctrl-C stops"
    );
    run.succeed("Tax");
    assert_eq!(
        run.screen(),
        "✔ Enrich     Parallel      1.2 s   2 branches\n\
         ├ 0 ✔ Price  Pass           0 ms\n\
         │   ✔ Tax    Task          1.2 s   lambda tax\n\
         └ 1 ✔ Stock  Task         200 ms   lambda stock"
    );
    assert_eq!(run.ending(), "✔ SUCCEEDED after 1.2 s, 18 events\n");
    assert!(run.shown.picture.line(BranchId(1)).is_none(), "what has been shown is forgotten");
}

#[test]
fn a_failed_branch_is_found() {
    for (catch, last) in [
        (
            "",
            "✘ FAILED after 300 ms, 16 events\n  state  Enrich[1] > Stock\n         \
              /States/Enrich/Branches[1]/States/Stock\n  error  Empty\n  cause  sold out\n",
        ),
        (
            r#", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}]"#,
            "✔ SUCCEEDED after 300 ms, 19 events\n",
        ),
    ] {
        let sorry = r#""Sorry": {"Type": "Succeed"}"#.to_owned();
        let states = [PARALLEL.replace("CATCH", catch), sorry];
        let states = if catch.is_empty() { &states[..1] } else { &states[..] };
        let mut run = Run::new(&machine("Enrich", states), "{}");
        run.wait(300);
        run.fail("Stock", "Empty", "sold out");
        let screen = run.screen();
        let row = if catch.is_empty() {
            "✘ Enrich     Parallel     300 ms   Empty: sold out"
        } else {
            "↷ Enrich     Parallel     300 ms   Empty: sold out → Sorry"
        };
        assert!(screen.contains(row), "{screen}");
        assert!(screen.contains("└ 1 ✘ Stock  Task         300 ms   Empty: sold out"), "{screen}");
        assert!(screen.contains("│   ■ Tax    Task         300 ms   aborted"), "{screen}");
        assert_eq!(run.ending(), last);
    }
}

fn map(rest: &str) -> String {
    let processor = machine("Charge", &[task("Charge", r#""End": true"#)]);
    machine(
        "All",
        &[format!(r#""All": {{"Type": "Map", "ItemProcessor": {processor}, {rest} "End": true}}"#)],
    )
}

#[test]
fn a_small_map_shows_all_its_iterations() {
    let mut run = Run::new(&map(""), "[1, 2, 3]");
    run.wait(100);
    run.succeed("Charge");
    assert_eq!(
        run.screen(),
        "⠙ All           Map          100 ms   1/3 done, 2 running\n\
         ├ 0 ✔ Charge    Task         100 ms   lambda charge\n\
         ├ 1 ⠙ Charge    Task         100 ms   lambda charge\n\
         └ 2 ⠙ Charge    Task         100 ms   lambda charge\n  100 ms, 18 events, Ctrl-C stops"
    );
    run.fail("Charge", "No", "");
    assert_eq!(
        run.screen(),
        "✘ All           Map          100 ms   No\n\
         ├ 0 ✔ Charge    Task         100 ms   lambda charge\n\
         ├ 1 ✘ Charge    Task         100 ms   No\n\
         └ 2 ■ Charge    Task         100 ms   aborted"
    );
    let place = run.ending();
    assert!(
        place.contains("state  All[1] > Charge\n         /States/All/ItemProcessor/States/Charge\n"),
        "{place}"
    );
}

#[test]
fn the_items_of_a_distributed_map_are_counted() {
    let items = format!("[{}]", vec!["0"; 1_000].join(","));
    let rest = r#""ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Charge", "States": {CHARGE}}, "ToleratedFailurePercentage": 50, "MaxConcurrency": 30,"#;
    let rest = rest.replace("CHARGE", &task("Charge", r#""End": true"#));
    let definition = machine("All", &[format!(r#""All": {{"Type": "Map", {rest} "End": true}}"#)]);
    let mut run = Run::new(&definition, &items);
    run.wait(2_000);
    assert!(run.screen().starts_with("⠴ All           Map           2.0 s   0/1000 done"));
    let map_run_arn = run.map_run_arn();
    let mut counts = Counts { total: 1_000, succeeded: 40, running: 30, failed: 1, ..Counts::default() };
    run.shown.picture.map_run(&map_run_arn, &counts);
    assert_eq!(
        run.screen(),
        "⠴ All           Map           2.0 s   40/1000 done, 30 running, 1 failed\n  2.0 s, 4 events, Ctrl-C stops"
    );
    (counts.succeeded, counts.running) = (999, 0);
    run.shown.picture.map_run(&map_run_arn, &counts);
    run.step(Input::MapRunFinished { run: RunId(4), result: Ok(Document::from_stored_text("[]")) });
    assert_eq!(run.screen(), "✔ All           Map           2.0 s   1000 items, 1 failed");
}

#[test]
fn stopping_shows_what_was_under_way() {
    let mut run = Run::new(&map(""), "[1]");
    run.wait(2_000);
    run.shown.is_stopping = true;
    assert!(run.screen().ends_with("stopping; Ctrl-C again ends at once"));
    run.step(Input::Stop { error: None, cause: Some("Stopped by the user.".into()) });
    assert_eq!(
        run.screen(),
        "■ All           Map           2.0 s   aborted\n└ 0 ■ Charge    Task          2.0 s   aborted"
    );
    assert_eq!(
        run.ending(),
        "■ ABORTED after 2.0 s, 8 events\n  state  All[0] > Charge\n         \
         /States/All/ItemProcessor/States/Charge\n  cause  Stopped by the user.\n"
    );
}

#[test]
fn who_is_waited_for_is_said() {
    let definition = machine(
        "Ask",
        &[r#""Ask": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:approve",
            "End": true}"#
            .to_owned()],
    );
    let mut run = Run::new(&definition, "{}");
    run.wait(1_000);
    let screen = run.screen();
    assert!(
        screen.starts_with("! Ask waits for a worker of its activity: `run --listen PORT` lets them in"),
        "{screen}"
    );
    assert!(
        screen.contains("○ Ask       Task          1.0 s   activity approve waits for a worker"),
        "{screen}"
    );
}

#[test]
fn a_loop_that_is_too_fast_to_see() {
    let definition = machine(
        "Count",
        &[
            r#""Count": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"}"#.to_owned(),
            r#""More": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 500, "Next": "Count"}],
                "Default": "Done"}"#
                .to_owned(),
            r#""Done": {"Type": "Succeed"}"#.to_owned(),
        ],
    );
    let mut run = Run::new(&definition, r#"{"n": 0}"#);
    let screen = run.screen();
    assert!(screen.starts_with("  901 states, too fast to show\n"), "{screen}");
    assert!(screen.ends_with("✔ Done      Succeed        0 ms"), "{screen}");
    assert_eq!(screen.lines().count(), 101);
}
