//! The reserved error names: which failures have them, and which of them a catcher takes.

use crate::{check, run};

#[test]
fn names_of_failures() {
    let of = |end: String| end.split(':').next().unwrap_or_default().to_owned();
    let rows = [
        (
            "JSONPath",
            r#"{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","TimeoutSeconds":9,"End":true}"#,
            r#"{"silent":1}"#,
            "@9s States.Timeout",
        ),
        (
            "JSONPath",
            r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":"silent"},"HeartbeatSeconds":4,"TimeoutSeconds":9,"End":true}"#,
            "{}",
            "@4s States.HeartbeatTimeout",
        ),
        (
            "JSONPath",
            r#"{"Type":"Pass","Result":1,"ResultPath":"$.a.b","End":true}"#,
            r#"{"a":[]}"#,
            "States.ResultPathMatchFailure",
        ),
        (
            "JSONPath",
            r#"{"Type":"Pass","Parameters":{"a.$":"$.missing"},"End":true}"#,
            "{}",
            "States.Runtime",
        ),
        (
            "JSONPath",
            r#"{"Type":"Pass","Parameters":{"a.$":"States.StringToJson('{')"},"End":true}"#,
            "{}",
            "States.Runtime",
        ),
        (
            "JSONPath",
            r#"{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"T"}]}"#,
            r#"{"n":2}"#,
            "States.Runtime",
        ),
        (
            "JSONata",
            r#"{"Type":"Choice","Choices":[{"Condition":false,"Next":"T"}]}"#,
            "{}",
            "States.Runtime",
        ),
        (
            "JSONata",
            r#"{"Type":"Pass","Output":"{% $states.input.missing %}","End":true}"#,
            "{}",
            "States.QueryEvaluationError",
        ),
    ];
    for (language, state, input, expected) in rows {
        let target = if state.contains("Next") { r#","T":{"Type":"Succeed"}"# } else { "" };
        let definition =
            format!(r#"{{"QueryLanguage":"{language}","StartAt":"S","States":{{"S":{state}{target}}}}}"#);
        assert_eq!(of(run(&definition, input)), expected, "{state}");
    }
}

/// A result that is too large; only its name catches it.
#[test]
fn data_limit_exceeded() {
    let end = |catcher: &str| {
        let definition = format!(
            r#"{{"QueryLanguage":"JSONata","StartAt":"S","States":{{"T":{{"Type":"Pass","Output":"caught","End":true}},
                "S":{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Output":"{{% $pad('', 300000, 'x') %}}","Catch":[{{"ErrorEquals":["{catcher}"],"Next":"T"}}],"End":true}}}}}}"#
        );
        run(&definition, "{}")
    };
    let uncaught = end("States.ALL");
    assert!(uncaught.starts_with("States.DataLimitExceeded: "), "{uncaught:.200}");
    assert_eq!(end("States.DataLimitExceeded"), r#""caught""#);
}

/// What the wildcards take: `States.ALL` all but `States.Runtime` and failures for size, `States.TaskFailed` all but `States.Timeout`.
#[test]
fn wildcards() {
    let task = |catcher: &str, error: &str| {
        format!(
            r#"{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Parameters":{{"fail":"{error}"}},"Catch":[{{"ErrorEquals":["{catcher}"],"ResultPath":"$.e","Next":"T"}}],"End":true}}"#
        )
    };
    for (catcher, error, caught) in [
        ("States.ALL", "Any", true),
        ("States.ALL", "States.Timeout", true),
        ("States.ALL", "States.Permissions", true),
        ("States.ALL", "States.Runtime", false),
        ("States.TaskFailed", "Any", true),
        ("States.TaskFailed", "States.Timeout", false),
        ("States.Permissions", "States.Permissions", true),
    ] {
        let caught_output = format!(r#"{{"e":{{"Error":"{error}","Cause":"cause"}}}}"#);
        let expected = if caught { caught_output } else { format!("{error}: cause") };
        check("JSONPath", &[(&task(catcher, error), "{}", &expected)]);
    }
}

/// A catcher takes each reserved name by itself, whoever raised it; but for one.
#[test]
fn reserved_names_are_caught() {
    let names = [
        "States.ALL",
        "States.TaskFailed",
        "States.Timeout",
        "States.HeartbeatTimeout",
        "States.Permissions",
        "States.ResultPathMatchFailure",
        "States.ParameterPathFailure",
        "States.BranchFailed",
        "States.NoChoiceMatched",
        "States.IntrinsicFailure",
        "States.ExceedToleratedFailureThreshold",
        "States.ItemReaderFailed",
        "States.ResultWriterFailed",
        "States.DataLimitExceeded",
        "States.Runtime",
        "States.QueryEvaluationError",
    ];
    assert_eq!(names, stepwright_types::error_name::RESERVED);
    for name in names {
        let state = format!(
            r#"{{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f",
                "Parameters":{{"fail":"{name}"}},"Catch":[{{"ErrorEquals":["{name}"],"Next":"T"}}],"End":true}}"#
        );
        let caught = format!(r#"{{"Error":"{name}","Cause":"cause"}}"#);
        let expected = if name == "States.Runtime" { format!("{name}: cause") } else { caught };
        check("JSONPath", &[(&state, "{}", &expected)]);
    }
}
