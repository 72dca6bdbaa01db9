//! Fields that must be there.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::Holder;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let missing: Vec<&str> =
        site.holder.required().iter().copied().filter(|name| !site.node.has(name)).collect();
    if missing.is_empty() {
        return;
    }
    // What decides which fields there are, AWS asks for in other words.
    let message = match site.holder {
        Holder::UnknownState => "The field 'Type' is required".to_owned(),
        _ => format!("These fields are required: [{}]", missing.join(", ")),
    };
    let mut diagnostic = Diagnostic::new(&codes::MISSING_FIELD, message, site.at.to_string(), site.node.span);
    if let Some((wrong, right)) = missing.iter().find_map(|name| misspelt(site, name)) {
        diagnostic = diagnostic.help(format!("Did you mean {right} where {wrong} stands?"));
    }
    report.push(diagnostic);
}

/// A field that is there and not known, and was probably meant to be `name`.
fn misspelt<'s>(site: &Site<'s>, name: &'s str) -> Option<(&'s str, &'s str)> {
    let unknown = site.node.members().iter().filter(|member| site.holder.field(&member.key).is_none());
    let mut close = unknown.filter(|member| crate::spelling::is_close(&member.key, name));
    close.next().map(|member| (&*member.key, name))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, machine, state};

    #[test]
    fn table() {
        machine(r#"{"StartAt":"A"}"#, &["These fields are required: [States] at /"]);
        machine(r#"{}"#, &["These fields are required: [StartAt, States] at /"]);
        let endless = "MISSING_END_STATE: Workflow has no terminal state at ";
        for fields in ["", r#""End":true"#] {
            state(fields, &["The field 'Type' is required at ", endless]);
        }
        state(r#""Type":"Task","End":true"#, &["These fields are required: [Resource] at "]);
        state(r#""Type":"Choice","Default":"T""#, &["These fields are required: [Choices] at "]);
        state(r#""Type":"Parallel","End":true"#, &["These fields are required: [Branches] at "]);
        state(
            r#""Type":"Parallel","End":true,"Branches":[{}]"#,
            &["These fields are required: [StartAt, States] at /Branches[0]"],
        );
        state(
            &format!(r#"{TASK},"Retry":[{{}}]"#),
            &["These fields are required: [ErrorEquals] at /Retry[0]"],
        );
        state(
            &format!(r#"{TASK},"Catch":[{{"ErrorEquals":["A"]}}]"#),
            &["These fields are required: [Next] at /Catch[0]"],
        );
        state(
            r#""Type":"Choice","Default":"T","Choices":[{"Variable":"$","IsNull":true}]"#,
            &["These fields are required: [Next] at /Choices[0]"],
        );
    }
}
