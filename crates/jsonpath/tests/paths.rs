//! What paths select, as AWS answers; rows marked "Jayway" follow its documentation.

use stepwright_jsonpath::{NoVariables, Path, PathError, Root, Scope, Variables, invalid_path};
use stepwright_value::{Value, read};

fn select(path: &str, input: &str) -> Result<Value, PathError> {
    let path = Path::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    path.select_from(&read(input).expect(input))
}

#[track_caller]
fn check(path: &str, input: &str, expect: &str) {
    match select(path, input) {
        Ok(value) => assert_eq!(value.to_json(), expect, "{path} on {input}"),
        Err(error) => assert_eq!(format!("! {error}"), expect, "{path} on {input}"),
    }
}

const BOOKS: &str = r#"{"store":{"book":[
    {"category":"reference","author":"Rees","title":"Sayings","price":8.95},
    {"category":"fiction","author":"Waugh","title":"Honour","price":12.99,"tags":["war","old"]},
    {"category":"fiction","author":"Melville","title":"Moby","isbn":"0-553","price":8.99,"tags":[]},
    {"category":"fiction","author":"Tolkien","title":"Rings","isbn":"0-395","price":22.99,"tags":["old"]}],
    "bicycle":{"color":"red","price":19.95}},"expensive":10}"#;

