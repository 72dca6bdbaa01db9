//! Nothing panics or runs away, whatever the text and the data.

use stepwright_jsonpath::{Intrinsic, Path, ReferencePath, Scope, Template, string_matches};
use stepwright_value::{Value, read};

/// Texts that come near to being paths and calls.
const PIECES: &[&str] = &[
    "$",
    "$$",
    "@",
    ".",
    "..",
    "*",
    "[",
    "]",
    "(",
    ")",
    "?",
    "?(",
    "[?(@",
    ")]",
    "'",
    "\"",
    "\\",
    ",",
    ":",
    "a",
    "b",
    "['a']",
    "[0]",
    "[-1]",
    "[1:]",
    "[*]",
    "==",
    "!=",
    "<",
    ">=",
    "=~",
    "/a.*/i",
    "/",
    "&&",
    "||",
    "!",
    " in ",
    " nin ",
    " contains ",
    " empty true",
    " size 1",
    "{",
    "}",
    "1",
    "-",
    "0.5",
    "1e9",
    "99999999999999999999",
    "true",
    "null",
    "length()",
    ".length()",
    "States.",
    "States.Format(",
    "States.Array(",
    "States.UUID()",
    "'{}'",
    " ",
    "\n",
    "é",
    "\u{1F600}",
    "\0",
];

struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn try_everything(text: &str, inputs: &[Value]) {
    let scopes = inputs.iter().map(Scope::of_input);
    if let Ok(path) = Path::parse(text) {
        assert_eq!(path.text(), text.trim_ascii_end());
        for scope in scopes.clone() {
            let selected = path.select(&scope);
            if let (Ok(value), false) = (selected, path.is_definite()) {
                assert!(value.as_array().is_some(), "{text} is indefinite");
            }
        }
    }
    if let Ok(reference) = ReferencePath::parse(text) {
        for input in inputs {
            if let Ok(after) = reference.set(input, 7.into()) {
                assert_eq!(reference.get(&after), Some(&7.into()), "{text}");
            }
        }
    }
    if let Ok(call) = Intrinsic::parse(text) {
        for scope in scopes.clone() {
            let _ = call.evaluate(&scope, &mut || 3);
        }
    }
    let object: stepwright_value::Object = [("a.$", text)].into_iter().collect();
    if let Ok(template) = Template::compile(&object.into()) {
        for scope in scopes {
            let _ = template.evaluate(&scope, &mut || 3);
        }
    }
    string_matches(text, text);
}

fn inputs() -> Vec<Value> {
    [
        "null",
        "1",
        "[]",
        r#"{"a":[1,{"a":null,"b":"x"}],"b":{"a":{"b":[0.5]}}}"#,
        r#"[[1,2,"a"],{"a":"b"},null,true]"#,
    ]
    .iter()
    .map(|text| read(text).expect("JSON"))
    .collect()
}

#[test]
fn pieces_of_paths() {
    let mut random = Xorshift(0x9E37_79B9_7F4A_7C15);
    let inputs = inputs();
    for _ in 0..20_000 {
        let len = random.below(12);
        let start = ["$", "$$", "$a", "States.", ""][random.below(5)];
        let text: String =
            std::iter::once(start).chain((0..len).map(|_| PIECES[random.below(PIECES.len())])).collect();
        try_everything(&text, &inputs);
    }
}

#[test]
fn bytes() {
    let mut random = Xorshift(88_172_645_463_325_252);
    let inputs = inputs();
    for _ in 0..5_000 {
        let bytes: Vec<u8> = (0..random.below(40)).map(|_| random.next() as u8).collect();
        try_everything(&String::from_utf8_lossy(&bytes), &inputs);
        let text: String = bytes.iter().map(|byte| char::from(byte & 0x7F)).collect();
        try_everything(&format!("${text}"), &inputs);
    }
}

#[test]
fn valid_texts_with_one_change() {
    let seeds = [
        "$.a[0]['b'].c[?(@.x == 'y' && @.z in [1,2] || !(@.q =~ /a+/i))]..d[1:2].length()",
        r"States.Format('a {} \{\} {}', $.a, States.ArrayGetItem(States.StringSplit($$.b, '-'), -1))",
    ];
    let mut random = Xorshift(42);
    let inputs = inputs();
    for _ in 0..10_000 {
        let mut characters: Vec<char> = seeds[random.below(2)].chars().collect();
        for _ in 0..=random.below(3) {
            let at = random.below(characters.len());
            match random.below(3) {
                0 => drop(characters.remove(at)),
                1 => characters[at] = char::from(random.below(128) as u8),
                _ => characters.insert(at, PIECES[random.below(PIECES.len())].chars().next().unwrap_or('$')),
            }
        }
        try_everything(&characters.into_iter().collect::<String>(), &inputs);
    }
}
