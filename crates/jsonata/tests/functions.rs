//! Each function and each piece of syntax at work, in AWS's mode: what `docs/language.md` points at. What they do at their
//! edges is the suite's matter.

use stepwright_jsonata::{Bindings, Environment, Expression, Limits};
use stepwright_value::read;

const STATES: &str = r#"{"input":{"n":3,"name":"Ada","tags":["x","y"],"items":[{"id":1,"price":5,"qty":2},
    {"id":2,"price":3,"qty":4,"note":"late"}],"nested":{"deep":{"id":9}}}}"#;

fn evaluate(source: &str) -> String {
    let expression = Expression::compile(source).expect(source);
    let states = read(STATES).expect("JSON");
    let mut random = || 0x0123_4567_89AB_CDEF;
    let mut environment = Environment { now_ms: 1_767_225_600_000, random: &mut random, goes_on: &|| true };
    match expression.evaluate(&Bindings::new(&[("states", &states)]), &mut environment, &Limits::aws()) {
        Ok(Some(value)) => value.to_json(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => error.message,
    }
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    let mut wrong = vec![];
    for (source, expected) in rows {
        let found = evaluate(source);
        if found != **expected {
            wrong.push(format!("{source}\n  gives    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers() {
    check(&[
        ("$sum([1, 2, 3])", "6"),
        ("$count($states.input.items)", "2"),
        ("$max($states.input.items.price)", "5"),
        ("$min($states.input.items.price)", "3"),
        ("$average([1, 2])", "1.5"),
        ("$number('0x10')", "16"),
        ("$floor(-1.5)", "-2"),
        ("$ceil(1.2)", "2"),
        ("$round(2.5)", "2"),
        ("$abs(-4)", "4"),
        ("$sqrt(9)", "3"),
        ("$power(2, 10)", "1024"),
        ("$formatNumber(1234.5, '#,##0.00')", "\"1,234.50\""),
        ("$formatBase(255, 16)", "\"ff\""),
        ("$formatInteger(42, 'w')", "\"forty-two\""),
        ("$parseInteger('forty-two', 'w')", "42"),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("$string([1, true])", "\"[1,true]\""),
        ("$substring('hello', 1, 3)", "\"ell\""),
        ("$substringBefore('a-b', '-')", "\"a\""),
        ("$substringAfter('a-b', '-')", "\"b\""),
        ("$lowercase('Ada')", "\"ada\""),
        ("$uppercase('Ada')", "\"ADA\""),
        ("$length('Ada')", "3"),
        ("$trim('  a   b ')", "\"a b\""),
        ("$pad('7', -3, '0')", "\"007\""),
        ("$join($states.input.tags, '+')", "\"x+y\""),
        ("$match('a1b2', /[a-z](\\d)/).groups", "[\"1\",\"2\"]"),
        ("$contains('Ada', /^A/)", "true"),
        ("$replace('a.b.c', '.', '/')", "\"a/b/c\""),
        ("$split('a,b', ',')", "[\"a\",\"b\"]"),
        ("$base64encode('hello')", "\"aGVsbG8=\""),
        ("$base64decode('aGVsbG8=')", "\"hello\""),
        ("$encodeUrlComponent('a b/c')", "\"a%20b%2Fc\""),
        ("$encodeUrl('a b/c')", "\"a%20b/c\""),
        ("$decodeUrlComponent('a%20b%2Fc')", "\"a b/c\""),
        ("$decodeUrl('a%20b/c')", "\"a b/c\""),
    ]);
}

#[test]
fn times() {
    check(&[
        ("$now()", "\"2026-01-01T00:00:00.000Z\""),
        ("$millis()", "1767225600000"),
        ("$toMillis('2026-01-01T00:00:00Z')", "1767225600000"),
        ("$fromMillis(1767225600000, '[Y]-[M01]')", "\"2026-01\""),
    ]);
}

#[test]
fn truth_and_types() {
    check(&[
        ("$boolean([])", "false"),
        ("$not(false)", "true"),
        ("$exists($states.input.missing)", "false"),
        ("$type($states.input)", "\"object\""),
        ("$error('broken')", "broken"),
        ("$assert($states.input.n = 4, 'no four')", "no four"),
        ("$clone($states.input.nested)", r#"{"deep":{"id":9}}"#),
    ]);
}

#[test]
fn arrays_and_objects() {
    check(&[
        ("$map([1, 2], function($v, $i) { $v * $i })", "[0,2]"),
        ("$filter([1, 2, 3], function($v) { $v > 1 })", "[2,3]"),
        ("$single([1, 2], function($v) { $v = 2 })", "2"),
        ("$reduce([1, 2, 3], function($a, $b) { $a * $b })", "6"),
        ("$sift($states.input, function($v, $k) { $k = 'n' })", r#"{"n":3}"#),
        ("$each({'a': 1, 'b': 2}, function($v, $k) { $k & $v })", r#"["a1","b2"]"#),
        ("$sort([3, 1, 2])", "[1,2,3]"),
        ("$zip([1, 2], ['a', 'b'])", r#"[[1,"a"],[2,"b"]]"#),
        ("$append([1], [2])", "[1,2]"),
        ("$reverse([1, 2])", "[2,1]"),
        ("$count($shuffle([1, 2, 3]))", "3"),
        ("$distinct([1, 1, 2])", "[1,2]"),
        ("$keys({'a': 1, 'b': 2})", r#"["a","b"]"#),
        ("$lookup({'a': 1}, 'a')", "1"),
        ("$spread({'a': 1, 'b': 2})", r#"[{"a":1},{"b":2}]"#),
        ("$merge([{'a': 1}, {'b': 2}])", r#"{"a":1,"b":2}"#),
    ]);
}

#[test]
fn of_aws() {
    check(&[
        ("$partition([1, 2, 3], 2)", "[[1,2],[3]]"),
        ("$range(0, 6, 3)", "[0,3,6]"),
        ("$hash('a', 'SHA-1')", "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\""),
        ("$random(7) = $random(7)", "true"),
        ("$length($uuid())", "36"),
        ("$parse('{\"a\": [1]}').a", "[1]"),
    ]);
}

#[test]
fn paths() {
    check(&[
        ("$states.input.nested.deep.id", "9"),
        ("$states.input.items.id", "[1,2]"),
        ("$states.input.items[0].id", "1"),
        ("$states.input.items[-1].id", "2"),
        ("$states.input.items[price > 4].id", "1"),
        ("$states.input.items[[0..1]].id", "[1,2]"),
        ("$states.input.nested.*.id", "9"),
        ("$sum($states.input.**.id)", "12"),
        ("$states.input.items.(price * qty)", "[10,12]"),
        ("$states.input.items^(price).id", "[2,1]"),
        ("$states.input.items^(>price).id", "[1,2]"),
        ("$states.input.items{$string(id): price}", r#"{"1":5,"2":3}"#),
        ("$states.input.items[0].id[]", "[1]"),
        ("$states.input.items#$i.{'at': $i, 'id': id}", r#"[{"at":0,"id":1},{"at":1,"id":2}]"#),
        ("$states.input.items@$e.($e.id)", "[1,2]"),
        ("$states.input.items.price.%.id", "[1,2]"),
        ("$states.input.`name`", "\"Ada\""),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("1 + 2 - 3 * 4 / 6 % 4", "1"),
        ("'a' & 1", "\"a1\""),
        ("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", "true"),
        ("1 = 1.0 or 1 != 1", "true"),
        ("'x' in $states.input.tags", "true"),
        ("[1..3]", "[1,2,3]"),
        ("$states.input.n > 2 ? 'many' : 'few'", "\"many\""),
        ("($x := 2; $x * $x)", "4"),
        ("{'k': [1, null, true]}", r#"{"k":[1,null,true]}"#),
        ("'ada' ~> $uppercase()", "\"ADA\""),
        ("($f := $trim ~> $uppercase; $f(' a '))", "\"A\""),
        ("$map([1, 2], $power(?, 2))", "[1,4]"),
        ("$states.input.nested ~> |deep|{'n': 1}, 'id'|", r#"{"deep":{"n":1}}"#),
        ("(λ($n) { $n + 1 })(1)", "2"),
        ("/* comment */ -1", "-1"),
    ]);
}
