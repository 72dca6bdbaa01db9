//! Patterns against what V8 answers, and Java where it differs.

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
fn matches_as_javascript_does() {
    let cases = [
        ("a+", "", "baac", "aa"),
        ("(a)|(b)", "", "b", "b,~,b"),
        ("(?:(a)|(b))+", "", "ab", "ab,~,b"),
        ("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", "zaacbbbcac,z,ac,a,~,c"),
        ("(a*)*", "", "b", ",~"),
        ("(a*)?b", "", "b", "b,~"),
        ("-([^]|){0,1}", "", "-", "-,~"),
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
        ("[^]", "", "\n", "\n"),
        ("[]", "", "a", "-"),
        ("[[a]", "", "[", "["),
        ("a{,3}", "", "a{,3}", "a{,3}"),
        ("\\cJ", "", "\n", "\n"),
        ("\\u0041\\x42", "", "AB", "AB"),
        (".", "", "\u{2028}x", "x"),
        ("(?=(a+))a*b\\1", "", "baaabac", "aba,a"),
        ("a+?b", "", "aab", "aab"),
        ("\\Bx", "", "x ax", "x"),
        ("(?i)a", "", "a", "error: Invalid group"),
        ("a++", "", "a", "error: Nothing to repeat"),
        ("(", "", "", "error: Unterminated group"),
        ("[b-a]", "", "", "error: Range out of order in character class"),
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