#[test]
fn definite_paths_give_the_bare_value() {
    check("$", "[1, 2]", "[1,2]");
    check("$.a", r#"{"a":{"b":1}}"#, r#"{"b":1}"#);
    check("$.a.b", r#"{"a":{"b":null}}"#, "null");
    check("$.items[0]", r#"{"items":[{"x":1}]}"#, r#"{"x":1}"#);
    check("$['a b']['c.d']", r#"{"a b":{"c.d":1}}"#, "1");
    check("$[\"a\"]", r#"{"a":1}"#, "1");
    check("$.abc.['def ghi']", r#"{"abc":{"def ghi":1}}"#, "1");
    check(r"$['it\'s']", r#"{"it's":1}"#, "1");
    // A backslash before anything else is a backslash.
    check(r#"$['a\"b']"#, r#"{"a\\\"b":1}"#, "1");
    check(r"$['a\\b']", r#"{"a\\\\b":1}"#, "1");
    check(r"$['a\nb']", r#"{"a\\nb":1}"#, "1");
    check("$[-1]", "[1,2,3]", "3");
    check("$.[0]", "[1,2,3]", "1");
    check("$.a-b", r#"{"a-b":1}"#, "1");
    check("$.$id.@type", r#"{"$id":{"@type":1}}"#, "1");
    check("$.ümläut.日本", r#"{"ümläut":{"日本":1}}"#, "1");
    // Jayway: several names at the end are one object.
    check("$['a','c']", r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1,"c":3}"#);
    check("$['a','x']", r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1}"#);
}

#[test]
fn definite_paths_that_miss_say_so() {
    check("$.NoSuchOutputPath", r#"{"a":0}"#, "! No results for path: $['NoSuchOutputPath']");
    check("$.a.b", r#"{"a":{}}"#, "! No results for path: $['a']['b']");
    check("$.x.b", r#"{"a":{}}"#, "! Missing property in path $['x']");
    check("$.items[10]", r#"{"items":[0]}"#, "! No results for path: $['items'][10]");
    check("$.items[-2]", r#"{"items":[0]}"#, "! No results for path: $['items'][-2]");
    check("$.list.x", r#"{"list":[1]}"#, "! Property ['x'] not found in path $['list']");
    check("$.a[0]", r#"{"a":null}"#, "! The path $['a'] is null");
    check(
        "$.a[0].b",
        r#"{"a":{"c":1}}"#,
        "! Filter: [0]['b'] can only be applied to arrays. Current context is: {c=1}",
    );
    let error = select("$.x", "{}").expect_err("missing");
    assert_eq!(invalid_path("$.x", &error), "Invalid path '$.x' : No results for path: $['x']");
}

#[test]
fn indefinite_paths_give_arrays() {
    for path in [
        "$[*]",
        "$.items[*]",
        "$.items[*].itemValue",
        "$.items[1:]",
        "$.item.items[1:5]",
        "$.item.items[:1]",
        "$.item.items[1:5].itemValue",
        "$..a",
        "$..*",
        "$.items[?(@.a)]",
        "$.items[?(@.a == 1)].b",
        "$.items[0,1]",
    ] {
        check(path, "{}", "[]");
    }
    check("$.items[*].name", r#"{"items":[{"name":1},{},{"name":2}]}"#, "[1,2]");
    check("$.a[0:2]", r#"{"a":[1,2,3]}"#, "[1,2]");
    check("$[-2:]", "[1,2,3]", "[2,3]");
    check("$[:-1]", "[1,2,3]", "[1,2]");
    check("$[0:3:2]", "[1,2,3]", "[1,3]");
    check("$[5:9]", "[1,2,3]", "[]");
    check("$[2:1]", "[1,2,3]", "[]");
    check("$[0,2,9]", "[1,2,3]", "[1,3]");
    check("$[*][*]", "[[1,2],[3],4]", "[1,2,3]");
    check("$.*", r#"{"a":1,"b":[2]}"#, "[1,[2]]");
    check("$.a[*]", r#"{"a":null}"#, "[]");
    check("$.a[1:]", r#"{"a":null}"#, "[]");
    check("$.[*].['bucket', 'key']", r#"[{"bucket":1,"key":2,"x":3}]"#, r#"[{"bucket":1,"key":2}]"#);
}

#[test]
fn steps_for_arrays_fail_on_other_values() {
    for path in ["$[1:5]", "$[1:]", "$[:1]", "$[0,1]"] {
        assert!(matches!(select(path, "{}"), Err(PathError::NotApplicable { .. })), "{path}");
    }
    assert!(matches!(select("$.a[?(@.b)]", r#"{"a":1}"#), Err(PathError::NotApplicable { .. })));
    check("$[*][1:]", r#"[{},[1,2]]"#, "[2]");
    for path in ["$['a','b'].v", "$['a', 'b'].v"] {
        check(path, r#"{"a":{"v":1}}"#, "! Multi properties can only be used as path leafs: $['a', 'b']");
    }
    check("$.l['a','b']", r#"{"l":[1]}"#, "! Property ['a','b'] not found in path $['l']");
}

#[test]
fn deep_scans() {
    check("$.d..a", r#"{"d":{"x":{"a":[1,2]}}}"#, "[[1,2]]");
    check("$.d..a[*]", r#"{"d":{"x":{"a":[1,2]}}}"#, "[1,2]");
    check("$..price", BOOKS, "[8.95,12.99,8.99,22.99,19.95]");
    check("$.store..price", BOOKS, "[8.95,12.99,8.99,22.99,19.95]");
    check("$..book[2].title", BOOKS, r#"["Moby"]"#);
    check("$..book[-1].title", BOOKS, r#"["Rings"]"#);
    check("$..book[?(@.isbn)].title", BOOKS, r#"["Moby","Rings"]"#);
    check("$..[?(@.isbn)].title", BOOKS, r#"["Moby","Rings"]"#);
    check("$..*", r#"{"a":{"b":1},"c":[2]}"#, r#"[{"b":1},[2],1,2]"#);
    check("$..[0]", r#"[[1,2],[3]]"#, "[[1,2],1,3]");
}

#[test]
fn filters() {
    let keep = r#"{"list":[{"keep":true},{"keep":false},{"keep":null},{"other":1}]}"#;
    check("$.list[?(@.keep)]", keep, r#"[{"keep":true},{"keep":false}]"#);
    check("$.list[?(!@.keep)]", keep, r#"[{"keep":null},{"other":1}]"#);
    check("$.list[?(@.keep == true)]", keep, r#"[{"keep":true}]"#);
    check("$.list[?(@.keep != true)]", keep, r#"[{"keep":false},{"keep":null}]"#);
    check("$.list[?(@.keep == null)]", keep, r#"[{"keep":null}]"#);
    check(
        "$.users[?(@.status == 0)]",
        r#"{"users":[{"year":1997,"status":0},{"year":1998,"status":1}]}"#,
        r#"[{"year":1997,"status":0}]"#,
    );
    check("$.[?(@.year < 1999)].name", r#"[{"year":1998,"name":"a"},{"year":1999,"name":"b"}]"#, r#"["a"]"#);
    check("$[?(@.year <= 1999)]", r#"[{"year":1999.0}]"#, r#"[{"year":1999.0}]"#);
    // AWS: `@` "does not match scalar values. It only matches objects."
    check("$[?(@ > 15)]", "[10,20,30]", "[]");
    check("$[?(!@.a)]", "[1,{}]", "[{}]");
    check("$.jar[?(@.a >= 5)]", r#"{"jar":[{"a":1},{"a":5},{"a":2},{"a":7}]}"#, r#"[{"a":5},{"a":7}]"#);
    check("$.store.book[?(@.price < $.expensive)].title", BOOKS, r#"["Sayings","Moby"]"#);
    check("$.store.book[?(@.price < 10 && @.category == 'fiction')].title", BOOKS, r#"["Moby"]"#);
    check("$.store.book[?(@.price < 9 || @.price>20)].title", BOOKS, r#"["Sayings","Moby","Rings"]"#);
    check("$.store.book[?(!(@.price < 10 || @.price > 20))].title", BOOKS, r#"["Honour"]"#);
    check("$.store.book[?(@.author =~ /.*REES/i)].title", BOOKS, r#"["Sayings"]"#);
    check("$.store.book[?(@.author =~ /REES/)].title", BOOKS, "[]");
    check("$.store.book[?(@.author =~ /ees/)].title", BOOKS, "[]");
    check("$.store.book[?(@.category==reference)].title", BOOKS, r#"["Sayings"]"#);
    check("$.store.book[?(@['author'] == \"Rees\")].title", BOOKS, r#"["Sayings"]"#);
    check("$.store.book[?(@.author in ['Rees','Waugh'])].price", BOOKS, "[8.95,12.99]");
    check("$.store.book[?(@.author nin ['Rees','Waugh'])].price", BOOKS, "[8.99,22.99]");
    check("$.store.book[?('old' in @.tags)].title", BOOKS, r#"["Honour","Rings"]"#);
    check("$.store.book[?(@.tags contains 'war')].title", BOOKS, r#"["Honour"]"#);
    check("$.store.book[?(@.title contains 'ing')].title", BOOKS, r#"["Sayings","Rings"]"#);
    check("$.store.book[?(@.tags empty true)].title", BOOKS, r#"["Moby"]"#);
    check("$.store.book[?(@.tags empty false)].title", BOOKS, r#"["Honour","Rings"]"#);
    check("$.store.book[?(@.tags size 2)].title", BOOKS, r#"["Honour"]"#);
    check("$.store.book[?(@.tags.length() == 1)].title", BOOKS, "[]");
    check("$.store.book[?(@.tags subsetof ['old','new'])].title", BOOKS, r#"["Moby","Rings"]"#);
    check("$.store.book[?(@.tags anyof ['war','new'])].title", BOOKS, r#"["Honour"]"#);
    check("$.store.book[?(@.tags noneof ['war'])].title", BOOKS, r#"["Moby","Rings"]"#);
    check("$.store.book[?(@.tags ALL ['old','war'])].title", BOOKS, r#"["Honour"]"#);
    check("$.store[?(@.color == 'red')].price", BOOKS, "[]");
    check("$.store.bicycle[?(@.color == 'red')].price", BOOKS, "[19.95]");
    check("$[?(@.a[?(@.b == 1)])]", r#"[{"a":[{"b":1}]},{"a":[{"b":2}]}]"#, r#"[{"a":[{"b":1}]}]"#);
    check("$[?(@ == {'a': [1, -2.5e0]})]", r#"[{"a":[1,-2.5]}]"#, r#"[{"a":[1,-2.5]}]"#);
    check("$[?(@.x == @.y)]", r#"[{"x":1,"y":1.0},{"x":1},{}]"#, r#"[{"x":1,"y":1.0}]"#);
}

/// AWS knows none: `length()` is a name (<https://github.com/awsdocs/aws-step-functions-developer-guide/pull/5> and
/// <https://repost.aws/questions/QUYiQKP0XfThWEc_ahsMnLOA/aws-step-functions-sum-function-returns-error-about-not-finding-path>).
#[test]
fn functions() {
    check("$.list.length()", r#"{"list":[1]}"#, "! Property ['length()'] not found in path $['list']");
    check("$.list.sum()", r#"{"list":{}}"#, "! No results for path: $['list']['sum()']");
    check("$.list.sum()", r#"{"list":{"sum()":1}}"#, "1");
    check("$..length()", r#"[[1]]"#, "[]");
}

#[test]
fn roots() {
    struct One;
    impl Variables for One {
        fn get(&self, name: &str) -> Option<Value> {
            (name == "my_var").then(|| read(r#"{"a":[7]}"#).expect("JSON"))
        }
    }
    let input = read(r#"{"a":1}"#).expect("JSON");
    let context = || read(r#"{"Execution":{"Id":"x"}}"#).expect("JSON");
    let scope = Scope { input: &input, context: &context, variables: &One, goes_on: &|| true };
    for (path, root, expect) in [
        ("$.a", Root::Input, "1"),
        ("$$.Execution.Id", Root::Context, "\"x\""),
        ("$$", Root::Context, r#"{"Execution":{"Id":"x"}}"#),
        ("$my_var.a[0]", Root::Variable("my_var"), "7"),
        ("$my_var", Root::Variable("my_var"), r#"{"a":[7]}"#),
        ("$my_var['a'][*]", Root::Variable("my_var"), "[7]"),
    ] {
        let path = Path::parse(path).expect(path);
        assert_eq!(path.root(), root);
        assert_eq!(path.select(&scope).expect("found").to_json(), expect);
    }
    assert!(Path::parse("$other").expect("valid").select(&scope).is_err());
    let never = || -> Value { panic!("the context is not needed") };
    let scope = Scope { input: &input, context: &never, variables: &NoVariables, goes_on: &|| true };
    assert!(Path::parse("$.a").expect("valid").select(&scope).is_ok());
    assert!(Path::parse("$").expect("valid").is_root());
    assert!(!Path::parse("$$").expect("valid").is_root());
    assert!(!Path::parse("$v").expect("valid").is_root());
    assert!(Path::parse("$ \n").expect("blanks behind").is_root());
    assert_eq!(Path::parse("$$.Execution.Name ").expect("blanks behind").text(), "$$.Execution.Name");
}

#[test]
fn definiteness() {
    for (path, expect) in [
        ("$", true),
        ("$.a[0]['b']", true),
        ("$['a','b']", true),
        ("$['a','b'].c", false),
        ("$[0,1]", false),
        ("$[0:1]", false),
        ("$.*", false),
        ("$..a", false),
        ("$[?(@.a)]", false),
    ] {
        assert_eq!(Path::parse(path).expect(path).is_definite(), expect, "{path}");
    }
}

#[test]
fn refused() {
    for path in [
        "",
        "a",
        ".a",
        "$.",
        "$..",
        "$...a",
        "$[",
        "$[]",
        "$['a'",
        "$['a",
        "$[a]",
        "$[1",
        "$[1,]",
        "$[:]",
        "$[::0]",
        "$[1:2:0]",
        "$[--1]",
        "$[99999999999999999999]",
        "$.a b",
        " $",
        "$ a",
        "$.a,b",
        "$.()",
        "$a-b",
        "$1",
        "$[?]",
        "$[?()]",
        "$[?(@.a]",
        "$[?(@.a ==)]",
        "$[?(@.a = 1)]",
        "$[?(@.a =~ /(/)]",
        "$[?(@.a =~ /a/q)]",
        "$[?(@.a =~ 'a')]",
        "$[?(@.a && )]",
        "$[?(@.a foo 1)]",
        "$[?@.a]",
        "$.a]",
        "$.a)",
        "$.length(1)",
    ] {
        assert!(Path::parse(path).is_err(), "{path} is accepted");
    }
}

#[test]
fn work_is_bounded() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    assert_eq!(select(&format!("${}", "..*".repeat(20)), &deep), Err(PathError::TooLarge));
    // Few results, each large.
    let chain = "[".repeat(400) + &format!("\"{}\"", "x".repeat(100_000)) + &"]".repeat(400);
    assert_eq!(select("$..*..*", &chain), Err(PathError::TooLarge));
    assert!(Path::parse(&format!("${}", "[?(@.a)]".repeat(257))).is_err());
    assert!(Path::parse(&format!("$[?{}", "(".repeat(100_000))).is_err());
    assert!(Path::parse(&format!("$[?(@ == {}", "[".repeat(100_000))).is_err());
    assert!(Path::parse(&format!("${}", "[?(@".repeat(100_000))).is_err());
    assert!(Path::parse("$[?(@ =~ /((a{1000}){1000}){1000}/)]").is_err());
}
