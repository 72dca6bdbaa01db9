//! What others recorded of AWS's `ValidateStateMachineDefinition`, or described as measured there, and told in public.

use stepwright_asl::{MachineType, Severity, validate};

#[track_caller]
fn check(definition: &str, expected: &[&str]) {
    let found = validate(definition, MachineType::Standard, Severity::Error, 0);
    let found: Vec<&str> = found.diagnostics.iter().map(|finding| &*finding.message).collect();
    assert_eq!(found, expected, "{definition}");
}

/// Recordings in <https://github.com/gabrielmoreira/tiny-asl-machine> (`tests/conformance/cases/.snapshots/aws`, groups
/// `Validation.BasicStructure` and `Validation.Structure`): AWS reports fields, transitions and the end in one answer.
#[test]
fn structure() {
    let endless = "Workflow has no terminal state";
    check(r#"{"StartAt":"A","States":{"A":{"End":true}}}"#, &["The field 'Type' is required", endless]);
    check(
        r#"{"StartAt":"A","States":{"A":{"Type":"Unknown","End":true}}}"#,
        &[
            "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]",
        ],
    );
    check(
        r#"{"StartAt":"A","States":{"A":{"Type":"Succeed","Next":"B"},"B":{"Type":"Pass","End":true}}}"#,
        &["Field 'Next' is not supported"],
    );
    check(
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass"}}}"#,
        &["This object should have only one of the following fields: [Next, End]", endless],
    );
    check(r#"{"StartAt":"A","States":{}}"#, &["Value cannot be empty", "Missing 'Next' target: A", endless]);
    check(r#"{"States":{"A":{"Type":"Pass","End":true}}}"#, &["These fields are required: [StartAt]"]);
    check(
        r#"{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}"#,
        &["Missing 'Next' target: B", "State \"A\" is not reachable."],
    );
    check(
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}"#,
        &["Missing 'Next' target: B", endless],
    );
    check(
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}"#,
        &[endless],
    );
    let retry = |retriers: &str| {
        format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sts:getCallerIdentity","Parameters":{{}},"Retry":[{retriers}],"End":true}}}}}}"#
        )
    };
    for retriers in
        [r#"{"ErrorEquals":["States.ALL","E"]}"#, r#"{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}"#]
    {
        check(&retry(retriers), &["States.ALL must appear alone and at end of list"]);
    }
}

/// The same, groups `Feature.WaitValidation` and `Feature.ChoiceValidation`.
#[test]
fn waits_and_choices() {
    let state =
        |fields: &str| format!(r#"{{"StartAt":"S","States":{{"S":{{{fields}}},"T":{{"Type":"Succeed"}}}}}}"#);
    for (fields, expected) in [
        (
            r#""Seconds":1,"Timestamp":"2025-01-01T00:00:10.000Z""#,
            "There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]",
        ),
        (
            r#""Comment":"none""#,
            "This object should have only one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp]",
        ),
        (r#""Seconds":-1"#, "Minimum value is 0"),
        (r#""Seconds":1.5"#, "Expected value of type Integer"),
        (r#""Timestamp":"not-a-timestamp""#, "String does not match RFC3339 timestamp"),
    ] {
        check(&state(&format!(r#""Type":"Wait","Next":"T",{fields}"#)), &[expected]);
    }
    let operators = "[StringEquals, IsBoolean, StringLessThan, IsNumeric, BooleanEquals, StringLessThanEqualsPath, NumericLessThan, \
        NumericGreaterThan, NumericLessThanPath, StringMatches, TimestampLessThanEqualsPath, NumericEquals, \
        TimestampGreaterThan, StringGreaterThanEqualsPath, TimestampGreaterThanEqualsPath, TimestampLessThanEquals, \
        NumericLessThanEqualsPath, TimestampEquals, BooleanEqualsPath, IsTimestamp, StringLessThanEquals, \
        NumericLessThanEquals, StringLessThanPath, TimestampGreaterThanPath, StringGreaterThan, StringGreaterThanPath, \
        IsString, StringEqualsPath, TimestampEqualsPath, TimestampLessThan, StringGreaterThanEquals, \
        NumericGreaterThanPath, NumericGreaterThanEquals, NumericEqualsPath, TimestampLessThanPath, IsNull, IsPresent, \
        TimestampGreaterThanEquals, NumericGreaterThanEqualsPath]";
    let none = format!("This object should have only one of the following fields: {operators}");
    let several = format!("There should only be one of the following fields: {operators}");
    for (choices, expected) in [
        ("", "Value cannot be empty"),
        (r#"{"Variable":"$.status","Next":"T"}"#, &*none),
        (
            r#"{"Variable":"status","StringEquals":"READY","Next":"T"}"#,
            "Value is not a Reference Path: Reference path didn't start with '$'",
        ),
        (r#"{"Variable":"$.value","StringEquals":"1","NumericGreaterThan":0,"Next":"T"}"#, &*several),
        (r#"{"Not":{"Or":[]},"Next":"T"}"#, "Value cannot be empty"),
    ] {
        check(&state(&format!(r#""Type":"Choice","Choices":[{choices}],"Default":"T""#)), &[expected]);
    }
}

/// The same, group `Feature.JSONataValidation`; and <https://github.com/iwamot/sfnx> `docs/design.md`.
#[test]
fn expressions_and_calls() {
    let state = |fields: &str| {
        format!(r#"{{"QueryLanguage":"JSONata","StartAt":"S","States":{{"S":{{{fields},"End":true}}}}}}"#)
    };
    for field in ["result", "errorOutput"] {
        check(
            &state(&format!(r#""Type":"Pass","Output":"{{% $states.{field} %}}""#)),
            &[&format!("Field '$states.{field}' does not exist.")],
        );
    }
    let lambda = |payload: &str| {
        state(&format!(
            r#""Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{{"FunctionName":"f","Payload":{payload}}}"#
        ))
    };
    check(&lambda(r#""{% $states.errorOutput %}""#), &["Field '$states.errorOutput' does not exist."]);
    for (payload, is_taken) in
        [("5", false), ("true", false), ("null", true), (r#""x""#, true), ("[]", true), ("{}", true)]
    {
        let found = validate(&lambda(payload), MachineType::Standard, Severity::Error, 0);
        assert_eq!(found.ok, is_taken, "{payload}");
        assert!(found.diagnostics.iter().all(|finding| finding.code == "SCHEMA_VALIDATION_FAILED"));
    }
    let sdk = r#""Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:noSuchThing","Arguments":{}"#;
    let found = validate(&state(sdk), MachineType::Standard, Severity::Error, 0);
    assert_eq!(found.diagnostics.first().map(|finding| finding.code), Some("SCHEMA_VALIDATION_FAILED"));
}
