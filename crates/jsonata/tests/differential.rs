//! Cases that were generated from the official suite (its expressions on other data, on changed data, and within
//! templates), with the answers of jsonata-js 2.2.2. `differential/run.mjs --write` makes the file anew.

use stepwright_jsonata::{Bindings, Environment, Expression, Limits};
use stepwright_value::{Object, Value, read};

#[test]
fn answers_are_those_of_jsonata_js() {
    let run = || {
        let cases = include_str!("differential.jsonl").lines().map(|line| read(line).expect("JSON"));
        let wrong: Vec<String> = cases.filter_map(|case| check(&case).err()).collect();
        assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    };
    // Room for deep evaluations in an unoptimised build.
    std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("a thread").join().expect("all agree");
}

fn check(case: &Value) -> Result<(), String> {
    let found = answer(case);
    if case.get("answer") == Some(&found) {
        return Ok(());
    }
    let source = case.get("expr").and_then(Value::as_str).unwrap_or_default();
    Err(format!("{source}\n  expected {:?}\n  found {found}", case.get("answer")))
}

fn member(key: &str, value: impl Into<Value>) -> Value {
    Object::from_iter([(key, value)]).into()
}

fn answer(case: &Value) -> Value {
    let source = case.get("expr").and_then(Value::as_str).unwrap_or_default();
    let expression = match Expression::compile(source) {
        Ok(expression) => expression,
        Err(error) => return member("code", error.code),
    };
    let bindings = case.get("bindings").and_then(Value::as_object).cloned().unwrap_or_default();
    let variables: Vec<(&str, &Value)> = bindings.iter().map(|(name, value)| (&**name, value)).collect();
    let mut random = || 0;
    let mut environment = Environment { now_ms: 0, random: &mut random, goes_on: &|| true };
    let limits = Limits::generous();
    match expression.evaluate_with(case.get("data"), &Bindings::new(&variables), &mut environment, &limits) {
        Ok(Some(value)) => member("value", value),
        Ok(None) => member("undefined", true),
        Err(error) if error.kind == stepwright_jsonata::EvaluationErrorKind::UnsupportedResult => {
            member("function", true)
        }
        Err(error) => member("code", error.code.unwrap_or_default()),
    }
}
