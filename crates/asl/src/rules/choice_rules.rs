//! The shape of a choice rule: one of And, Or, Not, Variable, Condition; one operator beside Variable.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, operator, operator_names};
use crate::node::Member;

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
    if site.node.has("Variable") {
        one_operator(site, report);
    }
}

fn one_operator(site: &Site<'_>, report: &mut Report) {
    let operators: Vec<&Member> =
        site.node.members().iter().filter(|member| operator(&member.key).is_some()).collect();
    let names = || operator_names().collect::<Vec<String>>().join(", ");
    match operators.as_slice() {
        [_] => {}
        [] => report.push(
            Diagnostic::new(
                &codes::NONE_OF_FIELDS,
                format!("This object should have only one of the following fields: [{}]", names()),
                site.at.to_string(),
                site.node.span,
            )
            .help("Say what Variable is compared with, for instance StringEquals."),
        ),
        [first, second, ..] => report.push(
            Diagnostic::new(
                &codes::TOO_MANY_FIELDS,
                format!("There should only be one of the following fields: [{}]", names()),
                site.at.to_string(),
                second.key_span,
            )
            .help("Put each comparison into an And of its own.")
            .note(format!("{} is here", first.key), first.key_span),
        ),
    }
}
