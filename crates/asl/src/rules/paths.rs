//! JSONPaths, reference paths and intrinsic functions in fields that hold one.

use stepwright_jsonpath::{Intrinsic, Path, ReferencePath};

use crate::check::FieldSite;
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Shape;

pub(crate) fn check(place: &FieldSite<'_>, report: &mut Report) {
    let Some(text) = place.value().as_str() else { return };
    match place.field.shape {
        Shape::PathOrIntrinsic if text.starts_with("States.") => {
            if let Err(error) = Intrinsic::parse(text) {
                say(
                    &codes::BAD_PATH,
                    "Value must be a valid JSONPath or a valid intrinsic function call",
                    place,
                    report,
                )
                .push_help(error.to_string(), report);
            }
        }
        Shape::Path | Shape::PathOrIntrinsic => {
            if let Err(error) = Path::parse(text) {
                say(&codes::BAD_PATH, "Value must be a valid JSONPath.", place, report)
                    .push_help(error.to_string(), report);
            }
        }
        _ => reference(text, place, report),
    }
}

fn reference(text: &str, place: &FieldSite<'_>, report: &mut Report) {
    let own_context = text.starts_with("$$");
    let reads_context = matches!(place.field.shape, Shape::ItemsPath) || is_choice(place);
    let refused = match ReferencePath::parse(text) {
        Err(error) => Some(error.message),
        Ok(_) if own_context && !reads_context => Some("the context object cannot be used here".to_owned()),
        Ok(_) => None,
    };
    let Some(why) = refused else { return };
    // AWS has two sentences: one for what does not even start like a path, in the fields it checks as paths first.
    if !text.starts_with('$') && !is_choice(place) {
        say(&codes::BAD_PATH, "Value must be a valid JSONPath.", place, report).push_help(why, report);
    } else if !text.starts_with('$') {
        let message = "Value is not a Reference Path: Reference path didn't start with '$'";
        say(&codes::BAD_REFERENCE_PATH, message, place, report).push_help(why, report);
    } else {
        let message = format!("Value is not a Reference Path: {why}");
        say(&codes::BAD_REFERENCE_PATH, &message, place, report).push_help(
            "A reference path names one place: only names and indices, as in $.order.items[0].".to_owned(),
            report,
        );
    }
}

/// Whether the field is of a choice rule.
fn is_choice(place: &FieldSite<'_>) -> bool {
    matches!(place.site.holder, crate::fields::Holder::ChoiceRule | crate::fields::Holder::NestedRule)
}

struct Said(Diagnostic);

fn say(code: &'static Code, message: &str, place: &FieldSite<'_>, _report: &mut Report) -> Said {
    Said(Diagnostic::new(code, message, place.at.to_string(), place.value().span))
}

impl Said {
    fn push_help(self, help: String, report: &mut Report) {
        report.push(self.0.help(help));
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::state;

    #[test]
    fn table() {
        let pass = |field: &str| format!(r#""Type":"Pass","End":true,{field}"#);
        state(&pass(r#""InputPath":"a""#), &["Value must be a valid JSONPath. at /InputPath"]);
        state(&pass(r#""InputPath":null,"OutputPath":"$.a[*].b","ResultPath":null"#), &[]);
        state(&pass(r#""InputPath":"$$.Execution.Id""#), &[]);
        state(r#""Type":"Fail","ErrorPath":"States.Format('{}', $.a)","CausePath":"$.c""#, &[]);
        for path in ["$.a[*]", "$..a", "$.a[?(@.b)]"] {
            let text = format!(
                r#"{{"StartAt":"S","States":{{"S":{{{}}}}}}}"#,
                pass(&format!(r#""ResultPath":"{path}""#))
            );
            let found = crate::compile(&text, &crate::CompileOptions::default()).diagnostics;
            assert!(
                found.len() == 1 && found[0].message.starts_with("Value is not a Reference Path: "),
                "{found:?}"
            );
        }
        state(
            r#""Type":"Choice","Choices":[{"Variable":"States.ArrayLength($.a)","IsNull":true,"Next":"T"}]"#,
            &["Value is not a Reference Path: Reference path didn't start with '$' at /Choices[0]/Variable"],
        );
        state(
            r#""Type":"Choice","Choices":[{"Variable":"$$.Execution.Id","StringEqualsPath":"$x","Next":"T"}]"#,
            &["SW1102: The variable '$x' is never assigned where this state could see it at "],
        );
    }
}
