//! What intrinsic functions answer; results are AWS's recorded ones where there is a recording.

use stepwright_jsonpath::{Intrinsic, Scope};
use stepwright_value::read;

fn evaluate(call: &str, input: &str) -> String {
    let call = match Intrinsic::parse(call) {
        Ok(call) => call,
        Err(error) => return format!("!! {error}"),
    };
    let input = read(input).expect(input);
    match call.evaluate(&Scope::of_input(&input), &mut || 0x0123_4567_89AB_CDEF) {
        Ok(value) => value.to_json(),
        Err(error) => format!("! {}: {error}", error.error_name()),
    }
}

#[track_caller]
fn check(call: &str, input: &str, expect: &str) {
    assert_eq!(evaluate(call, input), expect, "{call} on {input}");
}

/// As [`check`], where the whole call is refused at run time.
#[track_caller]
fn check_failure(call: &str, input: &str, why: &str) {
    let expect = format!("! States.IntrinsicFailure: The function '{call}' had the following error: {why}");
    assert_eq!(evaluate(call, input), expect, "{call} on {input}");
}

#[test]
fn format() {
    for (value, expect) in [
        (r#""""#, "Formatting argument ."),
        (r#"" ""#, "Formatting argument  ."),
        (r#""HelloWorld""#, "Formatting argument HelloWorld."),
        ("null", "Formatting argument null."),
        ("1", "Formatting argument 1."),
        ("1.1", "Formatting argument 1.1."),
        ("true", "Formatting argument true."),
    ] {
        check("States.Format('Formatting argument {}.', $)", value, &format!("\"{expect}\""));
    }
    check("States.Format('Format:{}', 101)", "{}", r#""Format:101""#);
    check("States.Format('{}{}', 'a', null)", "{}", r#""anull""#);
    check("States.Format('none')", "{}", r#""none""#);
    check("States.Format($.t, 'x')", r#"{"t":"<{}>"}"#, r#""<x>""#);
    check(r"States.Format('\{\} {} it\'s \\ {', 1)", "{}", r#""{} 1 it's \\ {""#);
    check(r"States.Format('\{} {}', 1)", "{}", r#""{} 1""#);
    check(r"States.Format('\\{}', 1)", "{}", r#""\\1""#);
    check(r"States.Format('{{}}', 1)", "{}", r#""{1}""#);
    check(
        r"States.Format('unload (\'{}\') to \'s3://{}/\'', $.q, $.b)",
        r#"{"q":"select","b":"bucket"}"#,
        r#""unload ('select') to 's3://bucket/'""#,
    );
    check_failure("States.Format('{} {}', 1)", "{}", "There are more placeholders than values");
    check_failure("States.Format('{}', 1, 2)", "{}", "There are more values than placeholders");
    check_failure("States.Format('{}', $)", "{}", "Values must be strings, numbers, booleans or null");
    check_failure("States.Format($, 1)", "{}", "Invalid argument 1: a string is expected");
}

#[test]
fn json() {
    for (text, expect) in [
        ("", "null"),
        (" ", "null"),
        ("null", "null"),
        ("-0", "0"),
        ("1", "1"),
        ("1.1", "1.1"),
        ("true", "true"),
        (r#"\"HelloWorld\""#, r#""HelloWorld""#),
        (r#"[1, 2, \"HelloWorld\"]"#, r#"[1,2,"HelloWorld"]"#),
        (r#"{\"Arg1\": 1, \"Arg2\": []}"#, r#"{"Arg1":1,"Arg2":[]}"#),
        ("[-0, -0.0]", "[0,-0.0]"),
    ] {
        check("States.StringToJson($)", &format!("\"{text}\""), expect);
    }
    check(r#"States.StringToJson('{"a": [1]}')"#, "{}", r#"{"a":[1]}"#);
    check_failure(
        "States.StringToJson($)",
        r#""{""#,
        "The string is not valid JSON: EOF while parsing an object at line 1, column 2",
    );
    check_failure("States.StringToJson($)", "1", "Invalid argument 1: a string is expected");
    for (value, expect) in [
        ("null", "null"),
        ("1.1", "1.1"),
        (r#""HelloWorld""#, r#"\"HelloWorld\""#),
        (r#"[1, 2, "HelloWorld"]"#, r#"[1,2,\"HelloWorld\"]"#),
        (r#"{"Arg1": 1, "Arg2": []}"#, r#"{\"Arg1\":1,\"Arg2\":[]}"#),
    ] {
        check("States.JsonToString($)", value, &format!("\"{expect}\""));
    }
    let two = r#"{"l":{"a":{"a1":1,"a2":2},"b":2,"d":3},"r":{"a":{"a3":1,"a4":2},"c":3,"d":4}}"#;
    check("States.JsonMerge($.l, $.r, false)", two, r#"{"a":{"a3":1,"a4":2},"b":2,"d":4,"c":3}"#);
    check_failure(
        "States.JsonMerge($.l, $.r, true)",
        two,
        "Invalid argument 3: only shallow merging is supported, false is expected",
    );
    check_failure("States.JsonMerge($.l, 1, false)", two, "Invalid argument 2: an object is expected");
}

#[test]
fn arrays() {
    check("States.Array()", "1", "[]");
    check("States.Array('a', $, 1.0, true, null, States.Array($))", "1", r#"["a",1,1.0,true,null,[1]]"#);
    for (items, size, expect) in [
        ("[0]", "1", "[[0]]"),
        ("[0]", "5", "[[0]]"),
        ("[0,1,2,3]", "3", "[[0,1,2],[3]]"),
        ("[0,1,2,3]", "2", "[[0,1],[2,3]]"),
        ("[0,1,2,3]", "1.5", "[[0,1],[2,3]]"),
        ("[]", "2", "[]"),
    ] {
        check(&format!("States.ArrayPartition($, {size})"), items, expect);
    }
    for size in ["0", "-1"] {
        check_failure(
            &format!("States.ArrayPartition($, {size})"),
            "[1]",
            "The chunk size must be a positive integer",
        );
    }
    check("States.ArrayContains($, 5)", "[1,5]", "true");
    check("States.ArrayContains($, '5')", "[1,5]", "false");
    check(r#"States.ArrayContains($, States.StringToJson('{"b":1,"a":2}'))"#, r#"[{"a":2,"b":1}]"#, "true");
    for (call, expect) in [
        ("0, 9, 3", "[0,3,6,9]"),
        ("0, 10, 3", "[0,3,6,9]"),
        ("1, 9, 9", "[1]"),
        ("1, 9, 2", "[1,3,5,7,9]"),
        ("5, 1, -2", "[5,3,1]"),
        ("3, 3, 1", "[3]"),
        ("1, 5, -1", "[]"),
        ("5, 1, 1", "[]"),
        ("9223372036854775806, 9223372036854775807, 1", "[9223372036854775806,9223372036854775807]"),
    ] {
        check(&format!("States.ArrayRange({call})"), "{}", expect);
    }
    check("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "{}", "1000");
    for call in ["1, 1001, 1", "-9223372036854775808, 9223372036854775807, 1"] {
        check_failure(
            &format!("States.ArrayRange({call})"),
            "{}",
            "The range must not have more than 1000 elements",
        );
    }
    check_failure("States.ArrayRange(1, 2, 0)", "{}", "The step must not be 0");
    check("States.ArrayGetItem($, 5)", "[1,2,3,4,5,6,7]", "6");
    for index in ["7", "-1"] {
        check_failure(
            &format!("States.ArrayGetItem($, {index})"),
            "[1]",
            &format!("Index {index} is out of bounds for an array of length 1"),
        );
    }
    check("States.ArrayLength($)", "[1,2,3]", "3");
    check_failure("States.ArrayLength($)", "{}", "Invalid argument 1: an array is expected");
    check("States.ArrayUnique($)", "[1,2,2,3,3,4]", "[1,2,3,4]");
    check(
        "States.ArrayUnique($)",
        r#"[1,1.0,1e0,"1",true,"true",{"a":1,"b":[2]},{"b":[2.0],"a":1},null,null]"#,
        r#"[1,"1",true,"true",{"a":1,"b":[2]},null]"#,
    );
    // Distinct though their doubles are the same.
    check(
        "States.ArrayUnique($)",
        "[9007199254740993,9007199254740992]",
        "[9007199254740993,9007199254740992]",
    );
}

#[test]
fn strings() {
    for (text, delimiters, expect) in [
        (" ", ",", r#"[" "]"#),
        (" , ", ",", r#"[" "," "]"#),
        (", , ,", ",", r#"[" "," "]"#),
        (",,,,", ",", "[]"),
        ("", ",", "[]"),
        ("1,2,3", ",", r#"["1","2","3"]"#),
        ("This.is+a,test=string", ".+,=", r#"["This","is","a","test","string"]"#),
        ("split on T and \\nnew line", "T\\n", r#"["split on "," and ","new line"]"#),
        ("abc", "", r#"["abc"]"#),
    ] {
        let input = format!(r#"{{"t":"{text}","d":"{delimiters}"}}"#);
        check("States.StringSplit($.t, $.d)", &input, expect);
    }
    check("States.StringSplit('Hello\nWorld', '\n')", "{}", r#"["Hello","World"]"#);
    check("States.Base64Encode('Data to encode')", "{}", r#""RGF0YSB0byBlbmNvZGU=""#);
    check("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "{}", r#""Data to encode""#);
    check("States.Base64Decode('RGF0YSB0byBlbmNvZGU')", "{}", r#""Data to encode""#);
    check("States.Base64Decode('')", "{}", r#""""#);
    check("States.Base64Decode('/w==')", "{}", "\"\u{FFFD}\"");
    assert!(evaluate("States.Base64Decode('a b')", "{}").starts_with("! States.IntrinsicFailure"));
    let long = |len| format!("\"{}\"", "ä".repeat(len));
    assert!(evaluate("States.Base64Encode($)", &long(10_000)).starts_with('"'));
    let why = "The string must not have more than 10000 characters";
    check_failure("States.Base64Encode($)", &long(10_001), why);
    check_failure("States.Base64Decode($)", &long(10_001), why);
    check_failure("States.Hash($, 'MD5')", &long(10_001), why);
    for (algorithm, expect) in [
        ("MD5", "a43c1b0aa53a0c908810c06ab1ff3967"),
        ("SHA-1", "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ("SHA-256", "c96c6d5be8d08a12e7b5cdc1b207fa6b2430974c86803d8891675e76fd992c20"),
    ] {
        check(&format!("States.Hash('input', '{algorithm}')"), "{}", &format!("\"{expect}\""));
    }
    for (algorithm, len) in [("SHA-384", 96), ("SHA-512", 128)] {
        assert_eq!(evaluate(&format!("States.Hash('input', '{algorithm}')"), "{}").len(), len + 2);
    }
    for algorithm in ["sha-1", "SHA1", "SHA-224", ""] {
        check_failure(
            &format!("States.Hash('input', '{algorithm}')"),
            "{}",
            "Invalid argument 2: the algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512",
        );
    }
}

#[test]
fn numbers() {
    for (left, right, expect) in [
        ("-9", "3", "-6"),
        ("1.49", "1.5", "3"),
        ("1.5", "1.51", "4"),
        ("-1.49", "-1.5", "-2"),
        ("-1.5", "-1.51", "-3"),
        ("1.49", "-1.49", "0"),
        ("0.5", "0", "1"),
        ("2.5", "0", "3"),
        ("-0.5", "0.5", "1"),
        ("-2.5", "0", "-2"),
        ("2.0", "1e3", "1002"),
    ] {
        check(&format!("States.MathAdd({left}, {right})"), "{}", expect);
    }
    check_failure("States.MathAdd(9223372036854775807, 1)", "{}", "The sum is out of range");
    check_failure("States.MathAdd(1e300, 1)", "{}", "Invalid argument 1: an integer is expected");
    check_failure("States.MathAdd('1', 1)", "{}", "Invalid argument 1: an integer is expected");
    check("States.MathRandom(0, 10, 42)", "{}", "0");
    check("States.MathRandom(0, 16, 42)", "{}", "11");
    check("States.MathRandom(5, 6)", "{}", "5");
    check_failure("States.MathRandom(1, 1)", "{}", "The start of the range must be less than its end");
    check("States.UUID()", "{}", r#""01234567-89ab-4def-8123-456789abcdef""#);
}

#[test]
fn nesting_and_paths() {
    check("States.ArrayGetItem(States.StringSplit($.n, '-'), 0)", r#"{"n":"a-b"}"#, r#""a""#);
    check(
        "States.ArrayGetItem(States.StringSplit($.n,'-'), States.MathAdd(States.ArrayLength(States.StringSplit($.n, '-')), -1))",
        r#"{"n":"a-b"}"#,
        r#""b""#,
    );
    check("States.Array($.a[?(@.b == ')')].b, $['x,y'])", r#"{"a":[{"b":")"}],"x,y":1}"#, r#"[[")"],1]"#);
    check("States.Array( $.a , 'b' )", r#"{"a":1}"#, r#"[1,"b"]"#);
    check(
        "States.Format('{}', $.nope)",
        r#"{"other":1}"#,
        r#"! States.Runtime: The JsonPath argument for the field '$.nope' could not be found in the input '{"other":1}'"#,
    );
    // The innermost call that fails is the one named.
    check(
        "States.Array(States.ArrayLength($))",
        "{}",
        "! States.IntrinsicFailure: The function 'States.ArrayLength($)' had the following error: \
         Invalid argument 1: an array is expected",
    );
    let call = Intrinsic::parse("States.Array($b.x, States.Array($a, $b), $.c, $$.d)").expect("valid");
    assert_eq!(call.free_variables(), ["b", "a", "b"]);
    assert_eq!(call.paths().len(), 5);
}

#[test]
fn refused() {
    for call in [
        "",
        "States",
        "States.",
        "States.Format",
        "States.Format(",
        "States.Format()",
        "States.format('a')",
        "States.Nope()",
        "States.UUID(1)",
        "States.UUID() ",
        " States.UUID()",
        "States.UUID())",
        "States.Array(a)",
        "States.Array('a' 'b')",
        "States.Array('a',)",
        "States.Array(,)",
        "States.Array(\"a\")",
        "States.Array('a)",
        "States.Array($.)",
        "States.Array(1.)",
        "States.ArrayLength()",
        "States.ArrayLength($, $)",
        "States.MathAdd(1)",
        "States.MathRandom(1, 2, 3, 4)",
        r#"States.StringToJson('{"text":"An \"escaped double quote\" here"}')"#,
        r#"States.Format('He said, \"Hello, {}!\"', 'Test \"Name\" Here')"#,
        r"States.Array('\n')",
    ] {
        assert!(Intrinsic::parse(call).is_err(), "{call} is accepted");
    }
    let nested = |depth: usize| "States.Array(".repeat(depth) + &")".repeat(depth);
    assert!(Intrinsic::parse(&nested(10)).is_ok());
    assert!(Intrinsic::parse(&nested(11)).is_err());
    assert!(Intrinsic::parse(&nested(100_000)).is_err());
}

#[test]
fn results_are_bounded() {
    let large = format!("\"{}\"", "x".repeat(1024 * 1024));
    let many = vec!["$"; 20].join(", ");
    let call = format!("States.JsonToString(States.Array({many}))");
    assert!(evaluate(&call, &large).ends_with("The value is too large"));
    let call = format!("States.Format('{}', {many})", "{}".repeat(20));
    assert!(evaluate(&call, &large).ends_with("The string is too long"));
}
