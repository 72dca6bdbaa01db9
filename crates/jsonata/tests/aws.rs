//! AWS's mode: limits with AWS's words, AWS's functions, refusals, 64-bit integers.

use std::time::{Duration, Instant};

use stepwright_jsonata::{
    Bindings, Environment, EvaluationError, EvaluationErrorKind, Expression, Limits, RefusalKind,
};
use stepwright_value::{Value, read};

const STACK: &str = "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive";
const MEMORY: &str = "Expression evaluation memory limit exceeded: Check for excessive memory usage";
const TIMEOUT: &str = "Expression evaluation timeout: Check for infinite loop";

fn evaluate(source: &str, states: &str) -> Result<Option<Value>, EvaluationError> {
    evaluate_within(source, states, &Limits::aws())
}

fn evaluate_within(source: &str, states: &str, limits: &Limits) -> Result<Option<Value>, EvaluationError> {
    let expression = match Expression::compile(source) {
        Ok(expression) => expression,
        Err(error) => panic!("{source:.80}: {error}"),
    };
    let states = read(states).expect("JSON");
    let mut random = || 0x0123_4567_89AB_CDEF;
    let mut environment = Environment { now_ms: 1_767_225_600_000, random: &mut random, goes_on: &|| true };
    expression.evaluate(&Bindings::new(&[("states", &states)]), &mut environment, limits)
}

