//! The shape of a choice rule: one of And, Or, Not, Variable, Condition; one operator beside Variable.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, OPERATORS_LISTED, operator};
use crate::node::Member;
use crate::program::QueryLanguage;

const SELECTORS: &[&str] = &["And", "Or", "Not", "Variable", "Condition"];

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let present: Vec<&Member> = SELECTORS.iter().filter_map(|name| site.node.member(name)).collect();
    if present.len() != 1 {
        let names = if site.holder == Holder::ChoiceRule {
            SELECTORS
        } else {
            SELECTORS.get(..4).unwrap_or_default()
        };
        let message =
            format!("The object must have only one of the following fields, [{}]", names.join(", "));
        let span = present.get(1).map_or(site.node.span, |member| member.key_span);
        report.push(Diagnostic::new(&codes::NONE_OF_FIELDS, message, site.at.to_string(), span));
        return;
    }
    if site.node.has("Variable") && site.language == QueryLanguage::JsonPath {
        one_operator(site, report);
    }
}

fn one_operator(site: &Site<'_>, report: &mut Report) {
    let operators: Vec<&Member> =
        site.node.members().iter().filter(|member| operator(&member.key).is_some()).collect();
    match operators.as_slice() {
        [_] => {}
        [] => report.push(
            Diagnostic::new(
                &codes::NONE_OF_FIELDS,
                format!("This object should have only one of the following fields: [{OPERATORS_LISTED}]"),
                site.at.to_string(),
                site.node.span,
            )
            .help("Say what Variable is compared with, for instance StringEquals."),
        ),
        [first, second, ..] => report.push(
            Diagnostic::new(
                &codes::TOO_MANY_FIELDS,
                format!("There should only be one of the following fields: [{OPERATORS_LISTED}]"),
                site.at.to_string(),
                second.key_span,
            )
            .help("Put each comparison into an And of its own.")
            .note(format!("{} is here", first.key), first.key_span),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{jsonata, state};

    #[test]
    fn table() {
        let rule = |rule: &str| format!(r#""Type":"Choice","Choices":[{{{rule},"Next":"T"}}]"#);
        let one = "The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /Choices[0]";
        state(&rule(r#""StringEquals":"a""#), &[one]);
        state(&rule(r#""Variable":"$","IsNull":true,"Not":{"Variable":"$","IsNull":true}"#), &[one]);
        state(&rule(r#""Variable":"$.a","IsNull":true"#), &[]);
        state(&rule(r#""Not":{"Variable":"$.a","IsNull":true}"#), &[]);
        state(
            &rule(r#""Not":{}"#),
            &[
                "The object must have only one of the following fields, [And, Or, Not, Variable] at /Choices[0]/Not",
            ],
        );
        jsonata(&rule(r#""Output":1"#), &[one]);
        jsonata(&rule(r#""Condition":true"#), &[]);
        jsonata(&rule(r#""Condition":"true""#), &["Expected value of type Boolean at /Choices[0]/Condition"]);
    }

    #[test]
    fn operators() {
        for rule in [r#""Variable":"$""#, r#""Variable":"$","IsNull":true,"IsString":true"#] {
            let text = format!(
                r#"{{"StartAt":"S","States":{{"S":{{"Type":"Choice","Choices":[{{{rule},"Next":"T"}}]}},"T":{{"Type":"Succeed"}}}}}}"#
            );
            let found = crate::compile(&text, &crate::CompileOptions::default()).diagnostics;
            assert!(found.len() == 1 && found[0].message.contains("[StringEquals, "), "{found:?}");
        }
    }
}
