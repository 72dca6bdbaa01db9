//! Fields that an object does not have: misspelt ones, and ones that belong elsewhere.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Holder;
use crate::spelling;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    // Without a known type nobody can say what belongs; AWS complains of the credentials' missing role only.
    if matches!(site.holder, Holder::UnknownState | Holder::Credentials) {
        return;
    }
    for member in site.node.members() {
        if site.holder.field(&member.key).is_some() {
            continue;
        }
        let message = format!("Field '{}' is not supported", member.key);
        let mut diagnostic =
            Diagnostic::new(&codes::UNSUPPORTED_FIELD, message, site.at.to_string(), member.key_span);
        let names = site.holder.field_names();
        if let Some(name) = spelling::closest(&member.key, names.iter().map(String::as_str)) {
            diagnostic =
                diagnostic.help(format!("Did you mean {name}?")).fix(member.key_span, format!("\"{name}\""));
        }
        report.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{MAP, machine, state};

    #[test]
    fn table() {
        machine(
            r#"{"StartAt":"S","States":{"S":{"Type":"Succeed"}},"comment":"x"}"#,
            &["Field 'comment' is not supported at /"],
        );
        for (kind, rest) in [
            ("Pass", r#","End":true"#),
            ("Wait", r#","Seconds":1,"End":true"#),
            ("Succeed", ""),
            ("Fail", ""),
        ] {
            for field in ["TimeoutSeconds", "Catch", "Retry", "Resource", "Whatever"] {
                state(
                    &format!(r#""Type":"{kind}"{rest},"{field}":1"#),
                    &[&format!("Field '{field}' is not supported at ")],
                );
            }
        }
        state(r#""Type":"Succeed","End":true"#, &["Field 'End' is not supported at "]);
        state(&format!(r#"{MAP},"TimeoutSeconds":1"#), &["Field 'TimeoutSeconds' is not supported at "]);
        state(
            r#""Type":"Choice","Choices":[{"And":[{"Variable":"$","IsNull":true,"Next":"T"}],"Next":"T"}]"#,
            &["Field 'Next' is not supported at /Choices[0]/And[0]"],
        );
    }

    #[test]
    fn suggestions() {
        let text = r#"{"StartAt":"S","States":{"S":{"Type":"Pass","Ende":true}}}"#;
        let found = crate::compile(text, &crate::CompileOptions::default()).diagnostics;
        assert_eq!(found[0].help.as_deref(), Some("Did you mean End?"));
        let fix = found[0].fix.clone().expect("a fix");
        assert_eq!((&text[fix.span], fix.replacement.as_str()), (r#""Ende""#, r#""End""#));
    }
}
