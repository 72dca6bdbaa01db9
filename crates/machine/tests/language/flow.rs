//! Pass, Wait, Succeed, Fail.

use crate::check;

#[test]
fn pass_in_json_path() {
    check(
        "JSONPath",
        &[
            (r#"{"Type":"Pass","Comment":"none","QueryLanguage":"JSONPath","End":true}"#, "[1.0]", "[1.0]"),
            (r#"{"Type":"Pass","Result":{"a.$":"$"},"Next":"T"}"#, "1", r#"{"a.$":"$"}"#),
            (r#"{"Type":"Pass","InputPath":"$.a","Next":"T"}"#, r#"{"a":[2]}"#, "[2]"),
            (r#"{"Type":"Pass","InputPath":null,"Next":"T"}"#, r#"{"a":[2]}"#, "{}"),
            (
                r#"{"Type":"Pass","Parameters":{"b.$":"$.a","c":1},"End":true}"#,
                r#"{"a":2}"#,
                r#"{"b":2,"c":1}"#,
            ),
            (
                r#"{"Type":"Pass","Result":3,"ResultPath":"$.b.c","End":true}"#,
                r#"{"a":2}"#,
                r#"{"a":2,"b":{"c":3}}"#,
            ),
            (r#"{"Type":"Pass","Result":3,"ResultPath":null,"End":true}"#, r#"{"a":2}"#, r#"{"a":2}"#),
            (r#"{"Type":"Pass","OutputPath":"$.a","End":true}"#, r#"{"a":[2]}"#, "[2]"),
            (r#"{"Type":"Pass","OutputPath":null,"End":true}"#, r#"{"a":[2]}"#, "{}"),
            (r#"{"Type":"Pass","Assign":{"v.$":"$.a"},"Next":"E"}"#, r#"{"a":[2]}"#, "[2]"),
        ],
    );
}

#[test]
fn pass_in_jsonata() {
    check(
        "JSONata",
        &[
            (r#"{"Type":"Pass","Comment":"none","QueryLanguage":"JSONata","End":true}"#, "[1.0]", "[1.0]"),
            (r#"{"Type":"Pass","Output":{"a":["{% $states.input + 1 %}"]},"Next":"T"}"#, "1", r#"{"a":[2]}"#),
            (r#"{"Type":"Pass","Assign":{"v":"{% $states.input.a %}"},"Next":"E"}"#, r#"{"a":[2]}"#, "[2]"),
        ],
    );
}

#[test]
fn wait_in_json_path() {
    const AT: &str = r#"{"at":"2024-10-27T03:34:00Z","n":2}"#;
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Wait","Comment":"none","QueryLanguage":"JSONPath","Seconds":3,"Next":"T"}"#,
                "1",
                "@3s 1",
            ),
            (r#"{"Type":"Wait","SecondsPath":"$.n","OutputPath":"$.n","End":true}"#, AT, "@2s 2"),
            (r#"{"Type":"Wait","Timestamp":"2024-10-27T03:34:00Z","End":true}"#, "1", "@40s 1"),
            (
                r#"{"Type":"Wait","InputPath":"$","TimestampPath":"$.at","OutputPath":"$.n","End":true}"#,
                AT,
                "@40s 2",
            ),
            (r#"{"Type":"Wait","Seconds":1,"Assign":{"v.$":"$.n"},"Next":"E"}"#, AT, "@1s 2"),
        ],
    );
}

#[test]
fn wait_in_jsonata() {
    const AT: &str = r#"{"at":"2024-10-27T03:34:00Z","n":2}"#;
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Wait","Comment":"none","QueryLanguage":"JSONata","Seconds":3,"Next":"T"}"#,
                "1",
                "@3s 1",
            ),
            (r#"{"Type":"Wait","Seconds":"{% $states.input.n * 2 %}","End":true,"Output":1}"#, AT, "@4s 1"),
            (r#"{"Type":"Wait","Timestamp":"{% $states.input.at %}","Output":1,"End":true}"#, AT, "@40s 1"),
            (r#"{"Type":"Wait","Seconds":1,"Assign":{"v":"{% $states.input.n %}"},"Next":"E"}"#, AT, "@1s 2"),
        ],
    );
}

#[test]
fn succeed_in_json_path() {
    check(
        "JSONPath",
        &[
            (r#"{"Type":"Succeed","Comment":"none","QueryLanguage":"JSONPath"}"#, "1", "1"),
            (r#"{"Type":"Succeed","InputPath":"$.a","OutputPath":"$.b"}"#, r#"{"a":{"b":3}}"#, "3"),
        ],
    );
}

#[test]
fn succeed_in_jsonata() {
    check(
        "JSONata",
        &[
            (r#"{"Type":"Succeed","Comment":"none","QueryLanguage":"JSONata"}"#, "1", "1"),
            (r#"{"Type":"Succeed","Output":"{% $states.input.a.b %}"}"#, r#"{"a":{"b":3}}"#, "3"),
        ],
    );
}

#[test]
fn fail_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Fail","Comment":"none","QueryLanguage":"JSONPath","Error":"Broken","Cause":"why"}"#,
                "{}",
                "Broken: why",
            ),
            (
                r#"{"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('because {}', $.c)"}"#,
                r#"{"e":"E","c":1}"#,
                "E: because 1",
            ),
        ],
    );
}

#[test]
fn fail_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Fail","Comment":"none","QueryLanguage":"JSONata","Error":"Broken","Cause":"why"}"#,
                "{}",
                "Broken: why",
            ),
            (
                r#"{"Type":"Fail","Error":"{% $states.input.e %}","Cause":"{% 'because ' & $states.input.c %}"}"#,
                r#"{"e":"E","c":1}"#,
                "E: because 1",
            ),
        ],
    );
}

#[test]
fn one_state_in_jsonata() {
    check(
        "JSONPath",
        &[(
            r#"{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $states.input.a %}","Next":"T"}"#,
            r#"{"a":7}"#,
            "7",
        )],
    );
}
