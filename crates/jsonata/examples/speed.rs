//! Measures expressions on bound data: one JSON object `{rows: [{name, expr, states}], seconds, windows}` on the input, one line
//! `{"name": ..., "bound": N, "compiled": N}` of evaluations (and compilations with one evaluation) in each second for
//! each row. The other side of `differential/speed.mjs`.

use std::io::Read;
use std::time::{Duration, Instant};

use stepwright_jsonata::{Bindings, Environment, Expression, Limits};
use stepwright_value::{Object, Value, read};

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("input");
    let input = read(&text).expect("JSON");
    let window = Duration::from_secs_f64(input.get("seconds").and_then(Value::as_f64).unwrap_or(0.4));
    let windows = input.get("windows").and_then(Value::as_i64).unwrap_or(4);
    for row in input.get("rows").and_then(Value::as_array).expect("rows") {
        let source = row.get("expr").and_then(Value::as_str).expect("an expression");
        let states = row.get("states").expect("data");
        let expression = Expression::compile(source).expect("valid");
        let result = evaluate(&expression, states).map(|value| value.to_json()).unwrap_or_default();
        let bound = fastest(window, windows, || drop(evaluate(&expression, states)));
        let compiled = fastest(window, windows, || {
            drop(Expression::compile(source).map(|expression| evaluate(&expression, states)));
        });
        let line = Object::from_iter([
            ("name", row.get("name").cloned().unwrap_or_default()),
            ("bound", Value::from(bound as i64)),
            ("compiled", Value::from(compiled as i64)),
            ("result", Value::from(result)),
        ]);
        println!("{}", Value::from(line));
    }
}

fn evaluate(expression: &Expression, states: &Value) -> Option<Value> {
    let mut random = || 0;
    let mut environment = Environment { now_ms: 0, random: &mut random, goes_on: &|| true };
    let bindings = [("states", states)];
    expression
        .evaluate_with(None, &Bindings::new(&bindings), &mut environment, &Limits::generous())
        .expect("a value")
}

/// The best of some windows, in runs per second.
fn fastest(window: Duration, windows: i64, mut run: impl FnMut()) -> f64 {
    let mut best = 0.0f64;
    for _ in 0..windows {
        let start = Instant::now();
        let mut count = 0;
        while start.elapsed() < window {
            run();
            count += 1;
        }
        best = best.max(f64::from(count) / start.elapsed().as_secs_f64());
    }
    best
}
