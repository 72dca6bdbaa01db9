//! States of all types, tested alone.

use stepwright_asl::{CompileOptions, compile_state};
use stepwright_types::arn::Account;
use stepwright_value::read;

use super::*;
use crate::budget::Unbounded;
use crate::identity::ExecutionKind;

const NOW_MS: i64 = 1_730_000_000_000;

/// The settings of a test that differ from case to case.
#[derive(Default)]
struct Given {
    input: &'static str,
    /// JSON of the mocked result, or `!Error: cause`.
    mock: &'static str,
    context: Option<&'static str>,
    variables: &'static str,
    retries: u32,
    failed_iterations: Option<u32>,
    reader_data: Option<&'static str>,
}

fn identity(input: &str) -> Identity {
    Identity {
        execution_arn: "arn:e".into(),
        execution_name: "e".into(),
        machine_arn: "arn:m".into(),
        machine_name: "m".into(),
        role_arn: "role".into(),
        start_ms: NOW_MS,
        input: Document::parse(if input.is_empty() { "{}" } else { input }).expect("input"),
        kind: ExecutionKind::Express,
        account: Arc::new(Account::new("us-east-1", "111111111111")),
        locator: "l".into(),
    }
}

fn object(text: &str) -> Object {
    read(text).expect("JSON").as_object().cloned().expect("an object")
}

fn test_of(definition: &str, state_name: Option<&str>, given: &Given) -> (Arc<Program>, StateTest) {
    let compiled = compile_state(definition, state_name, &CompileOptions::default());
    let program =
        compiled.compilation.program.unwrap_or_else(|| panic!("{:?}", compiled.compilation.diagnostics));
    let variables = if given.variables.is_empty() { "{}" } else { given.variables };
    let setup = Setup {
        program: program.clone(),
        state: compiled.state.expect("the state"),
        identity: Arc::new(identity(given.input)),
        variables: object(variables).iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        context: given.context.map(object),
        retries: given.retries,
        failed_iterations: given.failed_iterations,
        reader_data: given.reader_data.map(Arc::from),
    };
    (program, StateTest::new(setup, NOW_MS))
}

