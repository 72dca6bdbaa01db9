//! What others measured on AWS, or recorded there, and told in public; and what else the same rule decides. A row is as in
//! [`crate::check`]; each table names where it was said.

use crate::{check, run};

/// The cause of a failure in state `S`.
fn in_s(error: &str, detail: &str) -> String {
    format!("{error}: An error occurred while executing the state 'S' (entered at the event id #2). {detail}")
}

#[track_caller]
fn fails(language: &str, rows: &[(&str, &str, &str, &str)]) {
    for (state, input, error, detail) in rows {
        check(language, &[(state, input, &in_s(error, detail))]);
    }
}

/// Recordings in <https://github.com/gabrielmoreira/tiny-asl-machine> (`tests/conformance`), <https://github.com/floci-io/floci/pull/3167>.
#[test]
fn a_choice_without_a_match() {
    let detail = "Failed to transition out of the state. The state does not point to a next state.";
    let rule = r#"{"Type":"Choice","Choices":[{"Variable":"$.v","NumericEquals":1,"Next":"T"}]}"#;
    fails("JSONPath", &[(rule, r#"{"v":2}"#, "States.Runtime", detail)]);
    let rule = r#"{"Type":"Choice","Choices":[{"Condition":"{% $states.input.v = 1 %}","Next":"T"}]}"#;
    fails("JSONata", &[(rule, r#"{"v":2}"#, "States.Runtime", detail)]);
}

/// <https://github.com/iwamot/sfnx> `docs/design.md`: the `Output` of a Choice state is for `Default` alone, as its `Assign` is.
#[test]
fn the_output_of_a_choice_is_for_its_default() {
    let choice = |condition: &str, rule: &str| {
        format!(
            r#"{{"Type":"Choice","Output":"of the state","Choices":[{{"Condition":"{{% {condition} %}}"{rule},"Next":"T"}}],"Default":"T"}}"#
        )
    };
    check(
        "JSONata",
        &[
            (&choice("true", ""), r#"{"i":1}"#, r#"{"i":1}"#),
            (&choice("true", r#","Output":"of the rule""#), r#"{"i":1}"#, r#""of the rule""#),
            (&choice("false", r#","Output":"of the rule""#), r#"{"i":1}"#, r#""of the state""#),
        ],
    );
}

/// The same: `States.TaskFailed` does not match an evaluation that failed, in `Catch` and in `Retry`.
#[test]
fn an_evaluation_is_no_task() {
    let task = |catcher: &str| {
        format!(
            r#"{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Output":"{{% $states.result.none %}}",
                "Retry":[{{"ErrorEquals":["States.TaskFailed"],"IntervalSeconds":7}}],
                "Catch":[{{"ErrorEquals":["{catcher}"],"Output":"caught","Next":"T"}}],"End":true}}"#
        )
    };
    let detail = "The JSONata expression '$states.result.none' specified for the field 'Output' returned nothing (undefined).";
    fails("JSONata", &[(&task("States.TaskFailed"), "{}", "States.QueryEvaluationError", detail)]);
    for catcher in ["States.ALL", "States.QueryEvaluationError"] {
        check("JSONata", &[(&task(catcher), "{}", r#""caught""#)]);
    }
}

/// A failure without a cause is caught with one that is empty, in both languages.
#[test]
fn a_caught_failure_has_error_and_cause() {
    let task = r#""Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSeconds":2,"End":true"#;
    let catch = r#""Catch":[{"ErrorEquals":["States.Timeout"],"Next":"T"}]"#;
    let caught = r#"@2s {"Error":"States.Timeout","Cause":""}"#;
    check("JSONPath", &[(&format!("{{{task},{catch}}}"), r#"{"silent":1}"#, caught)]);
    check("JSONata", &[(&format!("{{{task},{catch}}}"), r#"{"silent":1}"#, caught)]);
    let inner = r#"{"StartAt":"F","States":{"F":{"Type":"Fail"}}}"#;
    let parallel = format!(
        r#"{{"Type":"Parallel","Branches":[{inner}],"Catch":[{{"ErrorEquals":["States.ALL"],"Next":"T"}}],"End":true}}"#
    );
    check("JSONPath", &[(&parallel, "{}", r#"{"Error":"","Cause":""}"#)]);
}

/// Recordings as above, and one described in public: what a Wait state reads.
#[test]
fn seconds_of_a_wait() {
    let wait = r#"{"Type":"Wait","SecondsPath":"$.x","Next":"T"}"#;
    check("JSONPath", &[(wait, r#"{"x":2}"#, r#"@2s {"x":2}"#), (wait, r#"{"x":"3"}"#, r#"@3s {"x":"3"}"#)]);
    let parsed = "The SecondsPath parameter cannot be parsed as a long value: $.x == ";
    for (input, shown) in
        [(r#"{"x":{"raw":"3"}}"#, r#"{"raw":"3"}"#), (r#"{"x":1.5}"#, "1.5"), (r#"{"x":"soon"}"#, "soon")]
    {
        fails("JSONPath", &[(wait, input, "States.Runtime", &format!("{parsed}{shown}"))]);
    }
    fails(
        "JSONPath",
        &[
            (
                wait,
                r#"{"x":-1}"#,
                "States.Runtime",
                "The SecondsPath parameter references a negative value: $.x == -1",
            ),
            (
                wait,
                "{}",
                "States.Runtime",
                "The SecondsPath parameter does not reference an input value: $.x",
            ),
        ],
    );
    let wait = r#"{"Type":"Wait","Seconds":"{% $states.input %}","Next":"T"}"#;
    fails(
        "JSONata",
        &[
            (wait, "-1", "States.QueryEvaluationError", "Seconds must be between 0 and 99999999 but was: -1"),
            (
                wait,
                "1.5",
                "States.QueryEvaluationError",
                "The Seconds field cannot be parsed as an integer: 1.5",
            ),
        ],
    );
}

/// <https://github.com/iwamot/sfnx> `docs/design.md`: a computed time is read by Java's reader of offset date-times.
#[test]
fn times_of_a_wait() {
    let wait = r#"{"Type":"Wait","Timestamp":"{% $states.input %}","Next":"T"}"#;
    for text in
        ["2016-03-14T01:59Z", "2016-03-14t01:59:00z", "2016-03-14T01:59+01", "2016-03-14T01:59:00.1-01:30"]
    {
        let input = format!("\"{text}\"");
        check("JSONata", &[(wait, &input, &input)]);
    }
    let why = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ";
    for text in ["2016-03-14", "2016-03-14 01:59:00Z", "2016-03-14T01:59:00", "2016-03-14T25:00:00Z"] {
        let (input, why) = (format!("\"{text}\""), format!("{why}{text}"));
        fails("JSONata", &[(wait, &input, "States.QueryEvaluationError", &why)]);
    }
}

/// Recordings in tiny-asl-machine (`Feature.JSONataValidation`), and what the same rule decides for its siblings.
#[test]
fn seconds_of_a_task() {
    let task = |field: &str, value: &str| {
        format!(
            r#"{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","{field}":{value},"End":true}}"#
        )
    };
    for field in ["TimeoutSeconds", "HeartbeatSeconds"] {
        let rows = [
            ("-1", format!("{field} must be between 0 and 99999999 but was: -1")),
            ("100000000", format!("{field} must be between 0 and 99999999 but was: 100000000")),
            ("1.6", format!("The {field} field cannot be parsed as an integer: 1.6")),
            (
                r#"'3'"#,
                format!(
                    "The JSONata expression ''3'' specified for the field '{field}' returned an unexpected result type. \
                     Expected 'number', but was 'string' for value: \"3\""
                ),
            ),
        ];
        for (value, why) in rows {
            let state = task(field, &format!("\"{{% {value} %}}\""));
            fails("JSONata", &[(&state, "{}", "States.QueryEvaluationError", &why)]);
        }
        let path = task(&format!("{field}Path"), r#""$.x""#);
        let bounds = format!("{field} must be between 0 and 99999999 but was: -1");
        let whole =
            format!(r#"The {field}Path field refers to value "1.5" which is not a valid integer: $.x"#);
        fails(
            "JSONPath",
            &[
                (&path, r#"{"x":-1}"#, "States.Runtime", &bounds),
                (&path, r#"{"x":1.5}"#, "States.Runtime", &whole),
                (&path, "{}", "States.Runtime", "Invalid path '$.x' : No results for path: $['x']"),
            ],
        );
    }
}

/// Recordings of AWS for the paths; the words for expressions follow those of `TimeoutSeconds`.
#[test]
fn numbers_of_a_map() {
    let map = |field: &str, value: &str| {
        format!(
            r#"{{"Type":"Map","{field}":{value},"ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
                "StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}},"End":true}}"#
        )
    };
    let range = "ToleratedFailurePercentage must be between 0 and 100.";
    for (field, number, wanted, refused, why) in [
        ("MaxConcurrency", "1.5", "integer", "-1", "MaxConcurrency cannot be negative."),
        (
            "ToleratedFailureCount",
            "\"NoNumber\"",
            "integer",
            "-1",
            "ToleratedFailureCount cannot be negative.",
        ),
        ("ToleratedFailurePercentage", "{}", "float", "101", range),
        ("ToleratedFailurePercentage", "{}", "float", "-0.1", range),
    ] {
        let state = map(&format!("{field}Path"), r#""$[0]""#);
        let shown = number.trim_matches('"');
        let no_number =
            format!(r#"The {field}Path field refers to value "{shown}" which is not a valid {wanted}: $[0]"#);
        fails(
            "JSONPath",
            &[
                (&state, &format!("[{number}]"), "States.Runtime", &no_number),
                (&state, &format!("[{refused}]"), "States.Runtime", why),
            ],
        );
        let state = map(field, "\"{% $states.input[0] %}\"");
        fails("JSONata", &[(&state, &format!("[{refused},1]"), "States.QueryEvaluationError", why)]);
    }
}

/// A Fail state speaks the words of its own query language.
#[test]
fn a_fail_state_with_an_intrinsic() {
    let fail = r#"{"Type":"Fail","Error":"E","CausePath":"States.ArrayGetItem($.l, 0)"}"#;
    fails(
        "JSONPath",
        &[(
            fail,
            r#"{"l":[1]}"#,
            "States.Runtime",
            "The CausePath field refers to value 1 which is not a string: States.ArrayGetItem($.l, 0)",
        )],
    );
    check("JSONPath", &[(fail, r#"{"l":["why"]}"#, "E: why")]);
}

/// <https://github.com/floci-io/floci/issues/2868>: which `EvaluationFailed` a rule or a catcher has, shows in the field's name.
#[test]
fn fields_of_lists_have_a_number() {
    let choice = r#"{"Type":"Choice","Choices":[{"Condition":"{% false %}","Next":"T"},{"Condition":"{% true %}","Output":{"v":"{% $nope %}"},"Next":"T"}]}"#;
    let detail = "The JSONata expression '$nope' specified for the field 'Choices[1]/Output/v' returned nothing (undefined).";
    fails("JSONata", &[(choice, "{}", "States.QueryEvaluationError", detail)]);
    let end = run(
        r#"{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
            "Catch":[{"ErrorEquals":["No"],"Next":"T"},{"ErrorEquals":["E"],"Assign":{"v":"{% $nope %}"},"Next":"T"}],"End":true},
            "T":{"Type":"Succeed"}}}"#,
        r#"{"fail":"E"}"#,
    );
    assert!(
        end.contains("specified for the field 'Catch[1]/Assign/v' returned nothing (undefined)."),
        "{end}"
    );
}

/// <https://github.com/floci-io/floci> `StepFunctionsJsonataIntegrationTest`: an inline Map cannot read, batch or write.
#[test]
fn an_inline_map_that_asks_too_much() {
    let state = r#"{"Type":"Map","ItemBatcher":{"MaxItemsPerBatch":2},"ItemProcessor":{"StartAt":"P","States":{
        "P":{"Type":"Pass","End":true}}},"End":true}"#;
    let detail = "The ItemReader, ItemBatcher and ResultWriter fields are not supported for INLINE maps";
    fails("JSONPath", &[(state, "[1,2,3]", "States.Runtime", detail)]);
}

/// <https://github.com/iwamot/sfnx> `docs/design.md`: what the children of a distributed Map begin with, and what they give.
#[test]
fn distributed_maps() {
    let map = |fields: &str| {
        format!(
            r#"{{"Type":"Map","ItemProcessor":{{"ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
                "StartAt":"C","States":{{"C":{{"Type":"Choice","Choices":[{{"Condition":"{{% $states.input = 2 %}}","Next":"F"}}],"Default":"Q"}},
                "F":{{"Type":"Fail","Error":"E","Cause":"C"}},"Q":{{"Type":"Pass","End":true}}}}}},"End":true,{fields}}}"#
        )
    };
    let members = r#"{"a":1,"b":2}"#;
    let failed = r#"[1,{"Status":"FAILED","Error":"E","Cause":"C"},3]"#;
    let exceeded =
        "States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded";
    let rows = [
        (r#""Items":"{% $states.input %}""#, members, r#"[{"Key":"a","Value":1},{"Key":"b","Value":2}]"#),
        (
            r#""Items":"{% $states.input %}","ItemBatcher":{"MaxItemsPerBatch":2}"#,
            members,
            r#"[{"Items":[{"Key":"a","Value":1},{"Key":"b","Value":2}]}]"#,
        ),
        (
            r#""Items":"{% $states.input %}","ItemSelector":"{% $states.context.Map.Item.Value + 5 %}""#,
            members,
            "[6,7]",
        ),
        (r#""Items":[1,2,3],"ToleratedFailureCount":2"#, "{}", failed),
        (r#""Items":[1,2,3],"ToleratedFailureCount":0"#, "{}", exceeded),
        (r#""Items":[1,2,3],"ToleratedFailureCount":0,"ToleratedFailurePercentage":50"#, "{}", failed),
        (r#""Items":[1,2,3],"ToleratedFailureCount":1,"ToleratedFailurePercentage":0"#, "{}", failed),
        (r#""Items":[1,2,3],"ToleratedFailureCount":0,"ToleratedFailurePercentage":0"#, "{}", exceeded),
        (r#""Items":[1,2,3],"ToleratedFailureCount":5,"ToleratedFailurePercentage":30"#, "{}", exceeded),
    ];
    for (fields, input, expected) in rows {
        check("JSONata", &[(&map(fields), input, expected)]);
    }
}
