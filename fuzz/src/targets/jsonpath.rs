//! Paths: the first line, evaluated on the JSON behind it. An indefinite path gives an array; what was written to a
//! reference path can be read back.

use stepwright_jsonpath::{Path, ReferencePath, Scope, string_matches};

pub fn run(data: &[u8]) {
    let Some(text) = super::text(data, 1 << 14) else { return };
    let (line, input) = super::line_and_value(text);
    if let Ok(path) = Path::parse(line) {
        // White space behind it is not part of it.
        assert!(line.starts_with(path.text()) && line[path.text().len()..].trim().is_empty(), "{line:?}");
        if let (Ok(value), false) = (path.select(&Scope::of_input(&input)), path.is_definite()) {
            assert!(value.as_array().is_some(), "{line} is indefinite");
        }
    }
    if let Ok(reference) = ReferencePath::parse(line)
        && let Ok(after) = reference.set(&input, 7.into())
    {
        assert_eq!(reference.get(&after), Some(&7.into()), "{line}");
    }
    string_matches(line, line);
}