fn run(definition: &str, state_name: Option<&str>, given: &Given) -> (String, Inspection) {
    let (program, mut test) = test_of(definition, state_name, given);
    let entropy = &mut || 0;
    let mut progress = test.begin(NOW_MS, entropy, &Unbounded).expect("a step");
    if !given.mock.is_empty() && !matches!(progress, Progress::Done(_)) {
        let answer = match given.mock.strip_prefix('!').and_then(|text| text.split_once(": ")) {
            Some((error, cause)) => Err(Failure::new(error, cause)),
            None => Ok(Document::parse(given.mock).expect("a result")),
        };
        progress = test.answer(answer, NOW_MS, entropy, &Unbounded).expect("a step");
    }
    if progress == Progress::Time {
        let (timer, due_ms) = test.next_timer().expect("a timer");
        progress = test.receive(Input::TimerFired { timer }, due_ms, entropy, &Unbounded).expect("a step");
    }
    let name = |next: Option<StateId>| next.map_or("END".into(), |next| program.state(next).name.clone());
    let failure =
        |failure: &Failure| format!("{}: {}", failure.name(), failure.cause.as_deref().unwrap_or_default());
    let shown = match progress {
        Progress::Done(Verdict::Succeeded { output, next }) => format!("ok {output} > {}", name(next)),
        Progress::Done(Verdict::Caught { failure: it, output, next }) => {
            format!("caught {} {output} > {}", failure(&it), name(next))
        }
        Progress::Done(Verdict::Retriable(it)) => format!("retry {}", failure(&it)),
        Progress::Done(Verdict::Failed(it)) => format!("failed {}", failure(&it)),
        waits => format!("{waits:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    };
    (shown, test.inspect())
}

const RETRY: &str = r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},
    "Retry":[{"ErrorEquals":["Other"]},{"ErrorEquals":["E"],"IntervalSeconds":3,"MaxAttempts":2,"BackoffRate":2}],
    "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"Caught"}],"Next":"Done"}"#;
const MAP: &str = r#"{"Type":"Map","ItemsPath":"$.a","ItemSelector":{"v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index"},
    "ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"Next":"Done"}"#;

#[test]
fn verdicts() {
    let task = Given { input: r#"{"x":1}"#, ..Given::default() };
    let cases = [
        (r#"{"Type":"Pass","Next":"B"}"#, Given { input: "[1]", ..Given::default() }, "ok [1] > B"),
        (r#"{"Type":"Succeed"}"#, Given::default(), "ok {} > END"),
        (r#"{"Type":"Fail","Error":"E","Cause":"c"}"#, Given::default(), "failed E: c"),
        (r#"{"Type":"Wait","Seconds":600,"Next":"B"}"#, Given::default(), "ok {} > B"),
        (
            r#"{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"X"}],"Default":"Y"}"#,
            Given::default(),
            "ok {} > Y",
        ),
        (
            r#"{"Type":"Pass","InputPath":"$.nope","End":true}"#,
            Given::default(),
            "failed States.Runtime: Invalid path '$.nope' : No results for path: $['nope']",
        ),
        (RETRY, Given { mock: r#"{"r":1}"#, ..Given::default() }, r#"ok {"r":1} > Done"#),
        (RETRY, Given { mock: "!E: c", retries: 1, ..Given::default() }, "retry E: c"),
        (
            RETRY,
            Given { mock: "!E: c", retries: 2, ..task },
            r#"caught E: c {"x":1,"e":{"Error":"E","Cause":"c"}} > Caught"#,
        ),
        (RETRY, Given::default(), "Call"),
        (MAP, Given { input: r#"{"a":[7,8]}"#, mock: "[1,2]", ..Given::default() }, "ok [1,2] > Done"),
        (MAP, Given { input: r#"{"a":[7]}"#, mock: "!E: c", ..Given::default() }, "failed E: c"),
        (
            r#"{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}],"End":true}"#,
            Given { mock: "[3]", ..Given::default() },
            "ok [3] > END",
        ),
        (
            r#"{"Type":"Pass","QueryLanguage":"JSONata","Assign":{"b":2},"Output":"{% $a %}","End":true}"#,
            Given { variables: r#"{"a":{"b":1}}"#, ..Given::default() },
            r#"ok {"b":1} > END"#,
        ),
        (
            r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody.$":"$$.Task.Token"},"End":true}"#,
            Given { mock: "1", context: Some(r#"{"Task":{"Token":"T"}}"#), ..Given::default() },
            "ok 1 > END",
        ),
    ];
    for (definition, given, expected) in cases {
        assert_eq!(run(definition, None, &given).0, expected, "{definition}");
    }
}

#[test]
fn a_state_of_a_machine() {
    let machine = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"M"},
        "M":{"Type":"Map","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Pass","Next":"J"},"J":{"Type":"Succeed"}}},
        "End":true}}}"#;
    assert_eq!(run(machine, Some("A"), &Given::default()).0, "ok {} > M");
    assert_eq!(run(machine, Some("I"), &Given::default()).0, "ok {} > J");
    assert_eq!(run(machine, Some("J"), &Given::default()).0, "ok {} > END");
}

#[test]
fn error_details() {
    let details = |retries, mock| {
        let (_, shown) = run(RETRY, None, &Given { mock, retries, ..Given::default() });
        (shown.retry_index, shown.retry_backoff_interval_s, shown.catch_index)
    };
    assert_eq!(details(0, "!E: c"), (Some(1), Some(3), None));
    assert_eq!(details(1, "!E: c"), (Some(1), Some(6), None));
    assert_eq!(details(2, "!E: c"), (Some(1), None, Some(0)));
    assert_eq!(details(0, "!X: c"), (None, None, Some(0)));
}

#[test]
fn stages_of_maps() {
    let (_, shown) = run(MAP, None, &Given { input: r#"{"a":[7,8]}"#, mock: "[1,2]", ..Given::default() });
    let text =
        |document: &Option<Document>| document.as_ref().map(|it| it.text().to_owned()).unwrap_or_default();
    assert_eq!(text(&shown.after_items_path), "[7,8]");
    assert_eq!(text(&shown.after_item_selector), r#"[{"v":7,"i":0},{"v":8,"i":1}]"#);
    assert_eq!(shown.max_concurrency, Some(0));
    assert_eq!(shown.result, None);

    let reading = r#"{"Type":"Map","MaxConcurrency":2,"ToleratedFailurePercentage":50,
        "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON","ItemsPointer":"/a/0"},
        "Parameters":{"Bucket":"b","Key":"k"}},"ItemBatcher":{"MaxItemsPerBatch":2},
        "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
        "StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"End":true}"#;
    let given = |failed| Given {
        mock: "[1,2]",
        reader_data: Some(r#"{"a":[[1,2,3]]}"#),
        failed_iterations: Some(failed),
        ..Given::default()
    };
    let (ended, shown) = run(reading, None, &given(1));
    assert_eq!(ended, "ok [1,2] > END");
    assert_eq!(text(&shown.after_items_pointer), "[1,2,3]");
    assert_eq!(text(&shown.after_item_batcher), r#"[{"Items":[1,2]},{"Items":[3]}]"#);
    assert_eq!((shown.max_concurrency, shown.tolerated_failure_percentage), (Some(2), Some(50.0)));
    assert_eq!(
        run(reading, None, &given(2)).0,
        "failed States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded"
    );
}
