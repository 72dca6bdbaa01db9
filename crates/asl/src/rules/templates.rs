//! Payload templates: the value of a key that ends in `.$` is a path or an intrinsic function.

use stepwright_jsonpath::{Intrinsic, Path};

use crate::check::FieldSite;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::location::Location;
use crate::node::{Member, Node, NodeKind};
use crate::options::CompileOptions;

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    let options = place.site.context.options;
    if place.field.name == "RoleArn.$" {
        member(place.member, place.site.at, options, report);
    } else {
        walk(place.value(), place.at, options, report);
    }
}

fn walk(node: &Node, at: &Location<'_>, options: &CompileOptions, report: &mut Report) {
    match &node.kind {
        NodeKind::Object(members) => {
            for entry in members {
                if let Some(name) = entry.key.strip_suffix(".$") {
                    member(entry, at, options, report);
                    if let Some(other) = node.member(name) {
                        let message =
                            format!("'{name}' and '{name}.$' give the same name: the last one counts");
                        report.push(
                            Diagnostic::new(&codes::DUPLICATE_KEY, message, at.to_string(), entry.key_span)
                                .note("The other one stands here", other.key_span),
                        );
                    }
                } else {
                    walk(&entry.value, &at.key(&entry.key), options, report);
                }
            }
        }
        NodeKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &at.index(index), options, report);
            }
        }
        _ => {}
    }
}

/// Looks at a member whose key ends in `.$`. AWS locates it at the object around it.
fn member(entry: &Member, at: &Location<'_>, options: &CompileOptions, report: &mut Report) {
    let why = match entry.value.as_str() {
        Some(text) if options.is_open(text) => return,
        Some(text) if text.starts_with('$') => Path::parse(text).err(),
        Some(text) => Intrinsic::parse(text).err(),
        None => None,
    };
    if why.is_none() && entry.value.as_str().is_some() {
        return;
    }
    let message = format!(
        "The value for the field '{}' must be a valid JSONPath or a valid intrinsic function call",
        entry.key
    );
    let help = match why {
        Some(error) => error.to_string(),
        None => "Leave the .$ away for a value that is not computed.".to_owned(),
    };
    report.push(
        Diagnostic::new(&codes::BAD_TEMPLATE_VALUE, message, at.to_string(), entry.value.span).help(help),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        let pass = |template: &str| format!(r#""Type":"Pass","End":true,"Parameters":{template}"#);
        let must = |key: &str| {
            format!(
                "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call at /Parameters"
            )
        };
        state(&pass(r#"{"a.$":"x"}"#), &[&must("a.$")]);
        state(&pass(r#"{"a.$":1}"#), &[&must("a.$")]);
        state(&pass(r#"{"a":[{"b.$":"x"}]}"#), &[&format!("{}/a[0]", must("b.$"))]);
        state(&pass(r#"{"a.$":"States.Nothing()"}"#), &[&must("a.$")]);
        state(
            &pass(r#"{"a":[{"b":1,"b.$":"$.x"}]}"#),
            &["SW1101: 'b' and 'b.$' give the same name: the last one counts at /Parameters/a[0]"],
        );
        state(&pass(r#"{"a.$":"$.x","b.$":"$$","c.$":"States.UUID()","d":"plain"}"#), &[]);
    }
}
