//! A machine has a state to end in.

use crate::check::Context;
use crate::codes;
use crate::diagnostic::{Diagnostic, Report};
use crate::fields::StateType;
use crate::node::Node;
use crate::outline::{FlowView, StateView};

pub(crate) fn check(context: &Context<'_>, report: &mut Report) {
    let Some(flow) = context.outline.flows.first().filter(|flow| flow.is_whole()) else { return };
    if has_end(context, flow) {
        return;
    }
    let follows = report.has_errors();
    report.push(
        Diagnostic::new(
            &codes::NO_TERMINAL_STATE,
            "Workflow has no terminal state",
            String::new(),
            flow.node.get("StartAt").map_or(flow.node.span, |node| node.span),
        )
        .help("Set \"End\": true in the last state, or lead to a Succeed or Fail state.")
        .follows(follows),
    );
}

/// Whether one of the flow's states ends it.
pub(crate) fn has_end(context: &Context<'_>, flow: &FlowView<'_>) -> bool {
    flow.states.iter().filter_map(|id| context.outline.state(*id)).any(ends)
}

/// AWS does not look into a state without a `Type`.
pub(crate) fn ends(state: &StateView<'_>) -> bool {
    matches!(state.kind, Some(StateType::Succeed | StateType::Fail))
        || state.node.has("Type") && state.node.get("End").and_then(Node::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::machine;

    #[test]
    fn table() {
        let machine_with = |rest: &str| {
            format!(
                r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Next":"B"}},"B":{{"Type":"Pass","Next":"A"}}{rest}}}}}"#
            )
        };
        machine(&machine_with(""), &["MISSING_END_STATE: Workflow has no terminal state at "]);
        machine(
            &machine_with(r#","C":{"Type":"Pass","End":true}"#),
            &["MISSING_TRANSITION_TARGET: State \"C\" is not reachable. at /States/C"],
        );
        let text = crate::compile(&machine_with(""), &crate::CompileOptions::default()).aws_error();
        let expected =
            "Invalid State Machine Definition: 'MISSING_END_STATE: Workflow has no terminal state at null'";
        assert_eq!(text.as_deref(), Some(expected));
    }
}
