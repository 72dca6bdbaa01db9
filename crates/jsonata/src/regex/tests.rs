//! Patterns against what `java.util.regex` answers.

use stepwright_value::Value;

use super::*;
use crate::limits::Limits;

fn find(pattern: &str, flags: &str, text: &str) -> String {
    let regex = match Regex::new(pattern, flags.contains('i'), flags.contains('m')) {
        Ok(regex) => regex,
        Err(reason) => return format!("error: {reason}"),
    };
    match regex.find_at(text, 0, &Meter::new(&Limits::generous(), &|| true)) {
        Err(fault) => fault.render(),
        Ok(None) => "-".to_owned(),
        Ok(Some(captures)) => {
            let part = |range: &Option<(usize, usize)>| range.map_or("~", |(from, to)| &text[from..to]);
            captures.iter().map(part).collect::<Vec<_>>().join(",")
        }
    }
}

#[test]
fn matches_as_java_does() {
    let cases = [
        ("a+", "", "baac", "aa"),
        ("(a)|(b)", "", "b", "b,~,b"),
        ("(?:(a)|(b))+", "", "ab", "ab,a,b"),
        ("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", "zaacbbbcac,z,ac,a,bbb,c"),
        ("(a*)*", "", "b", ","),
        ("(a*)?b", "", "b", "b,"),
        ("(a){0}b", "", "b", "b,~"),
        ("\\w+", "", "é_a1", "_a1"),
        ("\\d", "", "\u{661}", "-"),
        ("k", "i", "\u{212a}", "-"),
        ("\\s", "", "a\u{a0}\u{3000}b c", " "),
        ("[^\\s]+", "", " a\u{a0}b ", "a\u{a0}b"),
        ("\\S+$", "", "ab\u{2003}", "ab\u{2003}"),
        ("b$", "", "ab\n", "b"),
        ("b$", "", "ab\r\n", "b"),
        ("b$", "", "ab\n\n", "-"),
        ("(?=.)b$", "", "ab\n", "b"),
        (".", "", "\u{85}x", "x"),
        ("(a)?\\1b", "", "b", "-"),
        ("[a-z]+", "i", "ABC", "ABC"),
        ("É", "i", "é", "-"),
        ("[à-ý]", "i", "É", "-"),
        ("^b$", "m", "a\rb\nc", "b"),
        ("(a)\\1", "", "aba a aa", "aa,a"),
        ("a(?=b)", "", "aab", "a"),
        ("(?<=\\$)\\d+", "", "cost $42", "42"),
        ("(?<!a)b", "", "ab b", "b"),
        ("(?<year>\\d{4})-\\k<year>", "", "2020-2020", "2020-2020,2020"),
        ("[[a-z]&&[^b]]+", "", "babc", "a"),
        ("[]a]+", "", "a]", "a]"),
        ("\\Qa.b\\E", "", "axb a.b", "a.b"),
        ("\\p{Lu}\\p{IsGreek}", "", "AΩ", "AΩ"),
        ("(?>a|ab)c", "", "abc", "-"),
        ("(?s-i:.)A", "i", "\na", "\na"),
        ("(?x) a b # c", "", "ab", "ab"),
        ("\\R{2}", "", "\r\n", "-"),
        ("(?<=a{1,3})b", "", "aab", "b"),
        ("(?<=(a|b)+)c", "", "ac", "error: Look-behind group does not have an obvious maximum length"),
        ("a{,3}", "", "", "error: Illegal repetition"),
        ("\\y", "", "", "error: Illegal/unsupported escape sequence"),
        ("\\cJ", "", "\n", "\n"),
        ("\\u0041\\x42", "", "AB", "AB"),
        (".", "", "\u{2028}x", "x"),
        ("(?=(a+))a*b\\1", "", "baaabac", "aba,a"),
        ("a+?b", "", "aab", "aab"),
        ("\\Bx", "", "x ax", "x"),
        ("(?i)a", "", "A", "A"),
        ("a++a", "", "aa", "-"),
        ("+a", "", "a", "error: Dangling meta character '+'"),
        ("(", "", "", "error: Unclosed group"),
        ("[b-a]", "", "", "error: Illegal character range"),
    ];
    for (pattern, flags, text, expect) in cases {
        assert_eq!(find(pattern, flags, text), expect, "/{pattern}/{flags} on {text:?}");
    }
}

#[test]
fn exponential_patterns_end() {
    let text = format!("{}!", "a".repeat(40));
    assert_eq!(find("^(a+)+$", "", &text), "-");
    assert_eq!(find("^(a+)+\\1$", "", &text), "Expression evaluation timeout: Check for infinite loop");
}

/// What `differential/regex.py` has from Java; STEPWRIGHT_REGEX_CASES names another file of the same kind.
#[test]
fn generated_patterns_match_as_in_java() {
    let cases = match std::env::var("STEPWRIGHT_REGEX_CASES") {
        Ok(path) => std::fs::read_to_string(path).expect("the file of cases"),
        Err(_) => include_str!("../../tests/regex.jsonl").to_owned(),
    };
    let mut wrong = Vec::new();
    for line in cases.lines() {
        let case = stepwright_value::read(line).expect("a case");
        let member = |name| case.get(name).and_then(Value::as_str).unwrap_or_default();
        let found = answer(member("pattern"), member("flags"), member("text"));
        if case.get("expect") != Some(&found) {
            wrong.push(format!("{line}\n  here: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn answer(pattern: &str, flags: &str, text: &str) -> Value {
    let Ok(regex) = Regex::new(pattern, flags.contains('i'), flags.contains('m')) else {
        return Value::from("error");
    };
    match regex.find_at(text, 0, &Meter::new(&Limits::generous(), &|| true)) {
        Err(fault) => Value::from(fault.render()),
        Ok(None) => Value::from("-"),
        Ok(Some(captures)) => {
            let part = |range: &Option<(usize, usize)>| {
                range.map_or(Value::Null, |(from, to)| Value::from(&text[from..to]))
            };
            Value::from(captures.iter().map(part).collect::<Vec<_>>())
        }
    }
}
