//! What intrinsic functions answer. The rows are what AWS answered where that is known, and what follows from it:
//! - recordings of AWS in <https://github.com/gabrielmoreira/tiny-asl-machine> (`tests/conformance`),
//! - <https://github.com/floci-io/floci/issues/2870> (missing arguments, run on AWS),
//! - <https://github.com/ManageIQ/floe> (`intrinsic_function_spec.rb`, compared with AWS's simulator).

use stepwright_jsonpath::{Intrinsic, Scope};
use stepwright_value::{Value, read};

fn evaluate(call: &str, input: &str) -> String {
    let call = match Intrinsic::parse(call) {
        Ok(call) => call,
        Err(error) => return format!("!! {error}"),
    };
    let input = read(input).expect(input);
    let context = || read(r#"{"Execution":{"Name":"e"}}"#).expect("JSON");
    let scope = Scope { context: &context, ..Scope::of_input(&input) };
    match call.evaluate(&scope, &mut || 0x0123_4567_89AB_CDEF) {
        Ok(value) => value.to_json(),
        Err(error) => format!("! {error}"),
    }
}

#[track_caller]
fn check(call: &str, input: &str, expect: &str) {
    assert_eq!(evaluate(call, input), expect, "{call} on {input}");
}

/// The call is refused at run time, for this reason.
#[track_caller]
fn check_failure(call: &str, input: &str, why: &str) {
    let expect = format!("! There was an error while evaluating the intrinsic function: {call}. {why}");
    assert_eq!(evaluate(call, input), expect, "{call} on {input}");
}

/// As [`check_failure`], where AWS only says that something about the arguments is wrong.
#[track_caller]
fn check_invalid(call: &str, input: &str) {
    let name = call.split('(').next().unwrap_or_default();
    check_failure(call, input, &format!("Invalid arguments in {name}"));
}

/// Every kind of value but those of `taken`.
fn others(taken: &[&str]) -> Vec<(&'static str, &'static str)> {
    [
        ("null", "null"),
        ("boolean", "true"),
        ("integer", "1"),
        ("long", "3000000000"),
        ("double", "1.5"),
        ("string", "\"text\""),
        ("array", "[1]"),
        ("object", "{\"a\":1}"),
    ]
    .into_iter()
    .filter(|(kind, _)| !taken.contains(kind))
    .collect()
}

#[test]
fn format() {
    for (value, expect) in [
        (r#""""#, ""),
        (r#"" ""#, " "),
        (r#""HelloWorld""#, "HelloWorld"),
        ("null", "null"),
        ("1", "1"),
        ("1.1", "1.1"),
        ("3.50", "3.5"),
        ("12345678.9", "1.23456789E7"),
        ("9007199254740991", "9007199254740991"),
        ("true", "true"),
        (r#"{"k":[1,"a"],"m":null}"#, "{k=[1, a], m=null}"),
        (r#"[1,{"z":true}]"#, "[1, {z=true}]"),
        ("[]", "[]"),
        ("{}", "{}"),
    ] {
        check(
            "States.Format('Formatting argument {}.', $)",
            value,
            &format!("\"Formatting argument {expect}.\""),
        );
    }
    check("States.Format('Format:{}', 101)", "{}", r#""Format:101""#);
    check("States.Format('{}{}', 'a', null)", "{}", r#""anull""#);
    check("States.Format('none')", "{}", r#""none""#);
    check("States.Format('')", "{}", r#""""#);
    check("States.Format($.t, 'x')", r#"{"t":"<{}>"}"#, r#""<x>""#);
    check("States.Format('{}', $$.Execution)", "{}", r#""{Name=e}""#);
    check(
        r"States.Format('unload (\'{}\') to \'s3://{}/\'', $.q, $.b)",
        r#"{"q":"select","b":"bucket"}"#,
        r#""unload ('select') to 's3://bucket/'""#,
    );
    check(
        "States.Format('Name: \\'{}\\', Surname: \"{}\"', 'A', 'B')",
        "{}",
        r#""Name: 'A', Surname: \"B\"""#,
    );
    // What is no string is a template all the same.
    check("States.Format($)", "123", r#""123""#);
    check("States.Format($)", "null", r#""null""#);
}

#[test]
fn format_templates() {
    check(r"States.Format('This value is \{{}\}', 'Foo')", "{}", r#""This value is {Foo}""#);
    check(r"States.Format('\{\}')", "{}", r#""{}""#);
    check(r"States.Format('{} - \'\{\}\\', 'Foo')", "{}", r#""Foo - '{}\\""#);
    check(r"States.Format('\\{}', 1)", "{}", r#""\\1""#);
    // Escapes are those of the template, not of the literal.
    check("States.Format($, 'Foo')", r#""\\{{}\\} c:\\n""#, r#""{Foo} c:\\n""#);
    check(r"States.Format('{}', 'it\'s \{')", "{}", r#""it\\'s \\{""#);
    let no_open = "Invalid template in States.Format: matching '{' not found for '}'.";
    let no_close = "Invalid template in States.Format: matching '}' not found for '{'.";
    for (template, why) in [
        ("a}", no_open),
        ("}", no_open),
        (r"\{}", no_open),
        ("{}}", no_open),
        ("Hello {", no_close),
        ("Hello {{}}", no_close),
        (r"{\}", no_close),
        ("{0}", no_close),
        ("{ }", no_close),
    ] {
        check_failure(&format!("States.Format('{template}')"), "{}", why);
        // A broken template is seen before a wrong number of values.
        check_failure(&format!("States.Format('{template}', 1, 2)"), "{}", why);
    }
    let number =
        "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.";
    check_failure("States.Format('{} {}', 1)", "{}", number);
    check_failure("States.Format('{}', 1, 2)", "{}", number);
    check_failure("States.Format('{}')", "{}", number);
    check_failure("States.Format('', 1)", "{}", number);
    check_failure("States.Format($, 1)", "123", number);
    check_failure("States.Format($)", r#"{"a":1}"#, no_close);
    check_invalid("States.Format()", "{}");
}

#[test]
fn string_to_json() {
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
        (r#" {\"Arg1\": 1, \"Arg2\": []} "#, r#"{"Arg1":1,"Arg2":[]}"#),
        ("[-0, -0.0]", "[0,-0.0]"),
        (r#"{\"a\":1,\"b\":0,\"a\":2}"#, r#"{"a":2,"b":0}"#),
        // Jackson looks at the first value only.
        (r#"{\"a\":1} tail"#, r#"{"a":1}"#),
    ] {
        check("States.StringToJson($)", &format!("\"{text}\""), expect);
    }
    check(r#"States.StringToJson('{"a": [1]}')"#, "{}", r#"{"a":[1]}"#);
    let place = |column: usize| {
        format!(
            "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]"
        )
    };
    for (text, why) in [
        (
            "{bad json}",
            format!(
                "Unexpected character ('b' (code 98)): was expecting double-quote to start field name\n at {}",
                place(2)
            ),
        ),
        (
            r#"{\"a\":1"#,
            format!(
                "Unexpected end-of-input: expected close marker for Object (start marker at {})\n at {}",
                place(1),
                place(7)
            ),
        ),
        (
            "undefined",
            format!(
                "Unrecognized token 'undefined': was expecting (JSON String, Number, Array, Object or token 'null', \
                 'true' or 'false')\n at {}",
                place(10)
            ),
        ),
    ] {
        let why = format!("Cannot convert String to Json in States.StringToJson, caused by: {why}");
        check_failure("States.StringToJson($)", &format!("\"{text}\""), &why);
    }
    for (_, value) in others(&["string"]) {
        check_invalid("States.StringToJson($)", value);
    }
    check_invalid("States.StringToJson()", "{}");
    check_invalid("States.StringToJson('1', '2')", "{}");
}

#[test]
fn json_to_string() {
    for (value, expect) in [
        ("null", "null"),
        ("1.1", "1.1"),
        ("1e10", "1.0E10"),
        (r#""HelloWorld""#, r#"\"HelloWorld\""#),
        (r#"[1, 2, "HelloWorld"]"#, r#"[1,2,\"HelloWorld\"]"#),
        (r#"{"Arg1": 1, "Arg2": []}"#, r#"{\"Arg1\":1,\"Arg2\":[]}"#),
        ("[-1,3.5,-9007199254740991]", "[-1,3.5,-9007199254740991]"),
    ] {
        check("States.JsonToString($)", value, &format!("\"{expect}\""));
    }
    check("States.JsonToString('x')", "{}", r#""\"x\"""#);
    let single = "Invalid arguments in States.JsonToString: only a single argument is allowed.";
    check_failure("States.JsonToString()", "{}", single);
    check_failure("States.JsonToString(1, 2)", "{}", single);
}

#[test]
fn json_merge() {
    let two = r#"{"l":{"a":{"a1":1,"a2":2},"b":2,"d":3},"r":{"a":{"a3":1,"a4":2},"c":3,"d":4},"f":"false"}"#;
    for deep in ["false", "$.f", "'no'", "0", "null"] {
        let merged = r#"{"a":{"a3":1,"a4":2},"b":2,"d":4,"c":3}"#;
        check(&format!("States.JsonMerge($.l, $.r, {deep})"), two, merged);
    }
    check_invalid("States.JsonMerge($.l, $.r, true)", two);
    for (_, value) in others(&["object"]) {
        check_invalid("States.JsonMerge($.o, $.x, false)", &format!(r#"{{"o":{{}},"x":{value}}}"#));
        check_invalid("States.JsonMerge($.x, $.o, false)", &format!(r#"{{"o":{{}},"x":{value}}}"#));
    }
    for call in ["States.JsonMerge()", "States.JsonMerge($, $)", "States.JsonMerge($, $, false, 1)"] {
        check_invalid(call, "{}");
    }
}

#[test]
fn array_and_length() {
    check("States.Array()", "1", "[]");
    check("States.Array('a', $, 1.0, true, null, States.Array($))", "1", r#"["a",1,1.0,true,null,[1]]"#);
    check("States.Array( $.a , $.b )", r#"{"a":1,"b":2}"#, "[1,2]");
    check("States.ArrayLength($)", "[1,[2],{}]", "3");
    check("States.ArrayLength(States.Array())", "1", "0");
    check("States.ArrayLength($.items[*].nope)", r#"{"items":[1,2]}"#, "0");
    for (_, value) in others(&["array"]) {
        check_invalid("States.ArrayLength($)", value);
        check_invalid("States.ArrayUnique($)", value);
        check_invalid("States.ArrayContains($, 1)", value);
        check_invalid("States.ArrayPartition($, 1)", value);
        check_invalid("States.ArrayGetItem($, 0)", value);
    }
    for call in [
        "States.ArrayLength()",
        "States.ArrayLength($, 1)",
        "States.ArrayUnique()",
        "States.ArrayUnique($, 1)",
        "States.ArrayContains($)",
        "States.ArrayContains($, 1, 2)",
        "States.ArrayPartition($)",
        "States.ArrayPartition($, 2, 3)",
        "States.ArrayGetItem($)",
        "States.ArrayGetItem($, 0, 1)",
    ] {
        check_invalid(call, "[1]");
    }
}

#[test]
fn array_partition() {
    for (items, size, expect) in [
        ("[0]", "1", "[[0]]"),
        ("[0]", "5", "[[0]]"),
        ("[0,1,2,3]", "3", "[[0,1,2],[3]]"),
        ("[0,1,2,3]", "2", "[[0,1],[2,3]]"),
        ("[1,2,3,4,5]", "2.4", "[[1,2],[3,4],[5]]"),
        ("[1,2,3,4,5]", "2.6", "[[1,2],[3,4],[5]]"),
        ("[0,1,2]", "1.5", "[[0],[1],[2]]"),
        ("[]", "2", "[]"),
        ("[[1],[2],[3]]", "2", "[[[1],[2]],[[3]]]"),
        ("[1,2]", "2147483647", "[[1,2]]"),
    ] {
        check(&format!("States.ArrayPartition($, {size})"), items, expect);
    }
    for size in ["0", "-1", "0.49", "0.6", "-0.4", "-0.6", "3000000000", "'2'", "null", "true"] {
        check_invalid(&format!("States.ArrayPartition($, {size})"), "[1,2,3]");
    }
}

#[test]
fn array_contains() {
    for (items, item, expect) in [
        ("[1,5]", "5", "true"),
        ("[1,5]", "4", "false"),
        ("[]", "1", "false"),
        ("[1,null]", "null", "true"),
        (r#"["A","C"]"#, "\"C\"", "true"),
        (r#"[{"a":1},{"b":2}]"#, r#"{"b":2}"#, "true"),
        (r#"[{"a":1}]"#, r#"{"a":1,"extra":null}"#, "false"),
        ("[[1,2],[3,4]]", "[1,2]", "true"),
        (r#"[null,"",0,[0,1,false]]"#, "[0,1,false]", "true"),
        ("[0,1,-1]", "false", "false"),
        // Texts are compared: the order of keys counts, the type does not.
        (r#"[{"a":1,"b":2}]"#, r#"{"b":2,"a":1}"#, "false"),
        (r#"["-1","9007199254740991"]"#, "9007199254740991", "true"),
        (r#"["true"]"#, "true", "true"),
        ("[5]", "\"5\"", "true"),
        ("[1.0]", "1", "false"),
        (r#"["[1, 2]"]"#, "[1,2]", "true"),
    ] {
        let input = format!(r#"{{"l":{items},"x":{item}}}"#);
        check("States.ArrayContains($.l, $.x)", &input, expect);
    }
}

#[test]
fn array_range() {
    for (call, expect) in [
        ("0, 9, 3", "[0,3,6,9]"),
        ("0, 10, 3", "[0,3,6,9]"),
        ("1, 9, 9", "[1]"),
        ("-2, 2, 2", "[-2,0,2]"),
        ("5, 1, -2", "[5,3,1]"),
        ("3, 3, 1", "[3]"),
        ("3, 3, -1", "[3]"),
        ("1, 5, -1", "[]"),
        ("5, 1, 1", "[]"),
        ("1.4, 5.6, 2.2", "[1,3,5]"),
        ("1.6, 1.4, 1", "[1]"),
        ("5.4, -0.6, -2.4", "[5,3,1]"),
        ("2147483646, 2147483647, 1", "[2147483646,2147483647]"),
        ("-2147483648, 2147483647, 2147483647", "[-2147483648,-1,2147483646]"),
    ] {
        check(&format!("States.ArrayRange({call})"), "{}", expect);
    }
    check("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "{}", "1000");
    check("States.ArrayLength(States.ArrayRange(1000, 1, -1))", "{}", "1000");
    for call in [
        "1, 1001, 1",
        "1001, 1, -1",
        "-2147483648, 2147483647, 1",
        "1, 2, 0",
        "1, 10, 0.49",
        "1, 10, -0.9",
        "1, 3000000000, 2999999999",
        "'a', 5, 1",
        "1, null, 1",
        "1, 5, true",
        "1, 5",
        "1, 5, 1, 99",
        "",
    ] {
        check_invalid(&format!("States.ArrayRange({call})"), "{}");
    }
}

#[test]
fn array_get_item() {
    check("States.ArrayGetItem($, 5)", "[1,2,3,4,5,6,7]", "6");
    check("States.ArrayGetItem($, 0)", "[null]", "null");
    check("States.ArrayGetItem($, 1.2)", "[10,20,30]", "20");
    check("States.ArrayGetItem($, 1.9)", "[10,20,30]", "20");
    check("States.ArrayGetItem($, -0.9)", "[10,20,30]", "10");
    for index in ["0", "4", "999", "-1"] {
        check(&format!("States.ArrayGetItem($, {index})"), "[]", "null");
    }
    for index in ["3", "-1", "'1'", "null", "3000000000", "1e300"] {
        check_invalid(&format!("States.ArrayGetItem($, {index})"), "[10,20,30]");
    }
    check_invalid("States.ArrayGetItem($, '1')", "[]");
}

#[test]
fn array_unique() {
    for (items, expect) in [
        ("[1,2,2,3,3,4]", "[1,2,3,4]"),
        (r#"["a","b","a","c","b"]"#, r#"["a","b","c"]"#),
        ("[]", "[]"),
        ("[true,false,true,false]", "[false,true]"),
        ("[null,null,1,null]", "[null,1]"),
        (r#"[1,"1",1,"01"]"#, r#"[1,"1","01"]"#),
        (r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, r#"[{"a":1,"b":2}]"#),
        ("[[1,2],[1,2],[2,1]]", "[[2,1],[1,2]]"),
        ("[3,1,2]", "[1,2,3]"),
        ("[100,1]", "[1,100]"),
        // Distinct though their doubles are the same.
        ("[9007199254740993,9007199254740992]", "[9007199254740992,9007199254740993]"),
    ] {
        check("States.ArrayUnique($)", items, expect);
    }
}

#[test]
fn string_split() {
    for (text, delimiters, expect) in [
        (" ", ",", r#"[" "]"#),
        (" , ", ",", r#"[" "," "]"#),
        (", , ,", ",", r#"[" "," "]"#),
        (",,,,", ",", "[]"),
        ("", ",", "[]"),
        ("", "", "[]"),
        ("1,2,3", ",", r#"["1","2","3"]"#),
        ("This.is+a,test=string", ".+,=", r#"["This","is","a","test","string"]"#),
        ("split on T and \\nnew line", "T\\n", r#"["split on "," and ","new line"]"#),
        ("1--2]+3:4]+5", "-]:+", r#"["1","2","3","4","5"]"#),
        ("a|b.c", "|.", r#"["a","b","c"]"#),
        ("1a2b3ab4", "ab", r#"["1","2","3","4"]"#),
        ("abc", "", r#"["abc"]"#),
    ] {
        let input = format!(r#"{{"t":"{text}","d":"{delimiters}"}}"#);
        check("States.StringSplit($.t, $.d)", &input, expect);
    }
    check("States.StringSplit('Hello\nWorld', '\n')", "{}", r#"["Hello","World"]"#);
    for (_, value) in others(&["string"]) {
        check_invalid("States.StringSplit($, ',')", value);
        check_invalid("States.StringSplit('a', $)", value);
    }
    for call in ["States.StringSplit()", "States.StringSplit('a')", "States.StringSplit('a', ',', 'x')"] {
        check_invalid(call, "{}");
    }
}

#[test]
fn base64() {
    check("States.Base64Encode('Data to encode')", "{}", r#""RGF0YSB0byBlbmNvZGU=""#);
    check("States.Base64Encode('🚀')", "{}", r#""8J+agA==""#);
    check("States.Base64Encode('')", "{}", r#""""#);
    for (text, expect) in [
        ("RGF0YSB0byBlbmNvZGU=", "Data to encode"),
        ("RGF0YSB0byBlbmNvZGU", "Data to encode"),
        ("", ""),
        ("/w==", "\u{FFFD}"),
        // What is not of the alphabet is skipped, and the text ends at its padding.
        (" YWJjZA== ", "abcd"),
        ("Y!W,J\tj", "abc"),
        ("YWJj=ZGVm", "abc"),
        ("ab==cd", "i"),
        ("abc", "i\u{FFFD}"),
        ("Y", ""),
        ("====", ""),
    ] {
        assert_eq!(
            evaluate("States.Base64Decode($)", &Value::from(text).to_json()),
            Value::from(expect).to_json(),
            "{text}"
        );
    }
    assert!(evaluate("States.Base64Decode('!!!invalid!!!')", "{}").starts_with('"'));
    let long = |len| format!("\"{}\"", "ä".repeat(len));
    assert!(evaluate("States.Base64Encode($)", &long(10_000)).starts_with('"'));
    for call in ["States.Base64Encode($)", "States.Base64Decode($)", "States.Hash($, 'MD5')"] {
        check_invalid(call, &long(10_001));
    }
    // Java counts a character beyond U+FFFF as two.
    check_invalid("States.Base64Encode($)", &format!("\"{}\"", "😀".repeat(5_001)));
    for (_, value) in others(&["string"]) {
        check_invalid("States.Base64Encode($)", value);
        check_invalid("States.Base64Decode($)", value);
    }
    for call in [
        "States.Base64Encode()",
        "States.Base64Encode('a', 'b')",
        "States.Base64Decode()",
        "States.Base64Decode('a', 'b')",
    ] {
        check_invalid(call, "{}");
    }
}

#[test]
fn hash() {
    for (data, expect) in [
        ("\"input data\"", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("\"\"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("1", "356a192b7913b04c54574d18c28d46e6395428ab"),
        ("1.5", "aa8f289ebe6d4db1b4a1038b8931ec8c2b5399fb"),
        ("true", "5ffe533b830f08a0326348a9160afafc8ada44db"),
        ("false", "7cb6efb98ba5972a9b5090dc2e517fe14d12cb04"),
        ("[1,2,3]", "9ef50cc82ae474279fb8e82896142702bccbb33a"),
        (r#"["1","2","3"]"#, "339177d03debd051467d9f6cbcffca24d94f4ab2"),
        (r#"{"foo":"bar"}"#, "dc2935b70ad43836e2e74df2d9758b1e51397997"),
    ] {
        check("States.Hash($, 'SHA-1')", data, &format!("\"{expect}\""));
    }
    for (algorithm, expect) in [
        ("MD5", "5d41402abc4b2a76b9719d911017c592"),
        ("SHA-256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    ] {
        check(&format!("States.Hash('hello', '{algorithm}')"), "{}", &format!("\"{expect}\""));
    }
    for (algorithm, len) in [("SHA-384", 96), ("SHA-512", 128)] {
        assert_eq!(evaluate(&format!("States.Hash('input', '{algorithm}')"), "{}").len(), len + 2);
    }
    for algorithm in ["'sha-1'", "'SHA1'", "'SHA-224'", "'MD-5'", "''", "123", "null"] {
        check_invalid(&format!("States.Hash('input', {algorithm})"), "{}");
    }
    check_invalid("States.Hash(null, 'SHA-1')", "{}");
    for call in ["States.Hash()", "States.Hash('a')", "States.Hash('a', 'MD5', 1)"] {
        check_invalid(call, "{}");
    }
}

#[test]
fn math_add() {
    for (left, right, expect) in [
        ("-9", "3", "-6"),
        ("1.49", "1.5", "3"),
        ("1.5", "1.51", "4"),
        ("-1.49", "-1.5", "-2"),
        ("-1.5", "-1.51", "-3"),
        ("1.49", "-1.49", "0"),
        ("1.6", "2.7", "5"),
        ("0.1", "0.2", "0"),
        ("-2.5", "0", "-2"),
        ("2.0", "1e3", "1002"),
        ("2147483647", "0", "2147483647"),
        ("2147483646", "1", "2147483647"),
        ("-2147483647", "-1", "-2147483648"),
    ] {
        check(&format!("States.MathAdd({left}, {right})"), "{}", expect);
    }
    for arguments in [
        "2147483647, 1",
        "-2147483648, -1",
        "3000000000, 1",
        "-3000000000, 1",
        "1, 123456789012345678901234567890",
        "'1', 1",
        "1, '1.5'",
        "null, 1",
        "true, 1",
        "1",
        "1, 2, 3",
        "",
    ] {
        check_invalid(&format!("States.MathAdd({arguments})"), "{}");
    }
    check_invalid("States.MathAdd(-1, $)", "[1]");
    // AWS answers a number.
    assert!(!evaluate("States.MathAdd(1e309, 1)", "{}").starts_with('!'));
}

#[test]
fn math_random_and_uuid() {
    for (arguments, expect) in [
        ("0, 10, 42", "0"),
        ("0, 16, 42", "11"),
        ("1, 100, 42", "63"),
        ("1, 1000, 1", "106"),
        ("1, 1000, 2", "806"),
        ("1, 5, 42", "3"),
        ("-5, 5, 42", "-5"),
        ("1.6, 5.4, 42", "3"),
        ("5, 6", "5"),
    ] {
        check(&format!("States.MathRandom({arguments})"), "{}", expect);
    }
    for arguments in [
        "1, 1",
        "10, 5",
        "1.4, 1.6",
        "1.49, 1.49",
        "'a', 10",
        "1, 'b'",
        "1, 10, 'seed'",
        "1, 10, null",
        "null, 10",
        "1, 3000000000",
        "1",
        "1, 10, 5, 99",
        "",
    ] {
        check_invalid(&format!("States.MathRandom({arguments})"), "{}");
    }
    for arguments in ["", " ", "'x'", "$.x", "1, 2", "null"] {
        let call = format!("States.UUID({arguments})");
        check(&call, r#"{"x":1}"#, r#""01234567-89ab-4def-8123-456789abcdef""#);
    }
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
    let call = Intrinsic::parse("States.Array($b.x, States.Array($a, $b), $.c, $$.d)").expect("valid");
    assert_eq!(call.free_variables(), ["b", "a", "b"]);
    assert_eq!(call.paths().len(), 5);
}

/// The whole expression is named as it was written, and the argument that is missing.
#[test]
fn missing_arguments() {
    for (call, path, input) in [
        ("States.Format('{}', $.nope)", "$.nope", r#"{"other":1}"#),
        ("States.Format('{}',$.nope)", "$.nope", r#"{"other":1}"#),
        ("States.Format('{} {}', $.other, $.a.b)", "$.a.b", r#"{"other":1}"#),
        ("States.Format('{}', States.Format('{}', $.nope))", "$.nope", r#"{"other":1}"#),
        ("States.Format($.nope, 1)", "$.nope", r#"{"other":1}"#),
        ("States.Hash($.missing, 'SHA-256')", "$.missing", "{}"),
        ("States.UUID($.missing)", "$.missing", "{}"),
        ("States.Format('{}', $.items[5])", "$.items[5]", r#"{"items":[1,2]}"#),
        ("States.Format('{}', $.items[5].x)", "$.items[5].x", r#"{"items":[1]}"#),
        ("States.Format('{}', $[0].nope)", "$[0].nope", r#"[{"other":1}]"#),
        // A context path is looked up with one `$`; the input is that of the state.
        ("States.Format('{}', $$.Nope.Deep)", "$.Nope.Deep", r#"{"other":1}"#),
    ] {
        let expect = format!(
            "! The function '{call}' had the following error: The JsonPath argument for the field '{path}' could not \
             be found in the input '{input}'"
        );
        assert_eq!(evaluate(call, input), expect);
    }
    check(
        "States.Format('{}', $.other[0])",
        r#"{"other":1}"#,
        "! The function 'States.Format('{}', $.other[0])' had the following error: Filter: [0] can only be applied to \
         arrays. Current context is: 1",
    );
    check_failure("States.Array(States.ArrayLength($))", "{}", "Invalid arguments in States.ArrayLength");
}

#[test]
fn refused() {
    for call in [
        "",
        "States",
        "States.",
        "States.Format",
        "States.Format(",
        "States.format('a')",
        "States.Nope()",
        " States.UUID()",
        "States.UUID)",
        "States.UUID())",
        "States.UUID() trailing",
        "States.UUID(,)",
        "States.UUID($",
        "States.Array(a)",
        "States.Array('a' 'b')",
        "States.Array('a',)",
        "States.Array(,)",
        "States.Array(\"a\")",
        "States.Array('a)",
        "States.Array($.)",
        "States.Array(1.)",
        "States.Array(.5)",
        "States.Array([1,2])",
        r#"States.StringToJson('{"text":"An \"escaped double quote\" here"}')"#,
        r#"States.Format('He said, \"Hello, {}!\"', 'Test \"Name\" Here')"#,
        r"States.Array('\n')",
        r"States.Base64Decode('YWJj\nZA==')",
    ] {
        assert!(Intrinsic::parse(call).is_err(), "{call} is accepted");
    }
    // The number of arguments is judged when the function is called.
    for call in ["States.Format()", "States.ArrayLength()", "States.MathAdd(1)", "States.UUID(1)   "] {
        assert!(Intrinsic::parse(call).is_ok(), "{call} is refused");
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
    for call in [
        format!("States.JsonToString(States.Array({many}))"),
        format!("States.Format('{}', {many})", "{}".repeat(20)),
        format!("States.ArrayUnique(States.Array({many}))"),
        format!("States.ArrayContains(States.Array({many}), 1)"),
        format!("States.Hash(States.Array({many}), 'MD5')"),
    ] {
        assert!(evaluate(&call, &large).contains(" Invalid arguments in States."), "{call:.60}");
    }
}
