//! The wildcard matcher of Choice's `StringMatches`.

/// Whether `text` matches `pattern`, in which `*` stands for any characters, `\*` for an asterisk and `\\` for a
/// backslash. Every other character, a lone backslash too, stands for itself.
///
/// Takes time linear in both, up to the repeats that substring search needs.
pub fn string_matches(text: &str, pattern: &str) -> bool {
    let mut pieces = pieces(pattern);
    let Some(last) = pieces.pop() else { return false };
    let mut pieces = pieces.into_iter();
    let Some(first) = pieces.next() else { return text == last };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    // The leftmost place of each piece leaves the most for those after it.
    for piece in pieces {
        match rest.find(piece.as_str()) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

/// The literal texts between the wildcards: always one more than there are wildcards.
fn pieces(pattern: &str) -> Vec<String> {
    let mut pieces = vec![];
    let mut piece = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => pieces.push(std::mem::take(&mut piece)),
            '\\' => piece.push(characters.next_if(|next| matches!(next, '*' | '\\')).unwrap_or('\\')),
            _ => piece.push(character),
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::string_matches;

    #[test]
    fn wildcards() {
        for (text, pattern, expect) in [
            ("log-2020.txt", "log-*.txt", true),
            ("log-.txt", "log-*.txt", true),
            ("log-2020.txt.gz", "log-*.txt", false),
            ("", "", true),
            ("", "*", true),
            ("a", "", false),
            ("a*b", r"a\*b", true),
            ("axb", r"a\*b", false),
            (r"a\b", r"a\\b", true),
            (r"a\b", r"a\b", true),
            (r"a\xx", r"a\\*", true),
            ("abcabc", "*abc", true),
            ("abcab", "*abc", false),
            ("aa", "a*a", true),
            ("a", "a*a", false),
            ("xaybzc", "*a*b*c", true),
            ("xaybz", "*a*b*c*", false),
            ("ünïcödé", "ü*ö*é", true),
            ("abc", "**", true),
        ] {
            assert_eq!(string_matches(text, pattern), expect, "{text:?} {pattern:?}");
        }
    }
}
