//! Texts that look like a path or an intrinsic function where they are taken as they are.
//!
//! AWS warns of these too, under three codes; its sentences are not public, so these are ours.

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Shape;
use crate::location::Location;
use crate::node::{Member, Node, NodeKind};

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    match place.field.shape {
        Shape::Template | Shape::Assign => template(place.value(), place.at, report),
        Shape::Any if place.field.name == "Result" => result(place, report),
        Shape::StringOperand | Shape::Expression => text_field(place, report),
        _ => {}
    }
}

fn template(node: &Node, at: &Location<'_>, report: &mut Report) {
    match &node.kind {
        NodeKind::Object(members) => {
            for member in members.iter().filter(|member| !member.key.ends_with(".$")) {
                match member.value.as_str() {
                    Some(text) if looks_computed(text) => no_dollar(member, at, report),
                    Some(_) => {}
                    None => template(&member.value, &at.key(&member.key), report),
                }
            }
        }
        NodeKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                template(item, &at.index(index), report);
            }
        }
        _ => {}
    }
}

fn no_dollar(member: &Member, at: &Location<'_>, report: &mut Report) {
    let key = &member.key;
    let message =
        format!("The value of the field '{key}' looks like a JSONPath or an intrinsic function, but is text");
    let mut quoted = String::new();
    stepwright_value::write_string(&format!("{key}.$"), &mut quoted);
    report.push(
        Diagnostic::new(&codes::NO_DOLLAR, message, at.to_string(), member.value.span)
            .help(format!("Call the field '{key}.$' to have the value computed."))
            .fix(member.key_span, quoted),
    );
}

fn text_field(place: &FieldSite<'_>, report: &mut Report) {
    let Some(text) = place.value().as_str().filter(|text| looks_computed(text)) else { return };
    let name = place.field.name;
    let has_path =
        ["Error", "Cause"].contains(&name) || crate::fields::operator(&format!("{name}Path")).is_some();
    if !has_path {
        return;
    }
    let message =
        format!("The value of the field '{name}' looks like a path, but the field takes '{text}' as text");
    report.push(
        Diagnostic::new(&codes::NO_PATH, message, place.at.to_string(), place.value().span)
            .help(format!("Use '{name}Path' to read the value at a path."))
            .fix(place.member.key_span, format!("\"{name}Path\"")),
    );
}

fn result(place: &FieldSite<'_>, report: &mut Report) {
    let mut open = vec![place.value()];
    while let Some(node) = open.pop() {
        let computed = match &node.kind {
            NodeKind::String(text) => looks_computed(text),
            NodeKind::Array(items) => {
                open.extend(items);
                false
            }
            NodeKind::Object(members) => {
                open.extend(members.iter().map(|member| &member.value));
                members.iter().any(|member| member.key.ends_with(".$"))
            }
            _ => false,
        };
        if computed {
            let message =
                "The Result of a Pass state is static: paths and intrinsic functions in it are text";
            report.push(
                Diagnostic::new(&codes::STATIC_RESULT, message, place.at.to_string(), node.span)
                    .help("Use Parameters for a result that is computed."),
            );
            return;
        }
    }
}

/// `$`, `$.a`, `$['a']`, `$$.a`, `States.Format(…)`.
fn looks_computed(text: &str) -> bool {
    let path = text.strip_prefix("$$").or_else(|| text.strip_prefix('$'));
    let call = text.strip_prefix("States.").and_then(|rest| rest.split_once('('));
    path.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        && stepwright_jsonpath::Path::parse(text).is_ok()
        || call.is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()))
            && text.ends_with(')')
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        let pass = |field: &str| format!(r#""Type":"Pass","End":true,{field}"#);
        let text = |key: &str| {
            format!(
                "NO_DOLLAR: The value of the field '{key}' looks like a JSONPath or an intrinsic function, but is text at /Parameters"
            )
        };
        state(&pass(r#""Parameters":{"a":"$.b","c":"$5","d":"$ 5","e":"States.ALL"}"#), &[&text("a")]);
        state(&pass(r#""Parameters":{"a":"States.UUID()"}"#), &[&text("a")]);
        let fixed = "PASS_RESULT_IS_STATIC: The Result of a Pass state is static: paths and intrinsic functions in it are text at /Result";
        state(&pass(r#""Result":{"a":["$.b"]}"#), &[fixed]);
        state(&pass(r#""Result":{"a.$":"x"}"#), &[fixed]);
        state(&pass(r#""Result":"$5""#), &[]);
        state(
            r#""Type":"Fail","Error":"$.error""#,
            &[
                "NO_PATH: The value of the field 'Error' looks like a path, but the field takes '$.error' as text at /Error",
            ],
        );
    }
}
