//! `Credentials` name a role.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};

pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    if site.node.has("RoleArn") || site.node.has("RoleArn.$") {
        return;
    }
    report.push(
        Diagnostic::new(
            &codes::MISSING_ROLE,
            "The field 'RoleArn' is required but was missing",
            site.at.to_string(),
            site.node.span,
        )
        .help("RoleArn is the role that the task is run with."),
    );
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{TASK, state};

    #[test]
    fn table() {
        state(
            &format!(r#"{TASK},"Credentials":{{"Role":"x"}}"#),
            &["The field 'RoleArn' is required but was missing at /Credentials"],
        );
        state(&format!(r#"{TASK},"Credentials":{{"RoleArn":"arn:aws:iam::1:role/x"}}"#), &[]);
        state(&format!(r#"{TASK},"Credentials":{{"RoleArn.$":"$.role"}}"#), &[]);
        state(
            &format!(r#"{TASK},"Credentials":{{"RoleArn.$":"role"}}"#),
            &[
                "The value for the field 'RoleArn.$' must be a valid JSONPath or a valid intrinsic function call at /Credentials",
            ],
        );
    }
}
