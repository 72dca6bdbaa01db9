//! Choice: rules and comparison operators.

use crate::{check, run};

#[test]
fn choice_in_json_path() {
    check(
        "JSONPath",
        &[
            (
                r#"{"Type":"Choice","Comment":"none","QueryLanguage":"JSONPath","Choices":[
                    {"Comment":"never","Variable":"$.n","NumericEquals":1,"Next":"S"},
                    {"Variable":"$.n","NumericEquals":2,"Next":"T"}]}"#,
                r#"{"n":2}"#,
                r#"{"n":2}"#,
            ),
            (
                r#"{"Type":"Choice","InputPath":"$.in","OutputPath":"$.n","Choices":[
                    {"Variable":"$.n","NumericEquals":1,"Next":"S"}],"Default":"T"}"#,
                r#"{"in":{"n":2}}"#,
                "2",
            ),
            (
                r#"{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":2,"Assign":{"v.$":"$.n"},"Next":"E"}],
                    "Default":"T"}"#,
                r#"{"n":2}"#,
                "2",
            ),
            (
                r#"{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":3,"Next":"T"}],
                    "Assign":{"v":"of the default"},"Default":"E"}"#,
                r#"{"n":2}"#,
                r#""of the default""#,
            ),
        ],
    );
}

#[test]
fn choice_in_jsonata() {
    check(
        "JSONata",
        &[
            (
                r#"{"Type":"Choice","Comment":"none","QueryLanguage":"JSONata","Choices":[
                    {"Comment":"never","Condition":"{% $states.input.n = 1 %}","Next":"S"},
                    {"Condition":"{% $states.input.n = 2 %}","Output":"{% $states.input.n %}","Next":"T"}]}"#,
                r#"{"n":2}"#,
                "2",
            ),
            (
                r#"{"Type":"Choice","Choices":[{"Condition":false,"Next":"S"}],"Default":"T","Output":"other"}"#,
                "{}",
                r#""other""#,
            ),
            (
                r#"{"Type":"Choice","Choices":[{"Condition":"{% true %}","Assign":{"v":"{% $states.input.n %}"},"Next":"E"}],
                    "Assign":{"v":"of the default"},"Default":"E"}"#,
                r#"{"n":2}"#,
                "2",
            ),
            (
                r#"{"Type":"Choice","Choices":[{"Condition":"{% false %}","Next":"T"}],
                    "Assign":{"v":"of the default"},"Default":"E"}"#,
                r#"{"n":2}"#,
                r#""of the default""#,
            ),
        ],
    );
}

