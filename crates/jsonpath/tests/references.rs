//! Reference paths, above all what `ResultPath` does.

use stepwright_jsonpath::ReferencePath;
use stepwright_value::read;

#[track_caller]
fn check_set(path: &str, into: &str, value: &str, expect: &str) {
    let reference = ReferencePath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let before = read(into).expect(into);
    match reference.set(&before, read(value).expect(value)) {
        Ok(after) => assert_eq!(after.to_json(), expect, "{path} into {into}"),
        Err(error) => assert_eq!(format!("! {error}"), expect, "{path} into {into}"),
    }
    assert_eq!(before, read(into).expect(into), "the input is not changed");
}

#[test]
fn set() {
    check_set("$", r#"{"a":1}"#, "2", "2");
    check_set("$.a", r#"{"a":1,"b":2}"#, "3", r#"{"a":3,"b":2}"#);
    check_set("$.x.y['z z']", r#"{"a":1}"#, "[2]", r#"{"a":1,"x":{"y":{"z z":[2]}}}"#);
    check_set("$.a.b", r#"{"a":{"c":1}}"#, "2", r#"{"a":{"c":1,"b":2}}"#);
    check_set("$.a[1].b", r#"{"a":[0,{}]}"#, "2", r#"{"a":[0,{"b":2}]}"#);
    check_set("$.a[0]", r#"{"a":[0,1]}"#, "2", r#"{"a":[2,1]}"#);
    check_set("$.a", "[1]", "2", "! Unable to apply ReferencePath $.a to input [1]");
    check_set("$.a.b", r#"{"a":"x"}"#, "2", r#"! Unable to apply ReferencePath $.a.b to input {"a":"x"}"#);
    check_set("$.a[2]", r#"{"a":[0]}"#, "2", r#"! Unable to apply ReferencePath $.a[2] to input {"a":[0]}"#);
}

#[test]
fn get() {
    let value = read(r#"{"a":[{"b c":5}]}"#).expect("JSON");
    let get = |path| ReferencePath::parse(path).expect(path).get(&value).map(|found| found.to_json());
    assert_eq!(get("$.a[0]['b c']").as_deref(), Some("5"));
    assert_eq!(get("$.a[1]"), None);
    assert_eq!(get("$.a.b"), None);
}

#[test]
fn refused() {
    for path in [
        "$.a[*]",
        "$..a",
        "$.a[0:1]",
        "$[?(@.a)]",
        "$['a','b']",
        "$[0,1]",
        "$.a.length()",
        "$.*",
        "a",
        "$[-1]",
    ] {
        assert!(ReferencePath::parse(path).is_err(), "{path} is accepted");
    }
    for path in ["$", "$$.Map.Item.Value", "$items", "$.a['b'][0].c", "$.abc.['def ghi']"] {
        assert!(ReferencePath::parse(path).is_ok(), "{path} is refused");
    }
}

#[test]
fn messages() {
    for (path, message) in [
        ("Test", "Reference path didn't start with '$'"),
        ("$.a[$$.Execution.Id]S", "'[' must be followed by ' or '['"),
        ("$.a[*]", "'[' must be followed by ' or '['"),
        ("$..a", "a reference path names one place"),
    ] {
        assert_eq!(ReferencePath::parse(path).expect_err(path).message, message);
    }
}
