//! What a Map's mode asks for and does not allow.

use crate::check::Site;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::{Holder, StateType};
use crate::node::Node;
use crate::options::MachineType;
use crate::outline::{ChildExecution, distributed};

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

/// Fields of a Map that only a distributed one can use.
const ONLY_DISTRIBUTED: [&str; 8] = [
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];

/// Looks at a Map state.
pub(crate) fn check_map(site: &Site<'_>, report: &mut Report) {
    if site.holder != Holder::State(StateType::Map) || distributed(site.node) {
        return;
    }
    for member in site.node.members().iter().filter(|member| ONLY_DISTRIBUTED.contains(&&*member.key)) {
        let message = format!("Only a distributed Map can use '{}'", member.key);
        report.push(
            Diagnostic::new(&codes::ONLY_DISTRIBUTED, message, site.at.to_string(), member.key_span)
                .help("Set ProcessorConfig.Mode to DISTRIBUTED in its ItemProcessor."),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::{DISTRIBUTED, MAP, express, state};

    #[test]
    fn fields_of_inline_maps() {
        state(&format!(r#"{DISTRIBUTED},"Label":"x""#), &[]);
        for field in
            [r#""Label":"x""#, r#""ToleratedFailureCount":1"#, r#""ItemBatcher":{"MaxItemsPerBatch":2}"#]
        {
            let name = field.split('"').nth(1).expect("a name");
            state(
                &format!("{MAP},{field}"),
                &[&format!("SW1110: Only a distributed Map can use '{name}' at ")],
            );
        }
    }

    #[test]
    fn table() {
        let map = |config: &str| {
            format!(
                r#""Type":"Map","End":true,"ItemProcessor":{{"ProcessorConfig":{config},"StartAt":"P","States":{{"P":{{"Type":"Pass","End":true}}}}}}"#
            )
        };
        let at = "/ItemProcessor/ProcessorConfig";
        state(
            &map(r#"{"Mode":"DISTRIBUTED"}"#),
            &[&format!("These fields are required: [ExecutionType] at {at}")],
        );
        state(
            &map(r#"{"Mode":"INLINE","ExecutionType":"STANDARD"}"#),
            &[&format!("Field 'ExecutionType' is not supported at {at}")],
        );
        state(
            &map(r#"{"Mode":"DISTRIBUTED","ExecutionType":"FAST"}"#),
            &[&format!("Value should be one of the following: [STANDARD, EXPRESS] at {at}/ExecutionType")],
        );
        for config in ["{}", r#"{"Mode":"INLINE"}"#, r#"{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}"#] {
            state(&map(config), &[]);
        }
        express(
            &format!(r#"{{"StartAt":"S","States":{{"S":{{{DISTRIBUTED}}}}}}}"#),
            &[
                "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines at /States/S/ItemProcessor/ProcessorConfig",
            ],
        );
    }
}
