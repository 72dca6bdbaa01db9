//! What definitions compile to, and the answers that are made of findings.

use stepwright_asl::program::{
    Comparison, Condition, Items, Kind, Operator, PathField, Pattern, Program, Resource, ResultPath, Setting,
    State, StateId, Template, Transition, Wait,
};
use stepwright_asl::{
    CompileOptions, Format, MachineType, Severity, Substitutions, compile, compile_state, lower_accepted,
    validate,
};

fn program(text: &str) -> std::sync::Arc<Program> {
    let compilation = compile(text, &CompileOptions::default());
    compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
}

fn only(state: &str) -> State {
    let text = format!(r#"{{"StartAt":"S","States":{{"S":{{{state}}}}}}}"#);
    let program = program(&text);
    std::sync::Arc::into_inner(program).expect("one owner").states.remove(0)
}

/// Stored events name flows and states by these numbers: they never change.
#[test]
fn flows_and_states_are_numbered_in_the_order_of_the_text() {
    let program = program(
        r#"{"StartAt":"B","TimeoutSeconds":9,"States":{
          "A":{"Type":"Succeed"},
          "B":{"Type":"Parallel","Next":"A","Branches":[
            {"StartAt":"C","States":{"C":{"Type":"Pass","End":true}}},
            {"StartAt":"D","States":{"D":{"Type":"Map","End":true,"Iterator":{"StartAt":"E","States":{"E":{"Type":"Pass","End":true}}}}}}]}}}"#,
    );
    let names: Vec<&str> = program.states.iter().map(|state| &*state.name).collect();
    assert_eq!(names, ["A", "B", "C", "D", "E"]);
    let owners: Vec<Option<u32>> = program.flows.iter().map(|flow| flow.owner.map(|id| id.0)).collect();
    assert_eq!(owners, [None, Some(1), Some(1), Some(3)]);
    let starts: Vec<u32> = program.flows.iter().map(|flow| flow.start_at.0).collect();
    assert_eq!(starts, [1, 2, 3, 4]);
    assert_eq!(&*program.state(StateId(4)).pointer, "/States/B/Branches[1]/States/D/Iterator/States/E");
    assert_eq!(program.state(StateId(1)).transition, Some(Transition::Next(StateId(0))));
    assert_eq!((program.timeout_s, program.state(StateId(0)).transition), (Some(9), None));
}

/// A definition that was accepted once still runs when a rule has become stricter, with the numbers that it had.
#[test]
fn what_was_accepted_is_lowered_without_being_judged() {
    for (stricter, text) in [
        (
            "a state leads nowhere",
            r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}"#,
        ),
        (
            "an unknown field",
            r#"{"StartAt":"A","More":1,"States":{"A":{"Type":"Pass","Next":"B","Old":[]},"B":{"Type":"Succeed"}}}"#,
        ),
        (
            "names that are too long",
            &format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Next":"{0}"}},"{0}":{{"Type":"Succeed"}}}}}}"#,
                "b".repeat(200)
            ),
        ),
    ] {
        assert!(compile(text, &CompileOptions::default()).program.is_none(), "{stricter}");
        let program =
            lower_accepted(text, Format::Json).unwrap_or_else(|error| panic!("{stricter}: {error:?}"));
        let next = program.states.iter().map(|state| state.transition).collect::<Vec<_>>();
        assert_eq!((program.states.len(), next[0]), (2, Some(Transition::Next(StateId(1)))), "{stricter}");
    }
    let accepted = r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#;
    let (lowered, compiled) = (lower_accepted(accepted, Format::Json), program(accepted));
    assert_eq!(format!("{:?}", lowered.expect("a program")), format!("{compiled:?}"));
    for nonsense in [
        "",
        "[]",
        "{",
        r#"{"StartAt":"A"}"#,
        r#"{"StartAt":"A","States":{"A":{}}}"#,
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":7}}}"#,
    ] {
        assert!(lower_accepted(nonsense, Format::Json).is_err(), "{nonsense}");
    }
}

#[test]
fn task() {
    let state = only(
        r#""Type":"Task","Resource":"arn:aws:states:::sns:publish.waitForTaskToken","Parameters":{"Message.$":"$m.x"},
           "InputPath":"$.a","OutputPath":null,"ResultPath":"$","HeartbeatSecondsPath":"$.h","TimeoutSeconds":7,
           "Retry":[{"ErrorEquals":["A"],"JitterStrategy":"FULL"}],"End":true,"Assign":{"m":1}"#,
    );
    let Kind::Task(task) = &state.kind else { panic!("{state:?}") };
    let Resource::Integration(integration) = &task.resource else { panic!("{task:?}") };
    assert_eq!((&*integration.service, &*integration.action), ("sns", "publish"));
    assert_eq!(
        (&*integration.resource, integration.pattern),
        ("publish.waitForTaskToken", Pattern::WaitForTaskToken)
    );
    assert!(matches!(task.timeout_s, Some(Setting::Literal(7))));
    assert!(matches!(task.heartbeat_s, Some(Setting::Path(_, "HeartbeatSecondsPath"))));
    assert!(matches!((&state.input_path, &state.output_path), (PathField::Path(_), PathField::Empty)));
    assert!(matches!(
        (&state.result_path, &state.arguments),
        (ResultPath::Whole, Some(Template::JsonPath(_)))
    ));
    let retrier = &state.retry[0];
    assert_eq!(
        (retrier.interval_s, retrier.max_attempts, retrier.max_delay_s, retrier.jitter),
        (1, 3, None, true)
    );
    assert_eq!(state.variable_references.iter().map(|name| &**name).collect::<Vec<&str>>(), ["m"]);
}

