//! Names of variables.

use stepwright_types::limit::VARIABLE_NAME_CHARS_MAX;

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    for member in place.value().members() {
        let name = match place.jsonata() {
            true => &member.key,
            false => member.key.strip_suffix(".$").unwrap_or(&member.key),
        };
        let said = if name == "states" {
            Some((&codes::RESERVED_VARIABLE, "Cannot assign to reserved variable '$states'.".to_owned()))
        } else {
            fault(name)
                .map(|fault| (&codes::BAD_VARIABLE_NAME, format!("Invalid variable name '{name}': {fault}")))
        };
        if let Some((code, message)) = said {
            report.push(Diagnostic::new(code, message, place.at.to_string(), member.key_span));
        }
    }
}

fn fault(name: &str) -> Option<String> {
    if name.chars().count() > VARIABLE_NAME_CHARS_MAX {
        return Some(format!("the variable name exceeds the {VARIABLE_NAME_CHARS_MAX}-character limit."));
    }
    let mut letters = name.chars();
    let starts = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
    let goes_on = letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    (!starts || !goes_on).then(|| "the variable name contains invalid characters.".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        let pass = |assign: &str| format!(r#""Type":"Pass","End":true,"Assign":{assign}"#);
        state(
            &pass(r#"{"states":1}"#),
            &["RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /Assign"],
        );
        state(
            &pass(r#"{"a-b":1}"#),
            &[
                "INVALID_VARIABLE_NAME: Invalid variable name 'a-b': the variable name contains invalid characters. at /Assign",
            ],
        );
        state(&pass(r#"{"a.$":"$.x","b_1":2}"#), &[]);
        state(&pass("1"), &["Expected value of type Object at /Assign"]);
    }
}
