//! Payload templates.

use stepwright_jsonpath::{NoVariables, Scope, Template, Variables};
use stepwright_value::{Value, read};

struct OneVariable;

impl Variables for OneVariable {
    fn get(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| "variable".into())
    }
}

fn template(text: &str) -> Template {
    Template::compile(&read(text).expect(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn check(text: &str, input: &str, expect: &str) {
    let input = read(input).expect(input);
    let context = || Value::from("context");
    let scope = Scope { input: &input, context: &context, variables: &OneVariable, goes_on: &|| true };
    match template(text).evaluate(&scope, &mut || 0) {
        Ok(value) => assert_eq!(value.to_json(), expect),
        Err(error) => assert_eq!(format!("! {}: {error}", error.error_name()), expect),
    }
}

#[test]
fn evaluate() {
    check(r#"{"a.$":"$.x","b":"$.x","c":1}"#, r#"{"x":2}"#, r#"{"a":2,"b":"$.x","c":1}"#);
    check(
        r#"{"n":{"deep":[{"a.$":"$.x"},{"b":"$"}],"s":{"k":1}}}"#,
        r#"{"x":2}"#,
        r#"{"n":{"deep":[{"a":2},{"b":"$"}],"s":{"k":1}}}"#,
    );
    check(r#"{"a.$":"$","b.$":"$$","c.$":"$v"}"#, "1", r#"{"a":1,"b":"context","c":"variable"}"#);
    check(r#"{"a.$":"States.Format('{}-{}', $.x, $v)"}"#, r#"{"x":2}"#, r#"{"a":"2-variable"}"#);
    check(r#"{".$":"$.x"}"#, r#"{"x":2}"#, r#"{"":2}"#);
    check(r#"[{"a.$":"$[*].x"}]"#, "{}", r#"[{"a":[]}]"#);
    check("\"text\"", "{}", "\"text\"");
    check(
        r#"{"value.$":"$.no_such_jsonpath"}"#,
        r#"{"int-literal":0}"#,
        "! States.Runtime: The JSONPath '$.no_such_jsonpath' specified for the field 'value.$' could not be found \
         in the input '{\"int-literal\":0}'",
    );
    check(
        r#"{"a":[{"value.$":"States.ArrayLength($)"}]}"#,
        "1",
        "! States.Runtime: There was an error while evaluating the intrinsic function: States.ArrayLength($). Invalid \
         arguments in States.ArrayLength",
    );
    check(
        r#"{"value.$":"$$.Nope.Deep"}"#,
        "1",
        "! States.Runtime: The JSONPath '$.Nope.Deep' specified for the field 'value.$' could not be found in the input \
         '\"context\"'",
    );
}

/// An index that its array does not have is null in a template, and only there.
#[test]
fn past_the_end() {
    for path in ["$.a[5]", "$.a[-2]", "$.a[5].b", "$.a[1][0]"] {
        check(&format!(r#"{{"x.$":"{path}"}}"#), r#"{"a":[1]}"#, r#"{"x":null}"#);
    }
    check(r#"{"x.$":"$.a[*][3]"}"#, r#"{"a":[[1]]}"#, r#"{"x":[]}"#);
    for (path, input) in [("$.b[5]", r#"{"a":[1]}"#), ("$.a[0]", r#"{"a":1}"#), ("$.a[0].b", r#"{"a":[{}]}"#)]
    {
        check(
            &format!(r#"{{"x.$":"{path}"}}"#),
            input,
            &format!(
                "! States.Runtime: The JSONPath '{path}' specified for the field 'x.$' could not be found in the input \
                 '{input}'"
            ),
        );
    }
}

#[test]
fn static_templates_are_shared() {
    let value = read(r#"{"a":{"b":[1,{"c":"$.x"}]}}"#).expect("JSON");
    let template = Template::compile(&value).expect("valid");
    assert!(template.is_static());
    let never = || -> Value { panic!("the context is not needed") };
    let scope = Scope { input: &Value::Null, context: &never, variables: &NoVariables, goes_on: &|| true };
    let result = template.evaluate(&scope, &mut || 0).expect("no paths");
    let (Value::Object(result), Value::Object(value)) = (result, value) else { panic!("objects") };
    assert!(result.ptr_eq(&value));
    // The static part of another template too.
    let mixed = read(r#"{"s":{"k":[1]},"d.$":"$"}"#).expect("JSON");
    let result = Template::compile(&mixed).expect("valid").evaluate(&scope, &mut || 0).expect("found");
    let part = |value: &Value| value.get("s").and_then(Value::as_object).cloned().expect("object");
    assert!(part(&result).ptr_eq(&part(&mixed)));
}

#[test]
fn variables() {
    let text = r#"{"b.$":"$b.x","l":[{"a.$":"States.Array($a, $b, $.c)"}],"t":"$d","e.$":"$$.e"}"#;
    assert_eq!(template(text).free_variables(), ["b", "a"]);
}

#[test]
fn refused() {
    for (text, at, key) in [
        (r#"{"a.$":"x"}"#, "", "a.$"),
        (r#"{"a.$":""}"#, "", "a.$"),
        (r#"{"a.$":1}"#, "", "a.$"),
        (r#"{"a.$":{"b":1}}"#, "", "a.$"),
        (r#"{"a/b":[0,{"c.$":"$."}]}"#, "/a~1b/1", "c.$"),
        (r#"{"a.$":"States.Nope()"}"#, "", "a.$"),
        (r#"{"parsed.$":"States.StringToJson('{\"text\":\"An \\\"escaped\\\" here\"}')"}"#, "", "parsed.$"),
    ] {
        let error = Template::compile(&read(text).expect(text)).expect_err(text);
        assert_eq!((error.at.as_str(), error.key.as_str()), (at, key), "{text}");
    }
    let error = Template::compile(&read(r#"{"n":{"a.$":"x"}}"#).expect("JSON")).expect_err("no path");
    assert_eq!(
        error.to_string(),
        "The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call at /n"
    );
}

#[test]
fn results_are_bounded() {
    let input = Value::from("x".repeat(250_000));
    let scope = Scope::of_input(&input);
    let fields = |count: usize| -> String {
        let fields: Vec<String> = (0..count).map(|n| format!(r#""k{n}.$":"$""#)).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert!(template(&fields(60)).evaluate(&scope, &mut || 0).is_ok());
    let error = template(&fields(1000)).evaluate(&scope, &mut || 0).expect_err("250 MB");
    assert_eq!(error.error_name(), "States.DataLimitExceeded");
    let many = format!(r#"{{"k.$":"States.Array({})"}}"#, vec!["$"; 1000].join(","));
    let error = template(&many).evaluate(&scope, &mut || 0).expect_err("250 MB");
    assert_eq!(error.error_name(), "States.DataLimitExceeded");
}
