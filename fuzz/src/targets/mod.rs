//! The targets. Bytes come in; an assertion that fails is a finding.

pub mod definition;
pub mod definition_yaml;
pub mod execution;
pub mod intrinsic;
pub mod jsonata;
pub mod jsonpath;
pub mod segment;
pub mod token;
pub mod value_read;

use stepwright_value::Value;

/// Name and function of each target.
pub const ALL: [(&str, fn(&[u8])); 9] = [
    ("definition", definition::run),
    ("definition_yaml", definition_yaml::run),
    ("execution", execution::run),
    ("intrinsic", intrinsic::run),
    ("jsonata", jsonata::run),
    ("jsonpath", jsonpath::run),
    ("segment", segment::run),
    ("token", token::run),
    ("value_read", value_read::run),
];

/// Whose corpus and dictionary a target uses.
pub fn corpus(target: &str) -> &str {
    if target == "execution" { "definition" } else { target }
}

/// A text of at most `bytes_max`; what is longer finds nothing that a shorter one does not.
fn text(data: &[u8], bytes_max: usize) -> Option<&str> {
    std::str::from_utf8(data.get(..data.len().min(bytes_max))?).ok()
}

/// The first line, and the JSON behind it; where there is none, a value with something of everything.
fn line_and_value(text: &str) -> (&str, Value) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let default =
        r#"{"a":[1,{"a":null,"b":"x-y"}],"b":{"a":{"b":[0.5]}},"n":9007199254740993,"s":"x","t":true}"#;
    let value = stepwright_value::read(rest).or_else(|_| stepwright_value::read(default));
    (line, value.unwrap_or(Value::Null))
}
