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

/// Rows of what AWS was seen to answer, and neighbours of them. Sources:
/// - <https://github.com/iwamot/sfnx> docs/design.md at aed2394b (measured with TestState and executions)
/// - <https://github.com/floci-io/floci> issues 2662, 2665, 2667, 2668, 2669, 2676, 2683, 2687, 2736, 2737, 2783
/// - <https://github.com/gabrielmoreira/tiny-asl-machine> tests/conformance (recordings of AWS)
///
/// Where those are silent the answers are those of <https://github.com/dashjoin/jsonata-java> and of its port jsonata-rs
/// on PyPI.
#[track_caller]
fn rows(rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(source, expect)| {
            let found = answer(source, "{}");
            (found != **expect).then(|| format!("{source}\n  gives    {found}\n  expected {expect}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn partition() {
    rows(&[
        ("$partition([1,2,3], 2)", "[[1,2],[3]]"),
        ("$partition([1,2,3])", "[[1,2,3]]"),
        ("$partition([1,2,3], $missing)", "[[1,2,3]]"),
        ("$partition([])", "[[]]"),
        ("$partition([], 2)", "undefined"),
        ("$partition($missing, 2)", "undefined"),
        ("$partition([1,2,3], 0)", "undefined"),
        ("$partition([1,2,3], 0.9)", "undefined"),
        ("$partition([1,2,3], -0.5)", "undefined"),
        ("$partition([1,2,3], 1.5)", "[[1],[2],[3]]"),
        ("$partition([1,2,3], 1e300)", "[[1,2,3]]"),
        ("$partition([1], 1)", "[[1]]"),
        ("$partition([[1,2]], 1)", "[[[1,2]]]"),
        ("$partition([1,2,3], -1)", "D3137: Second argument must be zero or greater"),
        ("$partition([], -1)", "D3137: Second argument must be zero or greater"),
        ("$partition(1, 2)", "T0412: Argument 1 of function \"partition\" must be an array of undefined"),
        ("$partition('ab', 1)", "T0412: Argument 1 of function \"partition\" must be an array of undefined"),
        ("$partition(null, 2)", "T0412: Argument 1 of function \"partition\" must be an array of undefined"),
        ("$partition({}, 2)", "T0412: Argument 1 of function \"partition\" must be an array of undefined"),
        (
            "$partition([1], '2')",
            "T0410: Argument 2 of function \"partition\" does not match function signature",
        ),
        (
            "$partition([1], null)",
            "T0410: Argument 2 of function \"partition\" does not match function signature",
        ),
        (
            "$partition([1], true)",
            "T0410: Argument 2 of function \"partition\" does not match function signature",
        ),
        (
            "$partition([1], 1, 1)",
            "T0410: Argument 3 of function \"partition\" does not match function signature",
        ),
    ]);
}

#[test]
fn range() {
    rows(&[
        ("$range(1, 5, 2)", "[1,3,5]"),
        ("$range(5, 1, -2)", "[5,3,1]"),
        ("$range(1, 1, 1)", "1"),
        ("$range(1, 5)", "undefined"),
        ("$range(1)", "undefined"),
        ("$range()", "undefined"),
        ("$range(1, $missing, 1)", "undefined"),
        ("$range(1, 5, 0)", "undefined"),
        ("$range(1, 5, 0.5)", "undefined"),
        ("$range(1, 5, -1)", "undefined"),
        ("$range(1.9, 3.9, 1.9)", "[1,2,3]"),
        ("$range('1', 5, 1)", "T0410: Argument 1 of function \"range\" does not match function signature"),
        ("$range(1, null, 1)", "T0410: Argument 2 of function \"range\" does not match function signature"),
        ("$range(1, 5, true)", "T0410: Argument 3 of function \"range\" does not match function signature"),
        ("$range(1, 5, 1, 1)", "T0410: Argument 4 of function \"range\" does not match function signature"),
    ]);
}

#[test]
fn hash_random_uuid() {
    let unknown = |name: &str| {
        format!("D3137: Hash algorithm '{name}' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5")
    };
    rows(&[
        ("$hash('a', 'md5')", &unknown("md5")),
        ("$hash('a', 'SHA-224')", &unknown("SHA-224")),
        ("$hash('a', '')", &unknown("")),
        ("$hash('a', $missing)", &unknown("undefined")),
        ("$hash('a')", "undefined"),
        ("$hash($missing, 'MD5')", "undefined"),
        ("$hash($missing, 'none')", "undefined"),
        ("$hash('ü', 'MD5')", "\"c03410a5204b21cd8229ff754688d743\""),
        ("$hash()", "T0410: Argument 1 of function \"hash\" does not match function signature"),
        ("$hash(1, 'MD5')", "T0410: Argument 1 of function \"hash\" does not match function signature"),
        ("$hash('a', 1)", "T0410: Argument 2 of function \"hash\" does not match function signature"),
        (
            "$hash('a', 'MD5', 'b')",
            "T0410: Argument 3 of function \"hash\" does not match function signature",
        ),
        ("$random(42.9) = $random(42)", "true"),
        ("$random(-1.5) = $random(-1)", "true"),
        ("$random('42')", "T0410: Argument 1 of function \"random\" does not match function signature"),
        ("$random(null)", "T0410: Argument 1 of function \"random\" does not match function signature"),
        ("$random(1, 2)", "T0410: Argument 2 of function \"random\" does not match function signature"),
        ("$uuid(1)", "T0410: Argument 1 of function \"uuid\" does not match function signature"),
    ]);
}

#[test]
fn parse() {
    const INVALID: &str = "D3137: Invalid JSON";
    rows(&[
        (r#"$parse('{"a": [1, true, null]}')"#, r#"{"a":[1,true,null]}"#),
        (r#"$parse("{'a': 'it\\'s \"x\"'}")"#, r#"{"a":"it's \"x\""}"#),
        (r#"$parse(" [1.0, 1e2, 1.5, 9223372036854775807] ")"#, "[1,100,1.5,9223372036854775807]"),
        (r#"$parse('{"n": 1e25}')"#, r#"{"n":1.0E25}"#),
        ("$parse('\"text\"')", "\"text\""),
        ("$parse('null')", "null"),
        ("$parse($missing)", "undefined"),
        ("$parse()", "undefined"),
        ("$parse('')", INVALID),
        ("$parse('  ')", INVALID),
        ("$parse('{\"k\":1,\"k\":2}')", INVALID),
        (r#"$parse("[{'k':1,'x':[{'k':2}],'k':3}]")"#, INVALID),
        (r#"$parse("{'k':{'k':1}}")"#, r#"{"k":{"k":1}}"#),
        ("$parse('1 2')", INVALID),
        ("$parse('[1,]')", INVALID),
        ("$parse('{a:1}')", INVALID),
        ("$parse('1e400')", INVALID),
        ("$parse('NaN')", INVALID),
        ("$parse('Infinity')", INVALID),
        ("$parse('01')", INVALID),
        (r#"$parse("'open")"#, INVALID),
        ("$parse(null)", "T0410: Argument 1 of function \"parse\" does not match function signature"),
        ("$parse(1)", "T0410: Argument 1 of function \"parse\" does not match function signature"),
        ("$parse({})", "T0410: Argument 1 of function \"parse\" does not match function signature"),
    ]);
}

#[test]
fn encodings() {
    rows(&[
        ("$base64encode('é😀')", "\"w6nwn5iA\""),
        ("$base64encode('')", "\"\""),
        ("$base64decode('w6nwn5iA')", "\"é😀\""),
        ("$base64decode('YWI=')", "\"ab\""),
        ("$base64decode('YWJ')", "\"ab\""),
        ("$base64decode('YQ')", "\"a\""),
        ("$base64decode('/w==')", "\"\u{fffd}\""),
        ("$base64decode($missing)", "undefined"),
        ("$decodeUrlComponent('x+y%20z')", "\"x y z\""),
        ("$decodeUrlComponent('%E6')", "\"\u{fffd}\""),
        ("$decodeUrlComponent('%C3%A9')", "\"é\""),
        ("$decodeUrl('a+b%3F')", "\"a b?\""),
        ("$decodeUrlComponent('%zz')", "D3140: Malformed URL passed to $decodeUrlComponent(): \"%zz\""),
        ("$decodeUrlComponent('%4')", "D3140: Malformed URL passed to $decodeUrlComponent(): \"%4\""),
        ("$decodeUrl('%')", "D3140: Malformed URL passed to $decodeUrl(): \"%\""),
    ]);
    for text in ["YW!J", "!!!", "a?b=", "YWJj\n", "Y", "=", "YQ=", "YQ===", "YWJj=", "YQ==YQ==", "-_-_", "é"]
    {
        let error =
            evaluate(&format!("$base64decode(\"{text}\")").replace('\n', "\\n"), "{}").expect_err(text);
        assert_eq!((error.kind, error.code), (EvaluationErrorKind::Internal, None), "{text}");
        // Only a number tells one from another.
        assert_eq!(error.message, "01234567-89ab-4def-8123-456789abcdef");
    }
}

#[test]
fn texts() {
    rows(&[
        ("$string(2/3)", "\"0.666666666666666\""),
        ("$string(-2/3)", "\"-0.666666666666667\""),
        ("$string(1/3)", "\"0.333333333333333\""),
        ("$string(0.1 + 0.2)", "\"0.3\""),
        ("$string(9223372036854775808)", "\"9223372036854776000\""),
        ("$string(1e21)", "\"1e+21\""),
        ("$string(1.5e-7)", "\"1.5e-7\""),
        ("$string(1234567890123456.7)", "\"1.23456789012345e+15\""),
        ("$string([2/3, {'a': 1e21}])", "\"[0.666666666666666,{\\\"a\\\":1e+21}]\""),
        ("'' & 2/3", "\"0.666666666666666\""),
        ("$string(['\u{2028}\u{1}'])", "\"[\\\"\u{2028}\\u0001\\\"]\""),
        ("$string({'a': [1, {}]}, true)", "\"{\\n  \\\"a\\\": [\\n    1,\\n    {\\n}\\n  ]\\n}\""),
        ("$string(1/0)", "D3001: Attempting to invoke string function on Infinity or NaN"),
        ("$split('a😀b', '')", "[\"a\",\"\u{fffd}\",\"\u{fffd}\",\"b\"]"),
        ("$split('a.b*c', '.')", "[\"a\",\"b*c\"]"),
        ("$split('a,,b', ',')", "[\"a\",\"\",\"b\"]"),
        ("$split($trim(' a  b\t\nc '), ' ')", "[\"a\",\"b\",\"c\"]"),
        ("$split($trim('  '), ' ')", "[\"\"]"),
        ("$substring('hello', 1, 3)", "\"ell\""),
        ("$substring('hello', -3, 2)", "\"ll\""),
        ("$substring('hello', -10, 2)", "\"he\""),
        ("$substring('hello', 1, -1)", "\"\""),
        ("$substring('hello', 9)", "\"\""),
        ("$substring('hello', 1.9, 2.9)", "\"el\""),
        ("$substring('a😀b', 1, 1)", "\"\u{fffd}\""),
        ("$substring('a😀b', 0, 2)", "\"a😀\""),
        ("$length('a😀b')", "3"),
        ("$pad('a😀', -4, '#')", "\"##a😀\""),
        ("$pad('a', 6.5, 'xy')", "\"axyxyx\""),
        ("$replace('aaaa', 'a', 'b', 2.5)", "\"bbaa\""),
        ("$replace('aaaa', 'a', 'b', 0)", "\"aaaa\""),
        ("$replace('aaaa', 'a', 'b', -0.5)", "\"aaaa\""),
        ("$replace('ab', 'a', '$0$1')", "\"$0$1b\""),
        ("$replace('ab', '', 'x')", "Second argument of replace function cannot be an empty string"),
        (
            "$replace('ab', 'a', 'x', -1)",
            "Fourth argument of replace function must evaluate to a positive number",
        ),
        ("$replace('a\u{a0}b c', /\\s/, '_')", "\"a\u{a0}b_c\""),
        ("$replace('\u{3000} x \u{a0}', /^\\s+|\\s+$/, '')", "\"\u{3000} x \u{a0}\""),
        ("$join([])", "\"\""),
        ("$join('a')", "\"a\""),
        ("$join(['a', 1])", "T0412: Argument 1 of function \"join\" must be an array of \"strings\""),
        ("$uppercase('ß') & $lowercase('ΑΣ')", "\"SSας\""),
    ]);
    let error = evaluate("$substring('a😀b', 0)", "{}").expect_err("fewer characters than units");
    assert_eq!(error.kind, EvaluationErrorKind::Internal);
}

#[test]
fn numbers_and_dates() {
    rows(&[
        ("10000000000000000000000001", "1.0E25"),
        ("[1e25, {'n': 1.5e-7}]", "[1.0E25,{\"n\":1.5E-7}]"),
        ("12345678.5", "1.23456785E7"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("0/0", "\"NaN\""),
        ("$floor(1/0)", "\"Infinity\""),
        ("1/0 > 5", "true"),
        ("1e308 * 10", "\"Infinity\""),
        ("1/0 + 1", "D1001: Number out of range: null"),
        ("[$parseInteger('abc', '0')]", "[\"NaN\"]"),
        ("$round(2.675, 2)", "2.68"),
        ("$round(25, -1)", "20"),
        ("$round(25, -1.5)", "20"),
        ("$formatNumber(0.125, '0.00')", "\"0.12\""),
        ("$formatNumber(2.5, '0')", "\"2\""),
        ("$formatNumber(2.675, '0.00')", "\"2.68\""),
        ("$formatNumber(1e308, '0.00')", &format!("\"1{}.00\"", "0".repeat(308))),
        ("$formatNumber($missing, '0')", "undefined"),
        ("$fromMillis(0, '[Y0001]/[M01]', 'utc')", "\"1970/01\""),
        ("$fromMillis(1.6)", "\"1970-01-01T00:00:00.001Z\""),
        ("$fromMillis(-1.5)", "\"1969-12-31T23:59:59.999Z\""),
        ("$fromMillis(0, '[H01]:[m01] [Z]', '-0530')", "\"18:30 -05:30\""),
        ("$fromMillis('a')", "undefined"),
        ("$toMillis('2026-01-01T00:00:00')", "1767225600000"),
        ("$toMillis('2026-01-01T00:00:00.1239Z')", "1767225600123"),
        ("$toMillis($now()) = $millis()", "true"),
    ]);
    for text in ["2026-01-01 00:00:00", "20260101T000000Z", "2026-W01-1"] {
        assert!(answer(&format!("$toMillis('{text}')"), "{}").starts_with("D3110"), "{text}");
    }
}

#[test]
fn arrays_objects_and_null() {
    rows(&[
        ("$merge([{'a':1},[{'b':2}]])", "{\"a\":1,\"b\":2}"),
        ("$merge([{'a':1},[[{'a':2}]]])", "{\"a\":2}"),
        ("$merge([])", "{}"),
        ("$count(null)", "0"),
        ("$count([null])", "1"),
        ("$sum(null)", "undefined"),
        ("$max(null)", "undefined"),
        ("$join(null)", "undefined"),
        ("$reverse(null)", "undefined"),
        ("$map(null, function($v){1})", "undefined"),
        ("$append(null, 1)", "[null,1]"),
        ("$sum([1, null])", "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\""),
        ("$boolean([0])", "false"),
        ("$boolean([[]])", "false"),
        ("{'a': 1} in [{'a': 1}]", "true"),
        ("$distinct([true, 1, {'a': 1}, {'a': 1}])", "[true,1,{\"a\":1}]"),
        ("$sort([{'k':1,'n':1},{'k':0,'n':2},{'k':1,'n':3}], function($a,$b){$a.k > $b.k}).n", "[2,1,3]"),
        ("$sort(['\u{ff5e}', '😀'])", "[\"😀\",\"\u{ff5e}\"]"),
        (
            "$sort([true, false])[0]",
            "D3070: The single argument form of the sort function can only be applied to an array of strings or an array of numbers.  Use the second argument to specify a comparison function",
        ),
        ("[1, 'x'] ~> |$|{'n': 1}|", "[1,\"x\"]"),
    ]);
    for source in ["[$sum]", "{'f': function(){1}}", "[[$uppercase]]"] {
        let error = evaluate(source, "{}").expect_err(source);
        assert_eq!(error.kind, EvaluationErrorKind::UnsupportedResult, "{source}");
    }
}

#[test]
fn variables_hide_functions() {
    let value: Value = 3.into();
    let answer = |source: &str| {
        let expression = Expression::compile(source).expect(source);
        let (hiding, free): (Vec<&str>, Vec<&str>) = (
            expression.hiding_variables().iter().map(|name| &**name).collect(),
            expression.free_variables().iter().map(|name| &**name).collect(),
        );
        let mut random = || 0;
        let mut environment = Environment { now_ms: 0, random: &mut random, goes_on: &|| true };
        let bindings = [("count", &value)];
        let result = expression.evaluate(&Bindings::new(&bindings), &mut environment, &Limits::aws());
        (
            result.map(|value| value.map(|value| value.to_json())).map_err(|error| error.code),
            hiding.join(","),
            free.join(","),
        )
    };
    assert_eq!(answer("$count([1])"), (Err(Some("T1006".to_owned())), "count".to_owned(), String::new()));
    assert_eq!(answer("$count + 1"), (Ok(Some("4".to_owned())), "count".to_owned(), String::new()));
    assert_eq!(
        answer("($count := $sum; $count([1,2]))"),
        (Ok(Some("3".to_owned())), "sum".to_owned(), String::new())
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
