//! Groups of fields of which only one may be there, or of which one must be.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Member;

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    for (group, required) in site.holder.exclusive() {
        let present: Vec<&Member> = group.iter().filter_map(|name| present(site, name)).collect();
        let names = group.join(", ");
        match present.as_slice() {
            [] if *required => report.push(
                Diagnostic::new(
                    &codes::NONE_OF_FIELDS,
                    format!("This object should have only one of the following fields: [{names}]"),
                    site.at.to_string(),
                    site.node.span,
                )
                .help(format!("Add one of {names}.")),
            ),
            [first, second, ..] => report.push(
                Diagnostic::new(
                    &codes::TOO_MANY_FIELDS,
                    format!("There should only be one of the following fields: [{names}]"),
                    site.at.to_string(),
                    second.key_span,
                )
                .note(format!("{} is here", first.key), first.key_span),
            ),
            _ => {}
        }
    }
}

/// The field, when it is there and says something: `"End": false` does not, and a field of the other query language is
/// another rule's matter.
fn present<'s>(site: &Site<'s>, name: &str) -> Option<&'s Member> {
    let member = site.node.member(name)?;
    let field = site.holder.field(name)?;
    let silent = name == "End" && member.value.as_bool() == Some(false);
    (site.speaks(&field) && !silent).then_some(member)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, state};

    #[test]
    fn table() {
        state(
            r#""Type":"Pass","End":true,"Next":"T""#,
            &["There should only be one of the following fields: [Next, End] at "],
        );
        for fields in [r#""Type":"Pass""#, r#""Type":"Pass","End":false"#] {
            state(
                fields,
                &[
                    "This object should have only one of the following fields: [Next, End] at ",
                    "MISSING_END_STATE: Workflow has no terminal state at ",
                ],
            );
        }
        state(r#""Type":"Pass","End":false,"Next":"T""#, &[]);
        let wait = "[SecondsPath, Seconds, TimestampPath, Timestamp] at ";
        state(
            r#""Type":"Wait","End":true"#,
            &[&format!("This object should have only one of the following fields: {wait}")],
        );
        state(
            r#""Type":"Wait","End":true,"Seconds":1,"TimestampPath":"$.t""#,
            &[&format!("There should only be one of the following fields: {wait}")],
        );
        state(
            r#""Type":"Fail","Error":"E","ErrorPath":"$.e""#,
            &["There should only be one of the following fields: [Error, ErrorPath] at "],
        );
        state(
            r#""Type":"Map","End":true"#,
            &["This object should have only one of the following fields: [ItemProcessor, Iterator] at "],
        );
        state(
            &format!(r#"{DISTRIBUTED},"ItemSelector":{{}},"Parameters":{{}}"#),
            &["There should only be one of the following fields: [ItemSelector, Parameters] at "],
        );
        state(
            &format!(r#"{DISTRIBUTED},"ItemBatcher":{{"MaxItemsPerBatch":1,"MaxItemsPerBatchPath":"$.n"}}"#),
            &[
                "There should only be one of the following fields: [MaxItemsPerBatch, MaxItemsPerBatchPath] at /ItemBatcher",
            ],
        );
    }
}
