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
