//! Time per selection, against the fastest JSONPath crate there is, in one run so that the ratios hold on any machine:
//! `cargo bench -p stepwright-jsonpath`. All paths are compiled before. Ours yields a value of its own, the
//! other yields references.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json_path::JsonPath;
use stepwright_jsonpath::{Intrinsic, Path, Scope, Template};
use stepwright_value::read;

const PATHS: [&str; 10] = [
    "$",
    "$.Execution",
    "$.orders[3].customer.name",
    "$['orders'][7]['customer']['address']['city']",
    "$.orders[*].id",
    "$.orders[2:20].lines[0].sku",
    "$.orders[?@.total > 100].id",
    "$.orders[?@.customer.name == 'n7' && @.total < 500].lines[*].sku",
    "$..sku",
    "$.orders[*].lines[*].quantity",
];

/// About 8 KB.
fn input() -> String {
    let orders: Vec<String> = (0..40)
        .map(|n| {
            format!(
                r#"{{"id":"o-{n}","total":{},"customer":{{"name":"n{n}","address":{{"street":"s","city":"c{n}"}}}},
                "lines":[{{"sku":"a{n}","quantity":{n}}},{{"sku":"b{n}","quantity":2.5}}]}}"#,
                n * 10
            )
        })
        .collect();
    format!(r#"{{"Execution":"e","orders":[{}]}}"#, orders.join(","))
}

/// Nanoseconds per call: the best of several batches, which leaves out the machine's other work.
fn time(mut call: impl FnMut()) -> f64 {
    let mut batch = 1u32;
    let took = |call: &mut dyn FnMut(), batch: u32| {
        let start = Instant::now();
        (0..batch).for_each(|_| call());
        start.elapsed()
    };
    while took(&mut call, batch) < Duration::from_millis(5) {
        batch *= 2;
    }
    (0..15).map(|_| took(&mut call, batch).as_secs_f64() * 1e9 / f64::from(batch)).fold(f64::MAX, f64::min)
}

fn main() {
    let text = input();
    let value = read(&text).expect("JSON");
    let serde: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    println!("{:<66} {:>9} {:>15} {:>7}", "path", "ours", "serde_json_path", "ratio");
    let mut log = 0.0;
    for path in PATHS {
        // The other wants filters without parentheses, Jayway wants them with.
        let ours = Path::parse(
            &path.replace("?@", "?(@").replace("].id", ")].id").replace("].lines[*].sku", ")].lines[*].sku"),
        )
        .or_else(|_| Path::parse(path))
        .expect(path);
        let theirs = JsonPath::parse(path).expect(path);
        let count = theirs.query(&serde).len();
        let selected = ours.select_from(&value).expect(path);
        assert!(
            ours.is_definite() || selected.as_array().is_some_and(|found| found.len() == count),
            "{path}"
        );
        let own = time(|| drop(black_box(ours.select_from(black_box(&value)))));
        let rival = time(|| drop(black_box(theirs.query(black_box(&serde)))));
        log += (rival / own).ln();
        println!("{path:<66} {own:>6.0} ns {rival:>12.0} ns {:>5.1} x", rival / own);
    }
    println!("geometric mean of the ratios: {:.1} x", (log / PATHS.len() as f64).exp());

    let scope = Scope::of_input(&value);
    let call = Intrinsic::parse("States.Format('{}/{}', $.orders[0].id, $.Execution)").expect("valid");
    println!(
        "States.Format of two paths: {:.0} ns",
        time(|| drop(black_box(call.evaluate(&scope, &mut || 0))))
    );
    let template = read(r#"{"id.$":"$.orders[0].id","k":{"x":[1,2]},"n":{"total.$":"$.orders[0].total"}}"#)
        .expect("JSON");
    let template = Template::compile(&template).expect("valid");
    println!(
        "template of two paths: {:.0} ns",
        time(|| drop(black_box(template.evaluate(&scope, &mut || 0))))
    );
}