#[test]
fn other_kinds() {
    let wait = only(r#""Type":"Wait","Timestamp":"1970-01-01T00:00:01Z","End":true"#);
    assert!(matches!(wait.kind, Kind::Wait(Wait::Timestamp(Setting::Literal(1000)))));
    let fail = only(r#""Type":"Fail","Error":"E","CausePath":"States.UUID()""#);
    let Kind::Fail(fail) = &fail.kind else { panic!("{fail:?}") };
    assert!(matches!(
        (&fail.error, &fail.cause),
        (Some(Setting::Literal(_)), Some(Setting::Intrinsic(_, "CausePath")))
    ));
    let map = only(
        r#""Type":"Map","ItemsPath":"$","Parameters":{},"MaxConcurrency":3,"End":true,"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Succeed"}}}"#,
    );
    let Kind::Map(map) = &map.kind else { panic!("{map:?}") };
    assert!(matches!((&map.items, &map.item_selector), (Items::Input, Some(_))) && map.distributed.is_none());
}

#[test]
fn comparison() {
    let program = program(
        r#"{"StartAt":"S","States":{"S":{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","StringLessThanEqualsPath":"$.b"},"Next":"T"}]},"T":{"Type":"Succeed"}}}"#,
    );
    let Kind::Choice(choice) = &program.states[0].kind else { panic!("{program:?}") };
    let Condition::Comparison(Comparison::Not(inner)) = &choice.rules[0].condition else {
        panic!("{choice:?}")
    };
    assert!(matches!(**inner, Comparison::Test { operator: Operator::StringLessThanEquals, .. }));
}

#[test]
fn a_state_alone() {
    let options = CompileOptions::default();
    let compiled = compile_state(
        r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"Next":"There","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Else"}]}"#,
        None,
        &options,
    );
    let program = compiled.compilation.program.expect("a program");
    let state = program.state(compiled.state.expect("a state"));
    let Some(Transition::Next(next)) = state.transition else { panic!("{state:?}") };
    assert_eq!((&*program.state(next).name, &*program.state(state.catch[0].next).name), ("There", "Else"));

    let machine = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Succeed"}}}"#;
    assert_eq!(compile_state(machine, Some("B"), &options).state, Some(StateId(1)));
    assert_eq!(compile_state(machine, None, &options).state, Some(StateId(0)));
    let unknown = compile_state(machine, Some("C"), &options);
    assert!(unknown.state.is_none() && unknown.compilation.program.is_some());
    let map = r#"{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"TestState","States":{"TestState":{"Type":"Succeed"}}}}"#;
    assert_eq!(compile_state(map, None, &options).compilation.diagnostics, []);
    let wrong = compile_state(r#"{"Type":"Pass"}"#, None, &options).compilation.aws_error();
    let expected = "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: This object should have only one of \
                    the following fields: [Next, End] at /States/StateName'";
    assert_eq!(wrong.as_deref(), Some(expected));
}

#[test]
fn validation_is_filtered_and_cut() {
    let text = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"$.x","Foo":1,"Bar":2,"End":true}}}"#;
    let errors = validate(text, MachineType::Standard, Severity::Error, 0);
    assert_eq!((errors.ok, errors.diagnostics.len(), errors.truncated), (false, 2, false));
    let all = validate(text, MachineType::Standard, Severity::Warning, 2);
    assert_eq!((all.diagnostics.len(), all.truncated), (2, true));
    assert!(
        validate(&text.replace(r#","Foo":1,"Bar":2"#, ""), MachineType::Standard, Severity::Warning, 0).ok
    );
}

#[test]
fn substitutions() {
    let text = r#"{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":"${Delay}","Next":"B"},"B":{"Type":"Task","Resource":"${Function}","End":true}}}"#;
    assert!(compile(text, &CompileOptions::default()).program.is_none());
    let options = CompileOptions { substitutions: Substitutions::Allow, ..CompileOptions::default() };
    let compilation = compile(text, &options);
    assert!(
        compilation.program.is_some() && compilation.diagnostics.is_empty(),
        "{:?}",
        compilation.diagnostics
    );
}

#[test]
fn positions() {
    let text = "{\"StartAt\":\"A\",\n \"States\":{\"A\":{\"Type\":\"Succeed\"}},\n \"é\": 1, \"Foo\":2}";
    let found = compile(text, &CompileOptions::default()).diagnostics;
    assert_eq!(found.iter().map(|one| one.position(text)).collect::<Vec<_>>(), [(3, 2), (3, 10)]);
}