#[test]
fn rules_within_rules() {
    const RULES: [(&str, &str, &str); 6] = [
        (
            r#""And":[{"Variable":"$.a","IsPresent":true},{"Variable":"$.b","IsPresent":true}]"#,
            r#"{"a":1}"#,
            "no",
        ),
        (
            r#""And":[{"Variable":"$.a","IsPresent":true},{"Variable":"$.b","IsPresent":true}]"#,
            r#"{"a":1,"b":2}"#,
            "yes",
        ),
        (
            r#""Or":[{"Variable":"$.a","IsPresent":true},{"Variable":"$.b","IsPresent":true}]"#,
            r#"{"b":1}"#,
            "yes",
        ),
        (r#""Or":[{"Variable":"$.a","IsPresent":true},{"Variable":"$.b","IsPresent":true}]"#, "{}", "no"),
        (r#""Not":{"Comment":"inverted","Variable":"$.a","IsPresent":true}"#, "{}", "yes"),
        (r#""Not":{"And":[{"Or":[{"Not":{"Variable":"$.a","IsPresent":true}}]}]}"#, r#"{"a":1}"#, "yes"),
    ];
    for (rule, input, expected) in RULES {
        assert_eq!(verdict(rule, input), expected, "{rule} {input}");
    }
}

/// Operator, operand, what holds, what does not.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[rustfmt::skip]
const OPERATORS: [Row; 23] = [
    ("StringEquals", r#""b""#, &[r#""b""#], &[r#""B""#, "1", "null"]),
    ("StringLessThan", r#""b""#, &[r#""a""#, r#""""#, r#""B""#], &[r#""b""#, r#""c""#, "1"]),
    ("StringLessThanEquals", r#""b""#, &[r#""a""#, r#""b""#], &[r#""c""#, "1"]),
    ("StringGreaterThan", r#""b""#, &[r#""c""#, r#""ba""#], &[r#""b""#, r#""a""#, "3"]),
    ("StringGreaterThanEquals", r#""b""#, &[r#""c""#, r#""b""#], &[r#""a""#, "3"]),
    ("StringMatches", r#""a*.\\*""#, &[r#""a.*""#, r#""abc.*""#], &[r#""abc.d""#, r#""b.*""#, "1"]),
    ("NumericEquals", "2", &["2", "2.0"], &["2.5", r#""2""#]),
    ("NumericLessThan", "2", &["1.9", "-1e9"], &["2", "3", r#""1""#]),
    ("NumericLessThanEquals", "2", &["2", "1"], &["2.1", r#""1""#]),
    ("NumericGreaterThan", "2", &["2.1", "9007199254740993"], &["2", "1", r#""3""#]),
    ("NumericGreaterThanEquals", "2", &["2", "3"], &["1.9", r#""3""#]),
    ("BooleanEquals", "true", &["true"], &["false", r#""true""#, "1"]),
    ("TimestampEquals", r#""2024-01-01T00:00:00Z""#, &[r#""2024-01-01T00:00:00Z""#, r#""2024-01-01T01:00:00+01:00""#], &[r#""2024-01-01T00:00:01Z""#, r#""x""#, "1"]),
    ("TimestampLessThan", r#""2024-01-01T00:00:00Z""#, &[r#""2023-12-31T23:59:59Z""#], &[r#""2024-01-01T00:00:00Z""#, r#""x""#]),
    ("TimestampLessThanEquals", r#""2024-01-01T00:00:00Z""#, &[r#""2024-01-01T00:00:00Z""#], &[r#""2024-01-01T00:00:01Z""#]),
    ("TimestampGreaterThan", r#""2024-01-01T00:00:00Z""#, &[r#""2024-01-01T00:00:01Z""#], &[r#""2024-01-01T00:00:00Z""#]),
    ("TimestampGreaterThanEquals", r#""2024-01-01T00:00:00Z""#, &[r#""2024-01-01T00:00:00Z""#], &[r#""2023-01-01T00:00:00Z""#]),
    ("IsNull", "true", &["null"], &["0", r#""""#, "false"]),
    ("IsPresent", "true", &["null", "0"], &[]),
    ("IsNumeric", "true", &["0", "1.5"], &[r#""0""#, "null"]),
    ("IsString", "true", &[r#""""#], &["0", "null", "[]"]),
    ("IsBoolean", "true", &["false"], &["0", "null"]),
    ("IsTimestamp", "true", &[r#""2024-01-01T00:00:00Z""#], &[r#""2024-01-01""#, "0"]),
];

#[test]
fn operators() {
    for (operator, operand, holding, failing) in OPERATORS {
        let rule = format!(r#""Variable":"$.x","{operator}":{operand}"#);
        for (values, expected) in [(holding, "yes"), (failing, "no")] {
            for value in values {
                let input = format!(r#"{{"x":{value}}}"#);
                assert_eq!(verdict(&rule, &input), expected, "{rule} {input}");
            }
        }
        if operator.starts_with("Is") {
            let inverted = format!(r#""Variable":"$.x","{operator}":false"#);
            for (values, expected) in [(holding, "no"), (failing, "yes")] {
                for value in values {
                    let input = format!(r#"{{"x":{value}}}"#);
                    assert_eq!(verdict(&inverted, &input), expected, "{inverted} {input}");
                }
            }
        }
    }
    assert_eq!(verdict(r#""Variable":"$.y","IsPresent":false"#, "{}"), "yes");
}

/// The forms that compare with another place of the input.
#[test]
fn path_operators() {
    let with_path = OPERATORS.iter().filter(|(name, ..)| !name.starts_with("Is") && *name != "StringMatches");
    for (operator, operand, holding, failing) in with_path {
        let rule = format!(r#""Variable":"$.x","{operator}Path":"$.y""#);
        for (values, expected) in [(holding, "yes"), (failing, "no")] {
            for value in *values {
                let input = format!(r#"{{"x":{value},"y":{operand}}}"#);
                assert_eq!(verdict(&rule, &input), expected, "{rule} {input}");
            }
        }
    }
}

fn verdict(rule: &str, input: &str) -> String {
    let definition = format!(
        r#"{{"StartAt":"C","States":{{"C":{{"Type":"Choice","Choices":[{{{rule},"Next":"Y"}}],"Default":"N"}},
            "Y":{{"Type":"Pass","Result":"yes","End":true}},"N":{{"Type":"Pass","Result":"no","End":true}}}}}}"#
    );
    run(&definition, input).trim_matches('"').to_owned()
}
