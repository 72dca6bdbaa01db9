//! A step that is interrupted inside any field, in either language, leaves nothing behind: no failure, nothing caught.

use std::cell::Cell;

use stepwright_machine::{
    BehaviourFlags, Budget, Effect, Execution, ExecutionKind, Input, Nothing, StepError, TaskId, TaskPhase,
};
use stepwright_value::Document;

use crate::harness;

/// Ends the step after it was asked so often in the middle of a state.
struct Impatient {
    patience: Cell<u32>,
}

impl Budget for Impatient {
    fn has_more(&self) -> bool {
        true
    }

    fn goes_on(&self) -> bool {
        let left = self.patience.get();
        self.patience.set(left.saturating_sub(1));
        left > 0
    }
}

const SLOW: &str = "$sum([1..200000].($ * 2))";

fn execution(state: &str, language: &str, input: &str) -> Execution {
    let last = if state.contains("\"B\"") { r#", "B": {"Type": "Succeed"}"# } else { "" };
    let definition =
        format!(r#"{{"QueryLanguage": "{language}", "StartAt": "A", "States": {{"A": {state}{last}}}}}"#);
    let program = harness::compile(&definition).expect(&definition);
    let identity = harness::identity(input, ExecutionKind::Standard);
    Execution::new(program, identity.into(), BehaviourFlags::CURRENT)
}

#[track_caller]
fn interrupted(state: &str, language: &str, input: &str, answer: Option<Input>) {
    for patience in [0, 1, 3] {
        let mut execution = execution(state, language, input);
        if let Some(answer) = answer.clone() {
            execution.step(Input::Start, harness::START_MS, &mut || 7).expect("a step");
            let impatient = Impatient { patience: Cell::new(patience) };
            let found = execution.step_within(answer, harness::START_MS, &mut || 7, &impatient);
            assert_eq!(found, Err(StepError::Interrupted), "{state}");
            continue;
        }
        let impatient = Impatient { patience: Cell::new(patience) };
        let found = execution.step_within(Input::Start, harness::START_MS, &mut || 7, &impatient);
        assert_eq!(found, Err(StepError::Interrupted), "{state}");
    }
}

#[test]
fn in_jsonata() {
    let caught = r#""Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "Retry": [{"ErrorEquals": ["States.ALL"]}]"#;
    let task =
        r#""Type": "Task", "Resource": "arn:aws:lambda:us-east-1:111111111111:function:f", "Next": "B""#;
    let flow = r#"{"StartAt": "X", "States": {"X": {"Type": "Pass", "End": true}}}"#;
    let started = [
        format!(r#"{{"Type": "Pass", "Output": "{{% {SLOW} %}}", "Next": "B"}}"#),
        format!(r#"{{"Type": "Pass", "Assign": {{"x": ["{{% {SLOW} %}}"]}}, "Next": "B"}}"#),
        format!(r#"{{"Type": "Wait", "Seconds": "{{% {SLOW} %}}", "Next": "B"}}"#),
        format!(
            r#"{{"Type": "Choice", "Choices": [{{"Condition": "{{% {SLOW} > 1 %}}", "Next": "B"}}], "Default": "B"}}"#
        ),
        format!(r#"{{"Type": "Succeed", "Output": "{{% {SLOW} %}}"}}"#),
        format!(r#"{{"Type": "Fail", "Cause": "{{% $string({SLOW}) %}}"}}"#),
        format!(r#"{{{task}, "Arguments": {{"a": "{{% {SLOW} %}}"}}, {caught}}}"#),
        format!(r#"{{{task}, "TimeoutSeconds": "{{% {SLOW} %}}", {caught}}}"#),
        format!(
            r#"{{"Type": "Map", "Items": "{{% [{SLOW}] %}}", "ItemProcessor": {flow}, "Next": "B", {caught}}}"#
        ),
        format!(
            r#"{{"Type": "Map", "Items": [1], "ItemSelector": "{{% {SLOW} %}}", "ItemProcessor": {flow}, "Next": "B", {caught}}}"#
        ),
        format!(
            r#"{{"Type": "Map", "Items": [], "Output": "{{% {SLOW} %}}", "ItemProcessor": {flow}, "Next": "B", {caught}}}"#
        ),
        format!(
            r#"{{"Type": "Parallel", "Arguments": "{{% {SLOW} %}}", "Branches": [{flow}], "Next": "B", {caught}}}"#
        ),
        format!(
            r#"{{"Type": "Parallel", "Output": "{{% {SLOW} %}}", "Branches": [{flow}], "Next": "B", {caught}}}"#
        ),
    ];
    for state in started {
        interrupted(&state, "JSONata", "{}", None);
    }
    let (task_id, output) = (TaskId(1), Document::parse("{}").expect("JSON"));
    let succeeded = Input::TaskSucceeded { task: task_id, output };
    let failed = Input::TaskFailed { task: task_id, error: "Bad".into(), cause: None, phase: TaskPhase::Run };
    let answered = [
        (format!(r#"{{{task}, "Output": "{{% {SLOW} %}}", {caught}}}"#), succeeded),
        (
            format!(
                r#"{{{task}, "Catch": [{{"ErrorEquals": ["States.ALL"], "Output": "{{% {SLOW} %}}", "Next": "B"}}]}}"#
            ),
            failed,
        ),
    ];
    for (state, answer) in answered {
        interrupted(&state, "JSONata", "{}", Some(answer));
    }
}

#[test]
fn in_json_path() {
    let many = format!("{{\"a\": [{}]}}", vec!["{\"n\": 1}"; 20_000].join(","));
    let states = [
        r#"{"Type": "Pass", "Parameters": {"x.$": "$.a[?(@.n > 5)]"}, "Next": "B"}"#.to_owned(),
        r#"{"Type": "Pass", "InputPath": "$..n", "Next": "B"}"#.to_owned(),
        format!(
            r#"{{"Type": "Choice", "Choices": [{}], "Default": "B"}}"#,
            vec![r#"{"Variable": "$.a[0].n", "NumericEquals": 2, "Next": "B"}"#; 100].join(",")
        ),
        format!(
            r#"{{"Type": "Pass", "Parameters": {{{}}}, "Next": "B"}}"#,
            (0..20).map(|n| format!(r#""x{n}.$": "States.JsonToString($.a)""#)).collect::<Vec<_>>().join(",")
        ),
    ];
    for state in states {
        interrupted(&state, "JSONPath", &many, None);
    }
}

#[test]
fn without_any_budget_a_start_is_taken_in_and_goes_on_later() {
    let state = r#"{"Type": "Pass", "Next": "B"}"#;
    let mut execution = execution(state, "JSONPath", "{}");
    let step = execution.step_within(Input::Start, harness::START_MS, &mut || 7, &Nothing).expect("a step");
    assert_eq!((step.events.len(), step.effects.as_slice()), (1, [Effect::Continue].as_slice()));
    let step = execution.step(Input::Continue, harness::START_MS, &mut || 7).expect("a step");
    assert_eq!(step.events.len(), 5);
    assert!(execution.outcome().is_some());
}
