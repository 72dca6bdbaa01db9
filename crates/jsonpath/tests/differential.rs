//! Random paths on random data against an RFC 9535 implementation, in the part of the language where Jayway and the RFC
//! agree: filters on arrays of objects only, no nulls, no several names, no `!=` on what may be missing, no order of
//! booleans.

use serde_json_path::JsonPath;
use stepwright_jsonpath::Path;
use stepwright_value::{Value, read};

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

fn data(random: &mut Xorshift, depth: usize) -> String {
    let children =
        |random: &mut Xorshift| (0..random.below(4)).map(|_| data(random, depth + 1)).collect::<Vec<_>>();
    match random.below(if depth < 4 { 7 } else { 3 }) {
        0 => random.pick(&["1", "2.5", "-3", "10"]).into(),
        1 => random.pick(&["\"a\"", "\"b\"", "\"\""]).into(),
        2 => random.pick(&["true", "false"]).into(),
        3 | 4 => format!("[{}]", children(random).join(",")),
        _ => {
            let members: Vec<String> = ["a", "b", "c"]
                .iter()
                .zip(children(random))
                .map(|(key, value)| format!("\"{key}\":{value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

fn path(random: &mut Xorshift) -> String {
    let steps = [
        ".a", ".b", "['c']", "[0]", "[1]", "[-1]", "[*]", ".*", "[0:2]", "[1:]", "[-2:]", "[:-1]", "[::2]",
        "[0,2]",
    ];
    let after_descent = ["..a", "..b", "..*", "..[0]", "..[1:]", "..[-1]"];
    (0..random.below(4)).fold(String::from("$"), |path, _| {
        path + if random.below(5) == 0 { random.pick(&after_descent) } else { random.pick(&steps) }
    })
}

fn condition(random: &mut Xorshift) -> String {
    let operand = random.pick(&["@.a", "@.b", "@", "@.a.b", "@[0]"]);
    let literal = random.pick(&["1", "2.5", "'a'", "-3"]);
    match random.below(4) {
        0 => operand.into(),
        1 => format!("!{}", operand),
        _ => format!("{operand} {} {literal}", random.pick(&["==", "<", "<=", ">", ">="])),
    }
}

/// The results in order, as arrays.
fn check(ours: &str, theirs: &str, text: &str) {
    let expect: Vec<String> = {
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let nodes = JsonPath::parse(theirs).expect(theirs).query(&value).all();
        nodes.iter().map(|node| read(&node.to_string()).expect("JSON").to_json()).collect()
    };
    let path = Path::parse(ours).unwrap_or_else(|error| panic!("{ours}: {error}"));
    let found = match path.select_from(&read(text).expect("JSON")) {
        Ok(Value::Array(items)) if !path.is_definite() => items.iter().map(Value::to_json).collect(),
        Ok(value) => vec![value.to_json()],
        Err(_) => vec![],
    };
    assert_eq!(found, expect, "{ours} on {text}");
}

#[test]
fn paths() {
    let mut random = Xorshift(2_463_534_242);
    for _ in 0..10_000 {
        let (path, text) = (path(&mut random), data(&mut random, 0));
        check(&path, &path, &text);
    }
}

#[test]
fn filters() {
    let mut random = Xorshift(1_234_567_891);
    for _ in 0..5_000 {
        let items: Vec<String> = std::iter::repeat_with(|| data(&mut random, 2))
            .filter(|item| item.starts_with('{'))
            .take(4)
            .collect();
        let (left, right) = (condition(&mut random), condition(&mut random));
        let condition = format!("{left} {} {right}", random.pick(&["&&", "||"]));
        check(&format!("$[?({condition})]"), &format!("$[?{condition}]"), &format!("[{}]", items.join(",")));
    }
}
