//! Names of state machines, activities and executions.

use crate::error::ApiError;

/// Refuses the characters that names must not contain (Developer Guide, "Quotas": naming).
pub fn check(name: &str) -> Result<(), ApiError> {
    if name.chars().any(is_forbidden) { Err(ApiError::invalid_name(name)) } else { Ok(()) }
}

fn is_forbidden(character: char) -> bool {
    matches!(
        character,
        '<' | '>'
            | '{'
            | '}'
            | '['
            | ']'
            | '?'
            | '*'
            | '"'
            | '#'
            | '%'
            | '\\'
            | '^'
            | '|'
            | '~'
            | '`'
            | '$'
            | '&'
            | ','
            | ';'
            | ':'
            | '/'
    ) || character.is_whitespace()
        || character.is_control()
        || matches!(u32::from(character), 0xFFFE..=0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "activity_123.name-x", "état", "a+b=c@d!(e)'"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in "<>{}[]?*\"#%\\^|~`$&,;:/ \t\u{0}\u{1f}\u{7f}\u{84}".chars() {
            let name = format!("a{bad}b");
            assert_eq!(check(&name).unwrap_err().message, format!("Invalid Name: '{name}'"));
        }
    }
}
