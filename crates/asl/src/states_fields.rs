//! The fields of `$states` that an expression names.
//!
//! A look at the text, not at the tree: what stands in quotes or comments is passed over. An expression that hides
//! `$states` (behind a variable of its own, say) is not seen through, and neither does AWS.

/// The names behind `$states.` in `source`, in order.
pub(crate) fn in_source(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' | '\'' | '`' => behind_quote(rest, first),
            '/' if rest.starts_with("/*") => rest.split_once("*/").map_or("", |(_, behind)| behind),
            '$' => {
                let (variable, behind) = identifier(rest.get(1..).unwrap_or_default());
                if variable == "states"
                    && let Some(field) = behind.trim_start().strip_prefix('.')
                {
                    let (name, behind) = identifier(field.trim_start());
                    if !name.is_empty() {
                        names.push(name);
                    }
                    behind
                } else {
                    behind
                }
            }
            other => rest.get(other.len_utf8()..).unwrap_or_default(),
        };
    }
    names
}

fn identifier(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.split_at(end)
}

/// What follows the quoted text at the start of `text`.
fn behind_quote(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if !escaped && c == quote {
            return text.get(at + c.len_utf8()..).unwrap_or_default();
        }
        escaped = !escaped && c == '\\' && quote != '`';
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (source, expected) in [
            ("$states.input.a + $states . result", vec!["input", "result"]),
            ("'$states.a' & \"\\\"$states.b\" & `$states.c`", vec![]),
            ("/* $states.a */ $statesx.b; $states", vec![]),
            ("$map($states.input, function($v) { $v.states.x })", vec!["input"]),
            ("", vec![]),
            ("$", vec![]),
        ] {
            assert_eq!(in_source(source), expected, "{source}");
        }
    }
}