/// The result as JSON text, or the error as `code: message`.
fn answer(source: &str, states: &str) -> String {
    match evaluate(source, states) {
        Ok(Some(value)) => value.to_json(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => match error.code {
            Some(code) => format!("{code}: {}", error.message),
            None => error.message,
        },
    }
}

fn check(source: &str, expect: &str) {
    assert_eq!(answer(source, "{}"), expect, "{source:.120}");
}

#[test]
fn functions() {
    check("$partition([1,2,3,4], 2)", "[[1,2],[3,4]]");
    check("$partition([0], 5)", "[[0]]");
    check("$range(0, 6, 2)", "[0,2,4,6]");
    check("$range(1, 9, 9)", "1");
    check("$range(-1.7, 2, 1)", "[-1,0,1,2]");
    check("$count($range(1, 200000, 1))", "200000");
    check("$hash('input', 'SHA-1')", "\"140f86aae51ab9e1cda9b4254fe98a74eb54c1a1\"");
    check("$hash('input', 'MD5')", "\"a43c1b0aa53a0c908810c06ab1ff3967\"");
    check("$random(42)", "0.7275636800328681");
    check("$uuid()", "\"01234567-89ab-4def-8123-456789abcdef\"");
    check("$parse('{\"a\":1}').a", "1");
    check("$parse('-0')", "0");
    check("$parse('[1, 2, \"x\"]')", "[1,2,\"x\"]");
    check("$eval('1+1')", "T1006: Attempted to invoke a non-function");
    check("$randomSeeded(1)", "T1006: Attempted to invoke a non-function");
    check("$now()", "\"2026-01-01T00:00:00.000Z\"");
    check("$millis()", "1767225600000");
}

#[test]
fn numbers() {
    check("1/0", "\"Infinity\"");
    check("[-1/0]", "[\"-Infinity\"]");
    check("{'k': 1/0}", "{\"k\":\"Infinity\"}");
    check("$string(1e20)", "\"100000000000000000000\"");
    check("9007199254740993 + 0", "9007199254740993");
    check("$sum([9007199254740993, 1])", "9007199254740994");
    check("$parse('9223372036854775807')", "9223372036854775807");
    assert_eq!(answer("$states.id", r#"{"id":9007199254740993}"#), "9007199254740993");
    assert_eq!(answer("$states", r#"{"a":1.50,"b":[1.0]}"#), r#"{"a":1.50,"b":[1.0]}"#);
    check("$sum([])", "0");
    check("$x", "undefined");
}

#[test]
fn errors() {
    check(
        "$formatNumber(1, 'x')",
        "D3086: The sub-picture must not contain a passive character that is preceded by an \
         active character and that is followed by another active character",
    );
    check("$number('x')", "D3030: Unable to cast value to a number: \"x\"");
    check("1 + 'a'", "T2002: The right side of the \"+\" operator must evaluate to a number");
    check("$error('boom')", "D3137: boom");
    let result = evaluate("function($x){$x}", "{}").expect_err("no JSON");
    assert_eq!(result.kind, EvaluationErrorKind::UnsupportedResult);
    assert_eq!(
        evaluate("$fn := function($x){$x}", "{}").expect_err("no JSON").message,
        "returned an unsupported result type."
    );
}

#[test]
fn depth() {
    let sum = |terms: usize| vec!["1"; terms].join("+");
    check(&sum(100), "100");
    check(&sum(101), STACK);
    check(&sum(200), STACK);
    let nested = |levels: usize| "[".repeat(levels) + "1" + &"]".repeat(levels);
    assert_eq!(answer(&nested(99), "{}"), nested(99));
    check(&nested(100), STACK);
    let recursive =
        |levels: usize| format!("($f := function($n){{ $n = 0 ? 0 : 1 + $f($n - 1) }}; $f({levels}))");
    check(&recursive(31), "31");
    check(&recursive(33), STACK);
    let endless = evaluate("($f := function($n){ 1 + $f($n + 1) }; $f(1))", "{}").expect_err("endless");
    assert_eq!((endless.kind, endless.message.as_str()), (EvaluationErrorKind::Limit, STACK));
}

#[test]
fn memory() {
    check("[1..873782] ~> $count()", "873782");
    check("[1..873783] ~> $count()", MEMORY);
    check("$sum([1..900000])", MEMORY);
    check("[1..9000000]", MEMORY);
    let doubling = |times: usize| {
        format!("($p := function($s, $n) {{ $n = 0 ? $s : $p($s & $s, $n - 1) }}; $length($p('x', {times})))")
    };
    check(&doubling(22), "4194304");
    check(&doubling(23), MEMORY);
    check("$pad('x', 1e9)", MEMORY);
    check("$length($replace($pad('', 20000, 'a'), 'a', $pad('', 20000, 'b')))", MEMORY);
    check("($f := function($a){ $f($append($a, $a)) }; $f([1]))", MEMORY);
    check("$join([1..300000].('ab'), $pad('', 1000, 'x'))", MEMORY);
}

#[test]
fn endless_programs_end_soon() {
    let cases = [
        ("($f := function($n){ $f($n + 1) }; $f(1))", TIMEOUT),
        ("($f := function($n){ $f(function(){ $n }) }; $f(1))", STACK),
        ("$reduce([1..100000], function($a, $b){ [[$a]] })", STACK),
        ("$reduce([1..100000], function($a, $b){ {'a': $a} })", STACK),
        ("$match($pad('', 40, 'a') & '!', /^(a+)+$/)", "undefined"),
        ("$match($pad('', 40, 'a') & '!', /^(a+)+\\1$/)", TIMEOUT),
        ("[1..1000].[1..1000].[1..1000]", MEMORY),
        ("$sum([1..3000].$sum([1..100000]))", TIMEOUT),
    ];
    for (source, expect) in cases {
        let start = Instant::now();
        // As many steps as an unoptimised build takes in a moment.
        let limits = Limits { fuel_max: 3_000_000, ..Limits::aws() };
        let found = match evaluate_within(source, "{}", &limits) {
            Ok(found) => found.map_or("undefined".to_owned(), |value| value.to_json()),
            Err(error) => error.message,
        };
        assert_eq!(found, expect, "{source}");
        assert!(start.elapsed() < Duration::from_secs(20), "{source} took {:?}", start.elapsed());
    }
    assert_eq!(answer("$states ~> |$|{'self': $}|", r#"{"a":1}"#), r#"{"a":1,"self":{"a":1}}"#);
}

#[test]
fn nesting_is_refused_when_compiled() {
    for part in ["(", "[", "-", "1+(", "a.(", "{'a':"] {
        assert!(Expression::compile(&part.repeat(100_000)).is_err(), "{part}");
    }
    for (part, end) in [("1+", "1"), ("a.", "b"), ("a ? 1 : ", "2"), ("'a' & ", "'b'")] {
        assert!(Expression::compile(&(part.repeat(100_000) + end)).is_err(), "{part}");
        assert!(Expression::compile(&(part.repeat(150) + end)).is_ok(), "{part}");
    }
}

#[test]
fn what_aws_refuses() {
    use RefusalKind::{BareName, Context, Eval, NewerOperator, Root};
    let cases: [(&str, &[(RefusalKind, usize)]); 12] = [
        ("$states.input.a[b = 1].c", &[]),
        ("$map($states.input, function($v){ $v.a })", &[]),
        ("input.a", &[(BareName, 0)]),
        ("$states.a & name", &[(BareName, 12)]),
        ("$.a", &[(Context, 0)]),
        ("$$", &[(Root, 0)]),
        ("$states.a[$ > 1]", &[]),
        ("$states.a.($ & b)", &[]),
        ("$eval('1')", &[(Eval, 0)]),
        ("$states.a ?? 1", &[(NewerOperator, 10)]),
        ("$states.a ?: 1", &[(NewerOperator, 10)]),
        ("$states.a{b: c}", &[]),
    ];
    for (source, expect) in cases {
        let refusals = Expression::compile(source).expect(source).aws_refusals();
        let found: Vec<_> = refusals.iter().map(|refusal| (refusal.kind, refusal.position)).collect();
        assert_eq!(found, expect, "{source}");
    }
}

#[test]
fn free_variables() {
    let expression = Expression::compile("($x := $y + $states.a; $map($z, function($v){ $v + $x }) ~> $sum)")
        .expect("valid");
    let names: Vec<&str> = expression.free_variables().iter().map(|name| &**name).collect();
    assert_eq!(names, ["y", "states", "z"]);
}

#[test]
fn expressions_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Expression>();
}
