//! Answers cases, one JSON object `{expr, data, bindings}` on each line of the input, with one line each: `{"value": ...}`,
//! `{"undefined": true}`, `{"function": true}`, `{"limit": true}` or `{"code": ..., "message": ...}`. The other side of
//! `differential/run.mjs`.

use std::io::{BufRead, Write};

use stepwright_jsonata::{Bindings, Environment, EvaluationErrorKind, Expression, Limits};
use stepwright_value::{Object, Value, read};

fn main() -> std::io::Result<()> {
    let run = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
        let mut out = std::io::BufWriter::new(std::io::stdout());
        for line in std::io::stdin().lock().lines() {
            let answer = read(&line?).map_or_else(|_| member("unreadable", true), |case| answer(&case));
            writeln!(out, "{answer}")?;
        }
        out.flush()
    })?;
    run.join().unwrap_or(Ok(()))
}

fn member(key: &str, value: impl Into<Value>) -> Value {
    Object::from_iter([(key, value)]).into()
}

fn answer(case: &Value) -> Value {
    let source = case.get("expr").and_then(Value::as_str).unwrap_or_default();
    let expression = match Expression::compile(source) {
        Ok(expression) => expression,
        Err(error) => return failure(&error.code, &error.message),
    };
    let bindings = case.get("bindings").and_then(Value::as_object).cloned().unwrap_or_default();
    let variables: Vec<(&str, &Value)> = bindings.iter().map(|(name, value)| (&**name, value)).collect();
    let mut random = || 0;
    let mut environment = Environment { now_ms: 0, random: &mut random, goes_on: &|| true };
    let limits = Limits { depth_max: 400, fuel_max: 30_000_000, ..Limits::generous() };
    match expression.evaluate_with(case.get("data"), &Bindings::new(&variables), &mut environment, &limits) {
        Ok(Some(value)) => member("value", value),
        Ok(None) => member("undefined", true),
        Err(error) => match error.kind {
            EvaluationErrorKind::Limit => member("limit", true),
            EvaluationErrorKind::UnsupportedResult => member("function", true),
            EvaluationErrorKind::Expression | EvaluationErrorKind::Internal => {
                failure(error.code.as_deref().unwrap_or_default(), &error.message)
            }
        },
    }
}

fn failure(code: &str, message: &str) -> Value {
    Object::from_iter([("code", code), ("message", message)]).into()
}
