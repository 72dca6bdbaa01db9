//! What a Map's mode asks for and does not allow.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::node::Node;
use crate::options::MachineType;
use crate::outline::ChildExecution;

/// Looks at a `ProcessorConfig`.
pub(crate) fn check(site: &Site<'_>, report: &mut Report) {
    let mode = site.node.member("Mode").and_then(|member| Node::as_str(&member.value));
    let execution_type = site.node.member("ExecutionType");
    match (mode, execution_type) {
        (Some("DISTRIBUTED"), None) => report.push(
            Diagnostic::new(
                &codes::MISSING_FIELD,
                "These fields are required: [ExecutionType]",
                site.at.to_string(),
                site.node.span,
            )
            .help("STANDARD or EXPRESS: the type of the executions that a distributed Map starts."),
        ),
        (Some("INLINE"), Some(member)) => report.push(
            Diagnostic::new(
                &codes::UNSUPPORTED_FIELD,
                "Field 'ExecutionType' is not supported",
                site.at.to_string(),
                member.key_span,
            )
            .help("An inline Map starts no executions."),
        ),
        _ => {}
    }
    // The state that holds the flow with this configuration; its own executions are not meant.
    let outer = site.state.and_then(|state| state.child_execution);
    let express = site.context.options.machine_type == MachineType::Express && outer.is_none()
        || outer == Some(ChildExecution::Express);
    if express && mode == Some("DISTRIBUTED") {
        let message =
            "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines";
        let span = site.node.get("Mode").map_or(site.node.span, |node| node.span);
        report.push(Diagnostic::new(&codes::EXPRESS_PATTERN, message, site.at.to_string(), span));
    }
}
